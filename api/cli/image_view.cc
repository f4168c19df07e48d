#include "api/cli/image_view.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "api/cli/format.h"
#include "core/image_properties.h"
#include "core/units.h"

namespace stellwerk::cli {
namespace {

using v1::Image;

std::string format_name(const Image& image) {
  switch (image.format()) {
    case Image::RAW:
      return "raw";
    case Image::QCOW2:
      return "qcow2";
    default:
      return "";
  }
}

std::string visibility_name(const Image& image) {
  return image.visibility() == Image::PUBLIC ? "public" : "private";
}

// "IMPORTING 45 %".
Cell image_state(const Image& image) {
  const Cell state = state_cell(image.state());
  const bool known = image.expected_bytes() > 0 && image.received_bytes() <= image.expected_bytes();
  if (image.state() != Image::IMPORTING || !known) return state;
  const double share =
      static_cast<double>(image.received_bytes()) / static_cast<double>(image.expected_bytes());
  return Cell(fmt::format("{} {} %", state.text(), static_cast<int>(100 * share)));
}

// "45 MiB of 100 MiB"; empty when nothing is being imported.
std::string progress_text(const Image& image) {
  if (image.state() != Image::IMPORTING) return "";
  const std::string received = to_string(Bytes(image.received_bytes()));
  if (image.expected_bytes() == 0) return received;
  return received + " of " + to_string(Bytes(image.expected_bytes()));
}

// What a provider's public image should tell and this one does not.
std::string lacking_text(const Image& image) {
  if (image.visibility() != Image::PUBLIC) return "";
  const Labels properties(image.properties().begin(), image.properties().end());
  return fmt::format("{}", fmt::join(missing_image_properties(properties), ", "));
}

std::string firmware_name(const Image& image) {
  return image.firmware() == Image::UEFI ? "uefi" : "bios";
}

}  // namespace

Columns<Image> image_columns(const Context& context, bool with_project) {
  const WallTime now = context.now().wall;
  Columns<Image> columns;
  if (with_project) {
    columns.push_back(
        {"PROJECT", Shown::kAlways, [](const Image& i) { return Cell(project_of(i.name())); }});
  }
  const Columns<Image> rest = {
      {"NAME", Shown::kAlways, [](const Image& i) { return Cell(id_of(i.name())); }},
      {"STATE", Shown::kAlways, image_state},
      {"VISIBILITY", Shown::kAlways, [](const Image& i) { return Cell(visibility_name(i)); }},
      {"FORMAT", Shown::kAlways, [](const Image& i) { return Cell(format_name(i)); }},
      {"SIZE", Shown::kAlways, [](const Image& i) { return Cell(bytes_text(i.size_bytes())); }},
      {"DISK", Shown::kAlways, [](const Image& i) { return Cell(bytes_text(i.virtual_bytes())); }},
      {"AGE", Shown::kAlways, [now](const Image& i) { return Cell(age(i.create_time(), now)); }},
      {"FIRMWARE", Shown::kWide, [](const Image& i) { return Cell(firmware_name(i)); }},
      {"SHA256", Shown::kWide, [](const Image& i) { return Cell(i.sha256()); }},
      {"ETAG", Shown::kWide, [](const Image& i) { return Cell(i.etag()); }},
      {"UID", Shown::kWide, [](const Image& i) { return Cell(i.uid()); }},
  };
  columns.insert(columns.end(), rest.begin(), rest.end());
  return columns;
}

KeyValues image_details(const Image& image, WallTime now) {
  KeyValues details = {
      {"Name", id_of(image.name())},
      {"Project", project_of(image.name())},
      {"State", image_state(image)},
      {"Visibility", visibility_name(image)},
      {"Format", format_name(image)},
      {"Firmware", firmware_name(image)},
      {"File size", bytes_text(image.size_bytes())},
      {"Virtual size", bytes_text(image.virtual_bytes())},
      {"Minimum disk", bytes_text(image.min_disk_bytes())},
      {"Minimum memory", bytes_text(image.min_memory_bytes())},
      {"SHA-256", image.sha256()},
      {"Labels", labels_text(image.labels())},
      {"Properties", labels_text(image.properties())},
      {"Created", time_and_age(image.create_time(), now)},
      {"UID", image.uid()},
      {"Etag", image.etag()},
  };
  const auto add = [&](const char* key, const std::string& text) {
    if (!text.empty()) details.push_back({key, text});
  };
  add("Source", image.source_url());
  add("Received", progress_text(image));
  add("Failure", image.failure());
  add("SCS-0102 lacks", lacking_text(image));
  return details;
}

}  // namespace stellwerk::cli
