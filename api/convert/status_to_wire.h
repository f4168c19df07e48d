// Our statuses as gRPC's, with google.rpc.Status as the detail: ErrorInfo always, BadRequest where
// fields are wrong. A client with gRPC's default limit of 8 KiB for metadata can read every one.
#pragma once

#include <grpcpp/support/status.h>

#include <string>
#include <string_view>

#include "core/status.h"

namespace stellwerk::convert {

inline constexpr std::string_view kErrorDomain = "stellwerk";

// Mistakes that do not fit are counted in a last violation; what is not UTF-8 is replaced by '?'.
grpc::Status to_wire(const absl::Status& status);

// The violations of `status` under `prefix`: "image_id" becomes "spec.image_id".
absl::Status nest_fields(const absl::Status& status, std::string_view prefix);

}  // namespace stellwerk::convert
