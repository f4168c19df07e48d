// One watcher: a cursor over the log that moves when the log grows. What matches is written with
// one write in flight; a slow client reads the log later, and finds out if it was trimmed
// meanwhile. Nothing is buffered beyond one read of the log.
//
// Threads: the mutex guards everything. In kReading the cursor belongs to the pool. gRPC operations
// are begun under the mutex, inside which gRPC runs none of our callbacks; the gateway is never
// called under it.
#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <deque>
#include <memory>
#include <mutex>
#include <optional>

#include "api/convert/from_wire.h"
#include "api/server/events_service.h"
#include "api/server/streams.h"

namespace stellwerk::server {

class WatchCall final : public grpc::ServerWriteReactor<grpc::ByteBuffer>,
                        public Stream,
                        public std::enable_shared_from_this<WatchCall> {
 public:
  // The result owns itself until gRPC has done with it.
  static grpc::ServerWriteReactor<grpc::ByteBuffer>* start(grpc::CallbackServerContext* context,
                                                           const grpc::ByteBuffer& request,
                                                           const WatchEnvironment& environment);

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  void tick(MonotonicTime now) override;
  void interrupt(const absl::Status& why) override;

 private:
  enum class State { kPreparing, kIdle, kReading, kWriting, kFinished };

  WatchCall(grpc::CallbackServerContext* context, const WatchEnvironment& environment);

  absl::Status prepare(const grpc::ByteBuffer& request);
  void end(const absl::Status& why);
  void on_growth(Sequence durable);
  // Does the next thing, if the watcher is idle.
  void advance();
  void start_write();
  void read();
  void take(absl::StatusOr<struct EventPortion> portion);
  void queue_token();

  grpc::CallbackServerContext* const context_;
  const WatchEnvironment environment_;
  const CellUid cell_;
  std::shared_ptr<WatchCall> self_;
  std::optional<uint64_t> listener_;
  convert::EventFilter filter_;

  std::mutex mutex_;
  State state_ = State::kPreparing;  // the log may grow before the cursor is set
  Sequence cursor_;                  // all up to here is written or in the outbox
  Sequence durable_;                 // as far as we have heard
  Sequence expected_;                // durable_ when the newest read began
  bool token_given_ = false;         // by the client, and not yet checked against the log
  std::deque<v1::WatchEventsResponse> outbox_;
  grpc::ByteBuffer outgoing_;
  MonotonicTime last_write_;  // when the newest one began
  std::optional<absl::Status> end_;
};

}  // namespace stellwerk::server
