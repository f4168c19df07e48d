// What scripts can rely on: the process's exit status.
#pragma once

#include "core/status.h"

namespace stellwerk::cli {

enum class ExitCode : int {
  kOk = 0,
  kFailed = 1,  // the request was refused or failed
  kUsage = 2,   // the command line is wrong; nothing was sent
  kNotFound = 3,
  kConflict = 4,    // already exists, or changed meanwhile
  kNoDaemon = 5,    // no connection to the daemon, or no answer from it
  kTimedOut = 6,    // --wait gave up; the work goes on
  kNoCapacity = 7,  // no host takes it, or none is connected
  kOverLimit = 8,   // the project's limits do not allow it
};

// Reasons that the CLI itself gives to statuses.
inline constexpr char kUsageReason[] = "USAGE";
inline constexpr char kWaitTimedOutReason[] = "WAIT_TIMED_OUT";

template <class... Args>
absl::Status usage_error(fmt::format_string<Args...> text, Args&&... args) {
  return with_reason(invalid_argument(text, std::forward<Args>(args)...), kUsageReason);
}

// Reasons of the daemon's own limits: RESOURCE_EXHAUSTED, but no lack of hosts.
inline constexpr char kAnswerTooLargeReason[] = "ANSWER_TOO_LARGE";
inline constexpr char kTooManyRequestsReason[] = "TOO_MANY_REQUESTS";
inline constexpr char kTooManyStreamsReason[] = "TOO_MANY_STREAMS";
inline constexpr char kQuotaExceededReason[] = "QUOTA_EXCEEDED";
bool is_limit_of_daemon(const absl::Status& status);

ExitCode exit_code_of(const absl::Status& status);

}  // namespace stellwerk::cli
