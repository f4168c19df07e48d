#include "api/server/events_service.h"

#include "api/server/event_pages.h"
#include "api/server/watch_call.h"

namespace stellwerk::server {

grpc::ServerUnaryReactor* EventsService::ListEvents(grpc::CallbackServerContext* context,
                                                    const grpc::ByteBuffer* request,
                                                    grpc::ByteBuffer* response) {
  const RawCall call(context, request, response);
  Gateway& gateway = watches_.gateway;
  v1::ListEventsRequest message;
  if (const absl::Status parsed = parse(*request, &message); !parsed.ok()) {
    finish(call, parsed);
    return call.reactor;
  }
  const absl::StatusOr<convert::EventListing> listing =
      convert::to_listing(message, gateway.cell());
  if (!listing.ok()) {
    finish(call, listing.status());
    return call.reactor;
  }
  gateway.run_blocking([call, &gateway, listing = *listing] {
    const absl::StatusOr<v1::ListEventsResponse> page = list_events(gateway, listing);
    if (page.ok()) {
      finish(call, *page);
    } else {
      finish(call, token_error(page.status(), "page_token"));
    }
  });
  return call.reactor;
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* EventsService::WatchEvents(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
  return WatchCall::start(context, *request, watches_);
}

}  // namespace stellwerk::server
