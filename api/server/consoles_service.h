// The service of consoles: attachments are streams both ways (attach_call.h), the log is one
// answer.
#pragma once

#include "api/server/console_gateway.h"
#include "api/server/streams.h"
#include "api/server/unary.h"
#include "stellwerk/v1/consoles.grpc.pb.h"

namespace stellwerk::server {

// What an attachment needs; all of it outlives the attachments.
struct AttachEnvironment {
  Gateway& gateway;
  ConsoleGateway& consoles;
  const PeerTable& peers;
  StreamTable& streams;
  const Clock& clock;
  Duration greeting;  // until the first message
  Duration patience;  // with a client that does not take what was sent
  Duration quiet;     // of the guest, after which a writer that has ended its side is answered
};

using RawConsoles = v1::Consoles::WithRawCallbackMethod_AttachConsole<
    v1::Consoles::WithRawCallbackMethod_GetConsoleLog<v1::Consoles::Service>>;

class ConsolesService final : public RawConsoles {
 public:
  explicit ConsolesService(const AttachEnvironment& environment) : environment_(environment) {}

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* AttachConsole(
      grpc::CallbackServerContext* context) override;
  grpc::ServerUnaryReactor* GetConsoleLog(grpc::CallbackServerContext* context,
                                          const grpc::ByteBuffer* request,
                                          grpc::ByteBuffer* response) override;

 private:
  AttachEnvironment environment_;
};

// Asks the controller which instance bears the name. `done` is called exactly once. NotFound with
// reason INSTANCE_DELETED for one that is being deleted, unless `also_leaving`.
struct ConsoleName {
  std::string name;
  bool also_leaving = false;
  std::optional<InstanceUid> uid = std::nullopt;  // whose name it was; decides where it is known
};
void find_instance(Gateway& gateway, const ConsoleName& name,
                   std::function<void(absl::StatusOr<InstanceUid>)> done);

}  // namespace stellwerk::server
