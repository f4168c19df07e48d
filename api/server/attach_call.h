// One attachment to a console: a stream both ways. What the guest writes is fetched when the
// previous write is done, and what the client types is asked for when the guest has room, so
// neither side can make us hold more than one message of the other.
//
// Threads: the mutex guards everything. gRPC operations are begun under it, inside which gRPC runs
// none of our callbacks; neither gateway is called under it by another's callback: wakes come
// without locks. Lives until gRPC has done with it.
#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "api/server/consoles_service.h"

namespace stellwerk::server {

class AttachCall final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                         public Stream,
                         public std::enable_shared_from_this<AttachCall> {
 public:
  // The result owns itself until gRPC has done with it.
  static AttachCall* start(grpc::CallbackServerContext* context,
                           const AttachEnvironment& environment);

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  void tick(MonotonicTime now) override;
  void interrupt(const absl::Status& why) override;

 private:
  AttachCall(grpc::CallbackServerContext* context, const AttachEnvironment& environment);

  // The first message.
  void greet();
  absl::Status take_start(const v1::AttachConsoleRequest& message);
  void found(const absl::StatusOr<InstanceUid>& uid);
  void attach(const InstanceUid& uid);
  void confirm(const InstanceUid& uid);
  // The others.
  absl::Status take_input();

  bool has_ended();
  void end(const absl::Status& why);
  // Does whatever can be done now.
  void advance();
  void write_next();
  void read_next();
  bool has_said_all(MonotonicTime now);

  grpc::CallbackServerContext* const context_;
  const AttachEnvironment environment_;
  std::shared_ptr<AttachCall> self_;

  std::mutex mutex_;
  std::string name_;
  ConsoleAttach wish_;
  std::optional<ConsoleGateway::Attachment> attachment_;
  bool started_ = false;  // the first message has come
  bool reading_ = false;
  bool writing_ = false;
  bool finished_ = false;
  bool done_ = false;  // gRPC has let go of the call
  bool no_more_input_ = false;
  MonotonicTime opened_;
  MonotonicTime last_write_;  // when the newest one began
  MonotonicTime last_input_;  // or the end of it
  grpc::ByteBuffer incoming_;
  grpc::ByteBuffer outgoing_;
  std::optional<absl::Status> end_;
};

}  // namespace stellwerk::server
