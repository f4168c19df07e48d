// Where an image may be fetched from: what its URL must look like. Says nothing about the address
// behind the name: that is judged when a connection is made. Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/validate.h"

namespace stellwerk {

inline constexpr size_t kLongestImageUrl = 2048;

// http or https with a host, in printable ASCII; no user or password (they would be kept and
// shown), no fragment (no server sees it).
Problem check_image_url(std::string_view url);

// Without what follows '?', which may be a secret: for logs, events and errors.
std::string url_without_query(std::string_view url);

}  // namespace stellwerk
