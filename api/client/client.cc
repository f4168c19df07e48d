#include "api/client/client.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <algorithm>
#include <thread>

#include "api/client/error.h"

namespace stellwerk::client {
namespace {

// Answers and errors are sent small enough for gRPC's default limits.
std::shared_ptr<grpc::Channel> make_channel(const Endpoint& endpoint) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  // Despite its name the time that one connection attempt may take; a daemon under load is slow to
  // greet.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5'000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 500);
  return grpc::CreateCustomChannel(endpoint.grpc_target(), grpc::InsecureChannelCredentials(),
                                   arguments);
}

bool is_in_vain(const absl::Status& status) {
  const auto reason = reason_of(status);
  return reason == kSocketDenied || reason == kNotASocket;
}

}  // namespace

std::chrono::system_clock::time_point deadline_in(Duration duration) {
  return SystemClock().now().wall + duration;
}

Client::Client(Endpoint endpoint, CallPolicy policy)
    : endpoint_(std::move(endpoint)),
      policy_(policy),
      channel_(make_channel(endpoint_)),
      stubs_(v1::Instances::NewStub(channel_), v1::Images::NewStub(channel_),
             v1::Flavors::NewStub(channel_), v1::Hosts::NewStub(channel_),
             v1::Networks::NewStub(channel_), v1::Projects::NewStub(channel_),
             v1::Events::NewStub(channel_), v1::Consoles::NewStub(channel_),
             v1::Topology::NewStub(channel_), v1::Groups::NewStub(channel_)) {}

absl::Status Client::attempt(Duration deadline,
                             const std::function<grpc::Status(grpc::ClientContext&)>& once,
                             const std::function<bool()>& again) {
  const SystemClock clock;
  const MonotonicTime end = clock.now().monotonic + deadline;
  Duration pause = policy_.first_pause;
  bool sent = false;
  absl::Status status;
  for (int tried = 1;; ++tried) {
    status = connect(end);
    if (status.ok()) {
      grpc::ClientContext context;
      context.set_deadline(deadline_in(end - clock.now().monotonic));
      sent = true;
      status = from_grpc(once(context));
    }
    if (!absl::IsUnavailable(status) || is_in_vain(status)) break;
    if (tried >= policy_.attempts || clock.now().monotonic + pause >= end) break;
    if (sent && !again()) break;
    std::this_thread::sleep_for(pause);
    pause *= 2;
  }
  if (status.ok()) return status;
  status = explain(std::move(status));
  const bool unanswered = (absl::IsUnavailable(status) && reason_of(status) != kNoHostConnected) ||
                          is_unanswered_in_time(status);
  return sent && unanswered ? with_outcome_unknown(std::move(status)) : status;
}

absl::Status Client::connect(MonotonicTime end) {
  const SystemClock clock;
  if (const auto problem = socket_file_problem(endpoint_)) return *problem;
  for (;;) {
    const grpc_connectivity_state state = channel_->GetState(true);
    if (state == GRPC_CHANNEL_READY) return absl::OkStatus();
    if (state == GRPC_CHANNEL_TRANSIENT_FAILURE || state == GRPC_CHANNEL_SHUTDOWN) {
      return unavailable("no connection");
    }
    const Duration left = end - clock.now().monotonic;
    if (!channel_->WaitForStateChange(state, deadline_in(left))) {
      return deadline_exceeded("no connection");
    }
  }
}

absl::Status Client::explain(absl::Status status) const {
  if (is_unanswered_in_time(status)) {
    return deadline_exceeded("the daemon at {} did not answer in time", endpoint_.socket_path);
  }
  if (!absl::IsUnavailable(status) || reason_of(status)) return status;
  if (const auto problem = socket_problem(endpoint_)) return *problem;
  return annotate(status, fmt::format("the daemon at {} does not answer", endpoint_.socket_path));
}

}  // namespace stellwerk::client
