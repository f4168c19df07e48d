// gRPC's errors as absl::Status: code and message, ErrorInfo.reason as core's reason,
// BadRequest's violations as core's violations. Pure, thread-safe.
#pragma once

#include <grpcpp/support/status.h>

#include "core/status.h"

namespace stellwerk::client {

// Nothing in the result steers a terminal: texts are escaped by `printable`.
absl::Status from_grpc(const grpc::Status& status);

// A reason with UNAVAILABLE that is worth further attempts, yet an answer: nothing was done.
inline constexpr char kNoHostConnected[] = "NO_HOST_CONNECTED";

// DEADLINE_EXCEEDED of our own clock. The daemon's own (of an import, say) carries a reason.
bool is_unanswered_in_time(const absl::Status& status);

// Marks an error after which nobody knows whether the request was carried out.
absl::Status with_outcome_unknown(absl::Status status);
bool is_outcome_unknown(const absl::Status& status);

}  // namespace stellwerk::client
