#include "core/image_properties.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <initializer_list>
#include <map>
#include <optional>

#include "core/parse_number.h"

namespace stellwerk {
namespace {

using Check = Problem (*)(std::string_view value);

constexpr size_t kLongestText = 500;
constexpr size_t kLongestWord = 63;
constexpr int64_t kMostHours = 24 * 365;

Problem one_of(std::string_view value, std::initializer_list<std::string_view> choices) {
  if (std::find(choices.begin(), choices.end(), value) != choices.end()) return std::nullopt;
  return fmt::format("{} is none of: {}", quoted(value), fmt::join(choices, ", "));
}

// "2026-11-23", a day that exists.
bool is_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  const auto year = parse_number<uint16_t>(text.substr(0, 4));
  const auto month = parse_number<uint8_t>(text.substr(5, 2));
  const auto day = parse_number<uint8_t>(text.substr(8, 2));
  if (!year || !month || !day) return false;
  return std::chrono::year_month_day(std::chrono::year(*year), std::chrono::month(*month),
                                     std::chrono::day(*day))
      .ok();
}

// "hh:mm" or "hh:mm:ss".
bool is_time(std::string_view text) {
  if (text.size() != 5 && text.size() != 8) return false;
  for (size_t at = 0; at < text.size(); at += 3) {
    const auto number = parse_number<uint8_t>(text.substr(at, 2));
    if (!number || *number >= (at == 0 ? 24 : 60)) return false;
    if (at + 2 < text.size() && text[at + 2] != ':') return false;
  }
  return true;
}

Problem check_architecture(std::string_view value) {
  if (value == "x86_64") return std::nullopt;
  return fmt::format("{} cannot run here: the hosts are x86_64", quoted(value));
}

Problem check_disk_bus(std::string_view value) {
  if (value == "virtio") return std::nullopt;
  if (const Problem unknown = one_of(value, {"scsi", "ide", "sata", "usb", "uml", "xen", "fdc"})) {
    return fmt::format("{} is no disk bus; give virtio", quoted(value));
  }
  return fmt::format(
      "{} is not offered here: instances get virtio disks; give virtio if the "
      "image has its driver",
      quoted(value));
}

// What OpenStack's os_distro has: a short lower-case word.
Problem check_word(std::string_view value) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  };
  const bool good = !value.empty() && value.size() <= kLongestWord &&
                    std::all_of(value.begin(), value.end(), fits);
  if (good) return std::nullopt;
  return fmt::format("{} is no such word; give 1 to {} of a-z, 0-9, '-', '.', '_'", quoted(value),
                     kLongestWord);
}

Problem check_version(std::string_view value) {
  if (value.empty()) return "is empty; give the version, such as 12 or 24.04";
  return check_display_text(value, kLongestWord);
}

Problem check_purpose(std::string_view value) {
  return one_of(value, {"generic", "minimal", "k8snode", "gpu", "network", "custom"});
}

Problem check_frequency(std::string_view value) {
  return one_of(value,
                {"yearly", "quarterly", "monthly", "weekly", "daily", "critical_bug", "never"});
}

Problem check_date(std::string_view value) {
  if (is_date(value)) return std::nullopt;
  return fmt::format("{} is no date; write YYYY-MM-DD", quoted(value));
}

Problem check_provided_until(std::string_view value) {
  if (value == "none" || value == "notice" || is_date(value)) return std::nullopt;
  return fmt::format("{} is none of: none, notice, a date YYYY-MM-DD", quoted(value));
}

Problem check_uuid_validity(std::string_view value) {
  if (value == "none" || value == "notice" || value == "forever" || is_date(value)) {
    return std::nullopt;
  }
  if (value.starts_with("last-")) {
    const auto count = parse_number<uint16_t>(value.substr(5));
    if (count && *count > 0) return std::nullopt;
  }
  return fmt::format("{} is none of: none, last-N, notice, forever, a date YYYY-MM-DD",
                     quoted(value));
}

Problem check_hours(std::string_view value) {
  const auto hours = parse_number<int64_t>(value);
  if (hours && *hours >= 0 && *hours <= kMostHours) return std::nullopt;
  return fmt::format("{} is no number of hours; give 0 to {}", quoted(value), kMostHours);
}

bool is_uri(std::string_view value) {
  const auto printable = [](char c) { return c > ' ' && c < 127; };
  const size_t colon = value.find(':');
  return colon != std::string_view::npos && colon > 0 && colon + 1 < value.size() &&
         value.size() <= kLongestText && std::all_of(value.begin(), value.end(), printable);
}

Problem check_source(std::string_view value) {
  const bool web = value.starts_with("https://") || value.starts_with("http://");
  if (value == "private" || (web && is_uri(value))) return std::nullopt;
  return fmt::format("{} is neither a URL nor the word private", quoted(value));
}

Problem check_uri(std::string_view value) {
  if (is_uri(value)) return std::nullopt;
  return fmt::format("{} is no URI, such as mailto:support@example.org", quoted(value));
}

Problem check_text(std::string_view value) {
  if (value.empty()) return "is empty; give a URL or a text";
  return check_display_text(value, kLongestText);
}

Problem check_build_date(std::string_view value) {
  const bool with_time = value.size() > 11 && value[10] == ' ' && is_time(value.substr(11));
  if (is_date(value) || (with_time && is_date(value.substr(0, 10)))) return std::nullopt;
  return fmt::format("{} is no date; write YYYY-MM-DD or YYYY-MM-DD hh:mm[:ss], in UTC",
                     quoted(value));
}

// As useradd takes it.
Problem check_user(std::string_view value) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  const bool good = !value.empty() && value.size() <= 32 && value[0] != '-' &&
                    std::all_of(value.begin(), value.end(), fits);
  if (good) return std::nullopt;
  return fmt::format("{} is no login name; give one, or none", quoted(value));
}

Problem check_boolean(std::string_view value) {
  return one_of(value, {"true", "false"});
}

// What the standard leaves to a field of the image's own.
Problem use_field(std::string_view) {
  return "has a field of its own, as bytes; set min_disk_bytes or min_memory_bytes";
}

const std::map<std::string_view, Check>& rules() {
  static const std::map<std::string_view, Check> all = {
      {"architecture", check_architecture},
      {"hotfix_hours", check_hours},
      {"hw_disk_bus", check_disk_bus},
      {"image_build_date", check_build_date},
      {"image_description", check_text},
      {"image_original_user", check_user},
      {"image_source", check_source},
      {"l1_support_contact", check_uri},
      {"license_included", check_boolean},
      {"license_required", check_boolean},
      {"maintained_until", check_date},
      {"os_distro", check_word},
      {"os_purpose", check_purpose},
      {"os_version", check_version},
      {"patchlevel", check_version},
      {"provided_until", check_provided_until},
      {"replace_frequency", check_frequency},
      {"subscription_included", check_boolean},
      {"subscription_required", check_boolean},
      {"uuid_validity", check_uuid_validity},
  };
  return all;
}

constexpr std::array<std::string_view, 11> kMandatoryProperties = {
    "architecture",      "os_version",       "os_distro",          "hw_disk_bus",
    "uuid_validity",     "provided_until",   "replace_frequency",  "image_source",
    "image_description", "image_build_date", "image_original_user"};

}  // namespace

Problem check_image_property(std::string_view key, std::string_view value) {
  if (key == "min_disk" || key == "min_ram") return use_field(value);
  const auto found = rules().find(key);
  if (found != rules().end()) return found->second(value);
  return fmt::format("is no property after SCS-0102; there are: {}",
                     fmt::join(known_image_properties(), ", "));
}

Problem check_image_properties(const Labels& properties) {
  const auto is_true = [&](const char* key) {
    const auto found = properties.find(key);
    return found != properties.end() && found->second == "true";
  };
  if (!is_true("license_included") || !is_true("license_required")) return std::nullopt;
  return "license_included and license_required cannot both be true";
}

std::vector<std::string_view> missing_image_properties(const Labels& properties) {
  std::vector<std::string_view> missing;
  for (const std::string_view key : kMandatoryProperties) {
    if (!properties.contains(std::string(key))) missing.push_back(key);
  }
  return missing;
}

const std::vector<std::string_view>& known_image_properties() {
  static const std::vector<std::string_view> known = [] {
    std::vector<std::string_view> keys;
    for (const auto& [key, check] : rules()) keys.push_back(key);
    return keys;
  }();
  return known;
}

}  // namespace stellwerk
