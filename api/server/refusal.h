// What callers reach who may not use the daemon: a gRPC server of its own that knows no service
// and answers every call, reflection and health too, with PERMISSION_DENIED and what would help.
#pragma once

#include <grpcpp/generic/async_generic_service.h>

#include "api/server/peers.h"

namespace stellwerk::server {

class RefusingService final : public grpc::CallbackGenericService {
 public:
  RefusingService(const OperatorRule& rule, const PeerTable& peers) : rule_(rule), peers_(peers) {}

  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override;

 private:
  const OperatorRule& rule_;
  const PeerTable& peers_;
};

}  // namespace stellwerk::server
