#include <algorithm>
#include <memory>

#include "api/cli/commands.h"
#include "api/cli/format.h"
#include "api/cli/import.h"
#include "api/cli/options.h"
#include "api/cli/pages.h"
#include "api/cli/print.h"
#include "core/validate.h"

namespace stellwerk::cli {
namespace {

using v1::Image;
using v1::Images;

struct ImportOptions {
  std::string id;
  std::string path;
  std::string sha256;
  std::string firmware = "bios";
  std::string min_disk;
  std::string min_memory;
  std::vector<std::string> labels;
  MutationOptions mutation;
};

std::string image_name(const Context& context, std::string_view id) {
  return full_name(project_name(context) + "/images/", id);
}

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

std::string firmware_name(const Image& image) {
  return image.firmware() == Image::UEFI ? "uefi" : "bios";
}

Columns<Image> image_columns(const Context& context) {
  const WallTime now = context.now().wall;
  Columns<Image> columns;
  if (context.project == "-") {
    columns.push_back(
        {"PROJECT", Shown::kAlways, [](const Image& i) { return Cell(project_of(i.name())); }});
  }
  const Columns<Image> rest = {
      {"NAME", Shown::kAlways, [](const Image& i) { return Cell(id_of(i.name())); }},
      {"STATE", Shown::kAlways, [](const Image& i) { return state_cell(i.state()); }},
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
  return {
      {"Name", id_of(image.name())},
      {"Project", project_of(image.name())},
      {"State", state_cell(image.state())},
      {"Format", format_name(image)},
      {"Firmware", firmware_name(image)},
      {"File size", bytes_text(image.size_bytes())},
      {"Virtual size", bytes_text(image.virtual_bytes())},
      {"Minimum disk", bytes_text(image.min_disk_bytes())},
      {"Minimum memory", bytes_text(image.min_memory_bytes())},
      {"SHA-256", image.sha256()},
      {"Labels", labels_text(image.labels())},
      {"Created", time_and_age(image.create_time(), now)},
      {"UID", image.uid()},
      {"Etag", image.etag()},
  };
}

absl::Status import(Context& context, const ImportOptions& options) {
  v1::ImportImageRequest::Spec spec;
  spec.set_parent(project_name(context));
  spec.set_image_id(options.id);
  Image& image = *spec.mutable_image();
  image.set_firmware(options.firmware == "uefi" ? Image::UEFI : Image::BIOS);
  image.set_min_disk_bytes(bytes_of(options.min_disk));
  image.set_min_memory_bytes(bytes_of(options.min_memory));
  copy_labels(options.labels, *image.mutable_labels());
  spec.set_sha256(options.sha256);
  std::transform(spec.sha256().begin(), spec.sha256().end(), spec.mutable_sha256()->begin(),
                 [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c; });
  spec.set_request_id(claim_request_id(context, options.mutation));
  SW_ASSIGN_OR_RETURN(const Image imported, import_image(context, options.path, std::move(spec)));
  print_one(context, imported, image_columns(context));
  return absl::OkStatus();
}

absl::Status list_images(Context& context) {
  v1::ListImagesRequest request;
  request.set_parent(project_name(context));
  std::vector<Image> images;
  SW_RETURN_IF_ERROR(
      for_each_page(context, &Images::Stub::ListImages, request, [&](v1::ListImagesResponse& page) {
        for (Image& image : *page.mutable_images()) images.push_back(std::move(image));
      }));
  print_list(context, images, image_columns(context));
  return absl::OkStatus();
}

absl::Status show_image(Context& context, const std::string& id) {
  v1::GetImageRequest request;
  request.set_name(image_name(context, id));
  SW_ASSIGN_OR_RETURN(const Image image, context.client.call(&Images::Stub::GetImage, request));
  print_details(context, image, image_details(image, context.now().wall));
  return absl::OkStatus();
}

absl::Status delete_image(Context& context, const std::string& id, const MutationOptions& options) {
  v1::DeleteImageRequest request;
  request.set_name(image_name(context, id));
  request.set_etag(options.etag);
  request.set_request_id(claim_request_id(context, options));
  SW_ASSIGN_OR_RETURN(const Image image, context.client.call(&Images::Stub::DeleteImage, request));
  print_deleted(context, image, fmt::format("image {} is being deleted", id_of(image.name())));
  return absl::OkStatus();
}

std::string check_sha256(const std::string& text) {
  const bool hex = std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  });
  if (hex && text.size() == 64) return "";
  return fmt::format("{} is not a SHA-256 sum, which has 64 hexadecimal digits",
                     stellwerk::quoted(text));
}

void add_import(CLI::App* noun, Command& chosen) {
  CLI::App* verb =
      add_verb(noun, {"import", "Send a disk image (raw or qcow2) to the cell",
                      "stellwerk image import debian-12 ./debian-12.qcow2 --min-memory 512MiB"});
  auto options = std::make_shared<ImportOptions>();
  verb->add_option("NAME", options->id, "A DNS label, unique in the project")->required();
  verb->add_option("FILE", options->path, "The file; - for standard input")->required();
  verb->add_option("--sha256", options->sha256, "Refuse the file if its sum is another")
      ->type_name("HEX")
      ->check(CLI::Validator(check_sha256, ""));
  verb->add_option("--firmware", options->firmware, "What boots it")
      ->capture_default_str()
      ->check(CLI::IsMember({"bios", "uefi"}));
  add_size(verb, "--min-disk", options->min_disk, "Smallest boot disk that it works on");
  add_size(verb, "--min-memory", options->min_memory, "Least memory that it works with");
  add_labels(verb, options->labels);
  add_request_id(verb, options->mutation);
  verb->callback([options, &chosen] {
    chosen = [options](Context& context) { return import(context, *options); };
  });
}

}  // namespace

void add_image_commands(CLI::App& app, Command& chosen) {
  CLI::App* noun = add_noun(app, "image", "What instances boot from");
  add_import(noun, chosen);
  CLI::App* list = add_verb(
      noun, {"list", "List the project's images; --project - lists all", "stellwerk image list"});
  list->callback([&chosen] { chosen = list_images; });
  auto id = std::make_shared<std::string>();
  CLI::App* show = add_verb(noun, {"show", "Show one image", "stellwerk image show debian-12"});
  show->add_option("NAME", *id, "The image")->required();
  show->callback(
      [id, &chosen] { chosen = [id](Context& context) { return show_image(context, *id); }; });
  CLI::App* remove = add_verb(noun, {"delete", "Delete an image that no instance was made from",
                                     "stellwerk image delete debian-12"});
  auto options = std::make_shared<MutationOptions>();
  remove->add_option("NAME", *id, "The image")->required();
  add_etag(remove, *options);
  add_request_id(remove, *options);
  remove->callback([id, options, &chosen] {
    chosen = [id, options](Context& context) { return delete_image(context, *id, *options); };
  });
}

}  // namespace stellwerk::cli
