// The part that all mutations share. Used by the translations of this folder.
#pragma once

#include <utility>

#include "api/convert/digest.h"
#include "api/convert/from_wire.h"
#include "api/convert/reading.h"

namespace stellwerk::convert {

struct MethodCall {
  std::string_view method;
  const Origin& origin;
};

// Takes `reader`'s mistakes, so it comes last.
template <class Request>
controller::MutationContext context_of(const Request& request, const MethodCall& call,
                                       RequestReader& reader) {
  controller::MutationContext context;
  context.caller = call.origin.caller;
  context.request_id = reader.request_id(request.request_id(), call.origin.fresh);
  context.body = digest_of(call.method, request);
  if constexpr (requires { request.etag(); }) context.etag = reader.etag(request.etag());
  context.violations = reader.take();
  return context;
}

template <class Request, class Body>
controller::Mutation mutation(const Request& request, const MethodCall& call, RequestReader& reader,
                              Body body) {
  return {.context = context_of(request, call, reader), .body = std::move(body)};
}

}  // namespace stellwerk::convert
