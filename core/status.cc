#include "core/status.h"

#include <absl/strings/cord.h>

#include <algorithm>
#include <cassert>

namespace stellwerk {
namespace {

constexpr char kReasonUrl[] = "stellwerk/reason";
constexpr char kViolationsUrl[] = "stellwerk/violations";
// Field paths and descriptions are escaped before they get here (see validate.h), so neither
// separator can occur in them.
constexpr char kBetweenParts = '\x1f';
constexpr char kAfterViolation = '\x1e';

}  // namespace

absl::Status annotate(const absl::Status& status, std::string_view context) {
  if (status.ok()) return status;
  absl::Status result =
      make_status(status.code(), fmt::format("{}: {}", context, message_of(status)));
  status.ForEachPayload([&result](absl::string_view url, const absl::Cord& payload) {
    result.SetPayload(url, payload);
  });
  return result;
}

void add_once(std::vector<FieldViolation>& violations, std::string field, std::string description) {
  const bool known =
      std::any_of(violations.begin(), violations.end(),
                  [&field](const FieldViolation& violation) { return violation.field == field; });
  if (!known) violations.push_back({std::move(field), std::move(description)});
}

absl::Status invalid_fields(const std::vector<FieldViolation>& violations) {
  assert(!violations.empty());
  std::string message;
  std::string payload;
  for (const FieldViolation& violation : violations) {
    if (!message.empty()) message += "; ";
    message += violation.field + ": " + violation.description;
    payload += violation.field + kBetweenParts + violation.description + kAfterViolation;
  }
  absl::Status status = make_status(absl::StatusCode::kInvalidArgument, message);
  status.SetPayload(kViolationsUrl, absl::Cord(payload));
  return with_reason(std::move(status), "INVALID_FIELDS");
}

std::vector<FieldViolation> violations_of(const absl::Status& status) {
  std::vector<FieldViolation> violations;
  const auto payload = status.GetPayload(kViolationsUrl);
  if (!payload) return violations;
  const std::string text(*payload);
  for (size_t begin = 0; begin < text.size();) {
    const size_t middle = text.find(kBetweenParts, begin);
    const size_t end = text.find(kAfterViolation, begin);
    if (middle == std::string::npos || end == std::string::npos) break;
    violations.push_back(
        {text.substr(begin, middle - begin), text.substr(middle + 1, end - middle - 1)});
    begin = end + 1;
  }
  return violations;
}

absl::Status with_reason(absl::Status status, std::string_view reason) {
  status.SetPayload(kReasonUrl, absl::Cord(to_absl(reason)));
  return status;
}

std::optional<std::string> reason_of(const absl::Status& status) {
  const auto payload = status.GetPayload(kReasonUrl);
  if (!payload) return std::nullopt;
  return std::string(*payload);
}

absl::Status in_field(const absl::Status& status, std::string_view field) {
  absl::Status result = invalid_fields({{std::string(field), std::string(message_of(status))}});
  if (const auto reason = reason_of(status)) return with_reason(std::move(result), *reason);
  return result;
}

std::string describe(const absl::Status& status) {
  if (status.ok()) return "OK";
  return fmt::format("{}: {}", absl::StatusCodeToString(status.code()), message_of(status));
}

}  // namespace stellwerk
