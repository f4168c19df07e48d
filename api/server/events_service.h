// The service of events: lists page over the log, watchers follow it.
#pragma once

#include "api/server/streams.h"
#include "api/server/unary.h"
#include "stellwerk/v1/events.grpc.pb.h"

namespace stellwerk::server {

// What a watcher needs; all of it outlives the watchers.
struct WatchEnvironment {
  Gateway& gateway;
  StreamTable& streams;
  const Clock& clock;
  Duration heartbeat;  // after so long without events the token is sent alone
  Duration patience;   // with a client that does not take what was sent
};

using RawEvents = v1::Events::WithRawCallbackMethod_ListEvents<
    v1::Events::WithRawCallbackMethod_WatchEvents<v1::Events::Service>>;

class EventsService final : public RawEvents {
 public:
  explicit EventsService(const WatchEnvironment& watches) : watches_(watches) {}

  grpc::ServerUnaryReactor* ListEvents(grpc::CallbackServerContext* context,
                                       const grpc::ByteBuffer* request,
                                       grpc::ByteBuffer* response) override;
  grpc::ServerWriteReactor<grpc::ByteBuffer>* WatchEvents(grpc::CallbackServerContext* context,
                                                          const grpc::ByteBuffer* request) override;

 private:
  WatchEnvironment watches_;
};

}  // namespace stellwerk::server
