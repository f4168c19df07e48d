// One request, one answer: what all unary methods of the services do. The methods are raw, so that
// a request that cannot be read is answered with the reason and not with gRPC's UNIMPLEMENTED.
#pragma once

#include <google/protobuf/message.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <memory>
#include <variant>

#include "api/convert/from_wire.h"
#include "api/convert/parse.h"
#include "api/convert/to_wire.h"
#include "api/server/gateway.h"
#include "api/server/peers.h"

namespace stellwerk::server {

// What gRPC passes to a raw method; valid until the call is finished.
struct RawCall {
  RawCall(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
          grpc::ByteBuffer* response)
      : context(context),
        request(request),
        response(response),
        reactor(context->DefaultReactor()) {}

  grpc::CallbackServerContext* context;
  const grpc::ByteBuffer* request;
  grpc::ByteBuffer* response;
  grpc::ServerUnaryReactor* reactor;
};

absl::Status parse(const grpc::ByteBuffer& bytes, google::protobuf::Message* message);
// ResourceExhausted if a client with gRPC's default limit of 4 MiB could not receive it.
absl::Status serialize(const google::protobuf::Message& message, grpc::ByteBuffer* bytes);

// Who calls, for the audit log, and an id for a request that has none. PermissionDenied if the
// connection is not known.
absl::StatusOr<convert::Origin> origin_of(const grpc::CallbackServerContext& context,
                                          const PeerTable& peers, Gateway& gateway);

// `done`, called exactly once: with UNAVAILABLE if all copies of the result go without a call.
AnswerCallback answered_once(AnswerCallback done);

// A broken promise of the controller's: not the kind of resource that was asked for.
absl::Status foreign_answer();

// Each ends the call; nothing of it may be touched afterwards. A cancelled call is ended, too, when
// its answer comes: the decision stands and gRPC drops the reply.
void finish(const RawCall& call, const absl::Status& error);
void finish(const RawCall& call, const google::protobuf::Message& response);

class UnaryCalls {
 public:
  UnaryCalls(Gateway& gateway, const PeerTable& peers) : gateway_(gateway), peers_(peers) {}

  // `View` is the alternative of controller::Answer that the method answers with.
  template <class Request, class View>
  grpc::ServerUnaryReactor* mutate(const RawCall& call) {
    return run<Request, View>(call,
                              [&](const Request& request) -> absl::StatusOr<controller::Request> {
                                SW_ASSIGN_OR_RETURN(const convert::Origin origin,
                                                    origin_of(*call.context, peers_, gateway_));
                                return convert::to_mutation(request, origin);
                              });
  }

  template <class Request, class View>
  grpc::ServerUnaryReactor* query(const RawCall& call) {
    return run<Request, View>(
        call, [](const Request& request) -> absl::StatusOr<controller::Request> {
          SW_ASSIGN_OR_RETURN(controller::Query query, convert::to_query(request));
          return query;
        });
  }

 private:
  template <class Request, class View, class Translate>
  grpc::ServerUnaryReactor* run(const RawCall& call, Translate translate) {
    Request request;
    if (const absl::Status parsed = parse(*call.request, &request); !parsed.ok()) {
      finish(call, parsed);
      return call.reactor;
    }
    absl::StatusOr<controller::Request> translated = translate(request);
    if (!translated.ok()) {
      finish(call, translated.status());
      return call.reactor;
    }
    gateway_.submit(*std::move(translated),
                    answered_once([call](absl::StatusOr<controller::Answer> answer) {
                      if (!answer.ok()) return finish(call, answer.status());
                      const View* view = std::get_if<View>(&*answer);
                      if (view == nullptr) return finish(call, foreign_answer());
                      finish(call, convert::to_wire(*view));
                    }));
    return call.reactor;
  }

  Gateway& gateway_;
  const PeerTable& peers_;
};

}  // namespace stellwerk::server
