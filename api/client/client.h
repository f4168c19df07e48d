// A connection to the daemon. Calls block, have one deadline over all their attempts, and are
// tried again after UNAVAILABLE, with back-off; a mutation carries its request id, so that it is
// carried out once however often it is sent. Thread-safe.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <functional>
#include <memory>
#include <tuple>

#include "api/client/endpoint.h"
#include "core/status.h"
#include "core/time.h"
#include "stellwerk/v1/consoles.grpc.pb.h"
#include "stellwerk/v1/events.grpc.pb.h"
#include "stellwerk/v1/flavors.grpc.pb.h"
#include "stellwerk/v1/groups.grpc.pb.h"
#include "stellwerk/v1/hosts.grpc.pb.h"
#include "stellwerk/v1/images.grpc.pb.h"
#include "stellwerk/v1/instances.grpc.pb.h"
#include "stellwerk/v1/networks.grpc.pb.h"
#include "stellwerk/v1/projects.grpc.pb.h"
#include "stellwerk/v1/topology.grpc.pb.h"

namespace stellwerk::client {

struct CallPolicy {
  Duration deadline = std::chrono::seconds(30);
  int attempts = 5;
  Duration first_pause = std::chrono::milliseconds(100);  // doubles with every attempt
};

class Client {
 public:
  // Connects with the first call.
  Client(Endpoint endpoint, CallPolicy policy);

  // client.call(&v1::Instances::Stub::GetInstance, request)
  template <class Stub, class Request, class Response>
  absl::StatusOr<Response> call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const Request& request) {
    return call_within(policy_.deadline, method, request);
  }

  template <class Stub, class Request, class Response>
  absl::StatusOr<Response> call_within(Duration deadline,
                                       grpc::Status (Stub::*method)(grpc::ClientContext*,
                                                                    const Request&, Response*),
                                       const Request& request) {
    Response response;
    const absl::Status status = attempt(deadline, [&](grpc::ClientContext& context) {
      response.Clear();
      return (stub<Stub>().*method)(&context, request, &response);
    });
    if (!status.ok()) return status;
    return response;
  }

  // Runs `once` until it answers anything but UNAVAILABLE, the attempts or the time are used up,
  // the socket shows that waiting is in vain, or `again`, which is asked before `once` is run
  // another time, says no. The contexts' deadline is set already.
  absl::Status attempt(
      Duration deadline, const std::function<grpc::Status(grpc::ClientContext&)>& once,
      const std::function<bool()>& again = [] { return true; });

  template <class Stub>
  Stub& stub() {
    return *std::get<std::unique_ptr<Stub>>(stubs_);
  }

  const Endpoint& endpoint() const { return endpoint_; }

 private:
  // Nothing is sent before this is OK.
  absl::Status connect(MonotonicTime end);
  absl::Status explain(absl::Status status) const;

  Endpoint endpoint_;
  CallPolicy policy_;
  std::shared_ptr<grpc::Channel> channel_;
  std::tuple<std::unique_ptr<v1::Instances::Stub>, std::unique_ptr<v1::Images::Stub>,
             std::unique_ptr<v1::Flavors::Stub>, std::unique_ptr<v1::Hosts::Stub>,
             std::unique_ptr<v1::Networks::Stub>, std::unique_ptr<v1::Projects::Stub>,
             std::unique_ptr<v1::Events::Stub>, std::unique_ptr<v1::Consoles::Stub>,
             std::unique_ptr<v1::Topology::Stub>, std::unique_ptr<v1::Groups::Stub>>
      stubs_;
};

// What gRPC takes as a deadline.
std::chrono::system_clock::time_point deadline_in(Duration duration);

}  // namespace stellwerk::client
