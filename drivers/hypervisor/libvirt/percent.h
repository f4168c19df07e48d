// Any bytes as visible ASCII and back, after RFC 3986 section 2.1: `%` and what is not visible
// ASCII become %XX. Also used to quote hostile text in messages. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace stellwerk::hypervisor {

std::string percent_encode(std::string_view bytes);
// Nothing if a `%` is not followed by two hexadecimal digits.
std::optional<std::string> percent_decode(std::string_view text);

}  // namespace stellwerk::hypervisor
