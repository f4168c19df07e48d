#include "api/convert/reading.h"

#include <algorithm>

#include "core/validate.h"

namespace stellwerk::convert {
namespace {

constexpr int64_t kDefaultPage = 100;
constexpr size_t kLongestPageToken = 512;
constexpr size_t kMostDigits = 20;  // of a 64-bit number

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// As a 64-bit number is written: digits without a leading zero.
bool is_number(std::string_view text) {
  return !text.empty() && text.size() <= kMostDigits && !text.starts_with('0') &&
         std::all_of(text.begin(), text.end(), is_digit);
}

}  // namespace

void RequestReader::add(std::string_view field, std::string_view problem) {
  violations_.push_back({std::string(field), std::string(problem)});
}

void RequestReader::add(std::string_view field, const absl::Status& mistake) {
  add(field, message_of(mistake));
  if (const auto reason = reason_of(mistake)) reason_ = reason;
}

void RequestReader::add_if(std::string_view field, const std::optional<std::string>& problem) {
  if (problem) add(field, *problem);
}

ResourceName RequestReader::name(std::string_view field, std::string_view text, ResourceKind kind) {
  absl::StatusOr<ResourceName> name = parse_name(text, kind);
  if (name.ok()) return *std::move(name);
  add(field, message_of(name.status()));
  return {.kind = kind, .project = {}, .id = {}};
}

std::string RequestReader::parent(std::string_view field, std::string_view text) {
  return name(field, text, ResourceKind::kProject).id;
}

std::string RequestReader::parent_or_all(std::string_view field, std::string_view text) {
  return text == "projects/-" ? "-" : parent(field, text);
}

std::string RequestReader::label_id(std::string_view field, std::string_view text) {
  if (const Problem problem = check_dns_label(text)) {
    add(field, *problem);
    return {};
  }
  return std::string(text);
}

int64_t RequestReader::amount(const IntegerField& integer) {
  if (integer.value >= 0 && integer.value <= integer.most) return integer.value;
  add(integer.field, fmt::format("{} is out of range; give 0 to {}", integer.value, integer.most));
  return 0;
}

Bytes RequestReader::size(std::string_view field, int64_t bytes) {
  return Bytes(amount({.field = field, .value = bytes, .most = kMostBytes.count()}));
}

std::string RequestReader::etag(std::string_view text) {
  const size_t dash = text.find('-');
  const bool one = is_number(text.substr(0, dash));
  if (text.empty() || (one && (dash == text.npos || is_number(text.substr(dash + 1))))) {
    return std::string(text);
  }
  add("etag", fmt::format("{} is not an etag of this server; give the resource's etag as it was "
                          "read, or none",
                          quoted(text)));
  return {};
}

RequestId RequestReader::request_id(std::string_view text, const RequestId& fallback) {
  if (text.empty()) return fallback;
  const std::optional<RequestId> id = RequestId::parse(text);
  if (id && !id->is_nil()) return *id;
  add("request_id", fmt::format("{} is not a UUID; give a random one such as "
                                "\"7c0e1f9a-2b44-4d8e-9d0c-6f5c8f0a1b2c\", or none",
                                quoted(text)));
  return fallback;
}

int64_t RequestReader::page_size(int32_t asked) {
  if (asked < 0) {
    add("page_size", fmt::format("{} is negative; give 1 to {}, or 0 for {}", asked, kLargestPage,
                                 kDefaultPage));
  }
  return asked <= 0 ? kDefaultPage : std::min<int64_t>(asked, kLargestPage);
}

std::string RequestReader::page_token(const std::string& text) {
  if (!check_display_text(text, kLongestPageToken)) return text;
  add("page_token", fmt::format("{} is not a token of this server; give next_page_token of the "
                                "page before, or none",
                                quoted(text)));
  return {};
}

std::optional<Sha256> RequestReader::digest(std::string_view field, std::string_view hex) {
  if (hex.empty()) return std::nullopt;
  Sha256 digest{};
  bool good = hex.size() == 2 * digest.size();
  for (size_t i = 0; good && i < digest.size(); ++i) {
    const int high = hex_value(hex[2 * i]);
    const int low = hex_value(hex[2 * i + 1]);
    good = high >= 0 && low >= 0;
    if (good) digest[i] = static_cast<uint8_t>(high << 4 | low);
  }
  if (good) return digest;
  add(field, fmt::format("{} is not a SHA-256 digest; give 64 lower-case hexadecimal digits, or "
                         "none",
                         quoted(hex)));
  return std::nullopt;
}

Labels RequestReader::checked_labels(std::string_view field, Labels labels) {
  if (labels.size() > kMostLabels) {
    add(field, fmt::format("has {} labels; give at most {}", labels.size(), kMostLabels));
    return {};
  }
  std::erase_if(labels, [&](const auto& label) {
    const Problem problem = check_label(label.first, label.second);
    if (problem) add(fmt::format("{}[{}]", field, quoted(label.first)), *problem);
    return problem.has_value();
  });
  return labels;
}

absl::Status RequestReader::status() const {
  if (violations_.empty()) return absl::OkStatus();
  absl::Status status = invalid_fields(violations_);
  return reason_ ? with_reason(std::move(status), *reason_) : status;
}

}  // namespace stellwerk::convert
