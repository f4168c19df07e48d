#include "api/cli/format.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/cpu_list.h"
#include "core/units.h"

namespace stellwerk::cli {
namespace {

// "DEDICATED_CORE" becomes "dedicated-core".
std::string in_words(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](char c) {
    if (c == '_') return '-';
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  return name;
}

std::string name_or_number(const std::string& name, int number) {
  return name.empty() ? fmt::format("{}", number) : name;
}

}  // namespace

std::string id_of(std::string_view name) {
  return std::string(name.substr(name.rfind('/') + 1));
}

std::string project_of(std::string_view name) {
  constexpr std::string_view kPrefix = "projects/";
  if (!name.starts_with(kPrefix)) return "";
  name.remove_prefix(kPrefix.size());
  return std::string(name.substr(0, name.find('/')));
}

std::string full_name(std::string_view prefix, std::string_view id_or_name) {
  const std::string_view collection = prefix.substr(0, prefix.find('/') + 1);
  if (id_or_name.starts_with(collection)) return std::string(id_or_name);
  return fmt::format("{}{}", prefix, id_or_name);
}

WallTime wall_time(const google::protobuf::Timestamp& time) {
  // What a Timestamp may hold: the years 1 to 9999.
  const int64_t seconds = std::clamp<int64_t>(time.seconds(), -62'135'596'800, 253'402'300'799);
  return WallTime(std::chrono::seconds(seconds)) +
         std::chrono::duration_cast<Duration>(std::chrono::nanoseconds(time.nanos()));
}

std::string age(const google::protobuf::Timestamp& time, WallTime now) {
  if (time.seconds() == 0 && time.nanos() == 0) return "";
  return to_short_string(std::max(now - wall_time(time), Duration::zero()));
}

std::string time_and_age(const google::protobuf::Timestamp& time, WallTime now) {
  const std::string ago = age(time, now);
  if (ago.empty()) return "";
  return fmt::format("{} ({} ago)", to_rfc3339(wall_time(time)), ago);
}

std::string bytes_text(int64_t bytes) {
  return bytes == 0 ? "" : to_string(Bytes(bytes));
}

std::string labels_text(const google::protobuf::Map<std::string, std::string>& labels) {
  const std::map<std::string, std::string> ordered(labels.begin(), labels.end());
  std::string text;
  for (const auto& [key, value] : ordered) {
    text += fmt::format("{}{}={}", text.empty() ? "" : ", ", key, value);
  }
  return text;
}

std::string phase_name(v1::Instance::Phase phase) {
  constexpr std::string_view kPrefix = "PHASE_";
  const std::string name = name_or_number(v1::Instance::Phase_Name(phase), phase);
  return name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : name;
}

Cell phase_cell(v1::Instance::Phase phase) {
  const std::string name = phase_name(phase);
  switch (phase) {
    case v1::Instance::PHASE_RUNNING:
      return {name, Style::kGood};
    case v1::Instance::PHASE_CRASHED:
    case v1::Instance::PHASE_UNKNOWN:
      return {name, Style::kBad};
    case v1::Instance::PHASE_STOPPED:
      return {name, Style::kFaint};
    default:  // on the way somewhere
      return {name, Style::kBusy};
  }
}

Cell state_cell(v1::Image::State state) {
  const std::string name = name_or_number(v1::Image::State_Name(state), state);
  if (state == v1::Image::FAILED) return {name, Style::kBad};
  return {name, state == v1::Image::ACTIVE ? Style::kGood : Style::kBusy};
}

Cell state_cell(v1::Host::State state) {
  const std::string name = name_or_number(v1::Host::State_Name(state), state);
  return {name, state == v1::Host::READY ? Style::kGood : Style::kBad};
}

std::string cpus_text(const google::protobuf::RepeatedField<int32_t>& cpus) {
  std::vector<int32_t> sorted(cpus.begin(), cpus.end());
  std::sort(sorted.begin(), sorted.end());
  return cpu_list_text(sorted);
}

std::string class_name(v1::Flavor::CpuClass value) {
  return in_words(name_or_number(v1::Flavor::CpuClass_Name(value), value));
}

std::string disks_text(const v1::Flavor& flavor) {
  if (!flavor.has_disks()) return "";
  const v1::Flavor::Disks& disks = flavor.disks();
  // Flavors count disks in units of 10^9 bytes, as SCS does.
  std::string text = disks.size_bytes() == 0
                         ? std::string("any size")
                         : fmt::format("{} GB", disks.size_bytes() / 1'000'000'000);
  if (disks.size_bytes() % 1'000'000'000 != 0) text = bytes_text(disks.size_bytes());
  if (disks.count() > 1) text = fmt::format("{} x {}", disks.count(), text);
  if (disks.type() != v1::Flavor::DISK_TYPE_UNSPECIFIED) {
    text += " " + in_words(name_or_number(v1::Flavor::DiskType_Name(disks.type()), disks.type()));
  }
  return text;
}

}  // namespace stellwerk::cli
