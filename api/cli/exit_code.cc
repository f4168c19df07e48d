#include "api/cli/exit_code.h"

#include "api/client/error.h"

namespace stellwerk::cli {

bool is_limit_of_daemon(const absl::Status& status) {
  const auto reason = reason_of(status);
  return reason == kAnswerTooLargeReason || reason == kTooManyRequestsReason ||
         reason == kTooManyStreamsReason;
}

ExitCode exit_code_of(const absl::Status& status) {
  const auto reason = reason_of(status);
  if (reason == kUsageReason) return ExitCode::kUsage;
  if (reason == kWaitTimedOutReason) return ExitCode::kTimedOut;
  if (reason == kQuotaExceededReason) return ExitCode::kOverLimit;
  if (reason == client::kNoHostConnected) return ExitCode::kNoCapacity;
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return ExitCode::kOk;
    case absl::StatusCode::kNotFound:
      return ExitCode::kNotFound;
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kAborted:
      return ExitCode::kConflict;
    case absl::StatusCode::kUnavailable:
      return ExitCode::kNoDaemon;
    case absl::StatusCode::kDeadlineExceeded:
      return client::is_unanswered_in_time(status) ? ExitCode::kNoDaemon : ExitCode::kFailed;
    case absl::StatusCode::kResourceExhausted:
      return is_limit_of_daemon(status) ? ExitCode::kFailed : ExitCode::kNoCapacity;
    default:  // the rest, and codes that are not known yet
      return ExitCode::kFailed;
  }
}

}  // namespace stellwerk::cli
