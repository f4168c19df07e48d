// What tells two bodies under one request_id apart.
#pragma once

#include <google/protobuf/message_lite.h>

#include <string_view>

#include "core/digest.h"

namespace stellwerk::convert {

// SHA-256 over the method's name and the request in deterministic serialisation (maps in order of
// their keys). `request` must have its request_id cleared.
Sha256 body_digest(std::string_view method, const google::protobuf::MessageLite& request);

// The same for a request that still has its request_id.
template <class Request>
Sha256 digest_of(std::string_view method, const Request& request) {
  Request body = request;
  body.clear_request_id();
  return body_digest(method, body);
}

}  // namespace stellwerk::convert
