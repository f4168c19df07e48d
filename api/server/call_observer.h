// Tells of every call that ends: which method, how, after how long.
#pragma once

#include <functional>
#include <string>

#include "core/status.h"
#include "core/time.h"

namespace grpc {
class ServerBuilder;
}

namespace stellwerk::server {

struct CallSeen {
  std::string method;  // "Instances/GetInstance"; "other" for what is not of this API
  absl::StatusCode code = absl::StatusCode::kOk;
  Duration took{};
};

// Called from gRPC's threads; must not block.
using CallObserver = std::function<void(const CallSeen&)>;

// Before the server is built. `clock` outlives the server.
void observe_calls(grpc::ServerBuilder& builder, CallObserver observer, const Clock& clock);

}  // namespace stellwerk::server
