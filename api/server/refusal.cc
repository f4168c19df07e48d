#include "api/server/refusal.h"

#include "api/convert/status_to_wire.h"

namespace stellwerk::server {
namespace {

class Refusal final : public grpc::ServerGenericBidiReactor {
 public:
  explicit Refusal(const absl::Status& status) { Finish(convert::to_wire(status)); }
  void OnDone() override { delete this; }
};

}  // namespace

grpc::ServerGenericBidiReactor* RefusingService::CreateReactor(
    grpc::GenericCallbackServerContext* context) {
  const std::optional<Peer> peer = peers_.find(context->peer());
  return new Refusal(peer ? rule_.refusal(*peer)
                          : permission_denied("this connection's caller is not known"));
}

}  // namespace stellwerk::server
