#include "api/cli/exit_code.h"

#include "api/client/error.h"

namespace stellwerk::cli {

std::string_view meaning_of(ExitCode code) {
  switch (code) {
    case ExitCode::kOk:
      return "done";
    case ExitCode::kFailed:
      return "the request was refused or failed";
    case ExitCode::kUsage:
      return "the command line is wrong; nothing was sent";
    case ExitCode::kNotFound:
      return "not found";
    case ExitCode::kConflict:
      return "conflict: it exists already, or has changed meanwhile";
    case ExitCode::kNoDaemon:
      return "no connection to the daemon, or no answer from it";
    case ExitCode::kTimedOut:
      return "--wait gave up; the work goes on";
    case ExitCode::kNoCapacity:
      return "no capacity, or no host is connected";
    case ExitCode::kOverLimit:
      return "the project's limits do not allow it";
  }
  return "";
}

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
