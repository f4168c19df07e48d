// One attachment to an instance's console. `read` on one thread, `type` and `end_input` on one
// other; `cancel` on any.
#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/support/sync_stream.h>

#include <memory>
#include <optional>
#include <string_view>

#include "api/client/client.h"

namespace stellwerk::client {

class ConsoleSession {
 public:
  ConsoleSession(Client& client, const v1::AttachConsoleRequest::Start& start);
  ~ConsoleSession();
  ConsoleSession(const ConsoleSession&) = delete;
  ConsoleSession& operator=(const ConsoleSession&) = delete;

  // Blocks; nothing: the session has ended.
  std::optional<v1::AttachConsoleResponse> read();
  // Blocks while the guest takes nothing. False: the session has ended.
  bool type(std::string_view bytes);
  void end_input();
  void cancel();

  // After `read` has returned nothing: why. OK after `end_input`.
  absl::Status finish();

 private:
  Client& client_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::AttachConsoleRequest, v1::AttachConsoleResponse>>
      stream_;
  bool finished_ = false;
};

}  // namespace stellwerk::client
