#include "api/client/error.h"

#include <absl/strings/cord.h>
#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>

#include "api/client/text.h"

namespace stellwerk::client {
namespace {

constexpr char kOutcomeUnknownUrl[] = "stellwerk/outcome-unknown";

std::vector<FieldViolation> violations_in(const google::rpc::BadRequest& bad_request) {
  std::vector<FieldViolation> violations;
  for (const auto& violation : bad_request.field_violations()) {
    violations.push_back({printable(violation.field()), printable(violation.description())});
  }
  return violations;
}

}  // namespace

absl::Status from_grpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  absl::Status result = make_status(static_cast<absl::StatusCode>(status.error_code()),
                                    printable(status.error_message()));
  google::rpc::Status rich;
  if (!rich.ParseFromString(status.error_details())) return result;
  std::string reason;
  for (const google::protobuf::Any& detail : rich.details()) {
    google::rpc::ErrorInfo info;
    google::rpc::BadRequest bad_request;
    if (detail.UnpackTo(&info)) reason = printable(info.reason());
    if (detail.UnpackTo(&bad_request) && bad_request.field_violations_size() > 0) {
      invalid_fields(violations_in(bad_request))
          .ForEachPayload([&result](absl::string_view url, const absl::Cord& payload) {
            result.SetPayload(url, payload);
          });
    }
  }
  return reason.empty() ? result : with_reason(std::move(result), reason);
}

bool is_unanswered_in_time(const absl::Status& status) {
  return absl::IsDeadlineExceeded(status) && !reason_of(status);
}

absl::Status with_outcome_unknown(absl::Status status) {
  status.SetPayload(kOutcomeUnknownUrl, absl::Cord("1"));
  return status;
}

bool is_outcome_unknown(const absl::Status& status) {
  return status.GetPayload(kOutcomeUnknownUrl).has_value();
}

}  // namespace stellwerk::client
