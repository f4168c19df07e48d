// Text that came over the wire, made fit for a terminal. Pure, thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace stellwerk::client {

struct CodePoint {
  char32_t value = 0;
  size_t length = 0;  // in bytes; zero: the text does not begin with valid UTF-8 (RFC 3629)
};

// Of the first code point of `text`, which must not be empty.
CodePoint decode_utf8(std::string_view text);

// Steers a terminal or the direction of writing, or is invisible: C0 and C1 controls, line
// separators, bidirectional controls, zero-width characters, tags.
bool is_unprintable(char32_t value);

// The same text with everything unprintable and every invalid byte as \n, \t, \xNN or \u{NNNN}.
std::string printable(std::string_view text);

}  // namespace stellwerk::client
