// Identities of requests.
#pragma once

#include <string>

namespace stellwerk::client {

// A random UUID (RFC 9562 version 4) in its 36-character form. Thread-safe.
std::string fresh_request_id();

}  // namespace stellwerk::client
