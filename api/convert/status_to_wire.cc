#include "api/convert/status_to_wire.h"

#include <google/protobuf/stubs/common.h>

#include <vector>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace stellwerk::convert {
namespace {

// The message goes over the wire twice (as gRPC's and within the details), and together with its
// keys everything must stay below 8 KiB.
constexpr size_t kLongestMessage = 2500;
constexpr size_t kLongestMessageWithFields = 800;
constexpr size_t kLongestDetails = 6000;
constexpr size_t kLongestReason = 63;

// Cut where it costs `limit` on the wire, on which gRPC writes all but printable ASCII as %NN.
std::string shorten(std::string_view text, size_t limit) {
  static constexpr std::string_view kCut = "…";
  size_t cost = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    const bool plain = text[at] >= ' ' && text[at] <= '~' && text[at] != '%';
    cost += plain ? 1 : 3;
    if (cost <= limit) continue;
    while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
    return std::string(text.substr(0, at)).append(kCut);
  }
  return std::string(text);
}

std::string valid_utf8(std::string_view text) {
  std::string scratch(text.size(), '\0');
  const char* valid = google::protobuf::internal::UTF8CoerceToStructurallyValid(
      {text.data(), text.size()}, scratch.data(), '?');
  return std::string(valid, text.size());
}

void add_violations(const std::vector<FieldViolation>& violations, google::rpc::Status* details) {
  google::rpc::BadRequest bad;
  size_t size = details->ByteSizeLong();
  size_t told = 0;
  for (const FieldViolation& violation : violations) {
    const std::string field = valid_utf8(violation.field);
    const std::string description = valid_utf8(violation.description);
    size += field.size() + description.size() + 8;
    if (size > kLongestDetails) break;
    auto* wire = bad.add_field_violations();
    wire->set_field(field);
    wire->set_description(description);
    ++told;
  }
  if (told < violations.size()) {
    auto* rest = bad.add_field_violations();
    rest->set_description(
        fmt::format("{} more mistakes; correct these first", violations.size() - told));
  }
  details->add_details()->PackFrom(bad);
}

}  // namespace

grpc::Status to_wire(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const std::vector<FieldViolation> violations = violations_of(status);
  const std::string message =
      shorten(valid_utf8(message_of(status)),
              violations.empty() ? kLongestMessage : kLongestMessageWithFields);

  google::rpc::Status details;
  details.set_code(static_cast<int>(status.code()));
  details.set_message(message);
  google::rpc::ErrorInfo info;
  const std::string reason = reason_of(status).value_or(absl::StatusCodeToString(status.code()));
  info.set_reason(valid_utf8(reason.substr(0, kLongestReason)));
  info.set_domain(std::string(kErrorDomain));
  details.add_details()->PackFrom(info);
  if (!violations.empty()) add_violations(violations, &details);
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), message,
                      details.SerializeAsString());
}

absl::Status nest_fields(const absl::Status& status, std::string_view prefix) {
  std::vector<FieldViolation> violations = violations_of(status);
  if (violations.empty()) return status;
  for (FieldViolation& violation : violations) {
    violation.field = fmt::format("{}.{}", prefix, violation.field);
  }
  absl::Status nested = invalid_fields(violations);
  if (const auto reason = reason_of(status)) nested = with_reason(nested, *reason);
  return nested;
}

}  // namespace stellwerk::convert
