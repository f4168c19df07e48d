// What scripts can rely on: the process's exit status.
#pragma once

#include "core/status.h"

namespace stellwerk::cli {

enum class ExitCode : int {
  kOk = 0,
  kFailed = 1,
  kUsage = 2,
  kNotFound = 3,
  kConflict = 4,
  kNoDaemon = 5,
  kTimedOut = 6,
  kNoCapacity = 7,
  kOverLimit = 8,
};
// For the help and the manual page; empty above the last code.
std::string_view meaning_of(ExitCode code);

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
