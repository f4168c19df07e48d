// One fact, one line of the log: control characters of a text are shown, not obeyed. Pure.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace stellwerk::daemon {

// For a text that is the rest of its line.
inline std::string free_text(std::string_view text) {
  std::string line;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    line += byte < 0x20 || byte == 0x7f ? fmt::format("\\x{:02x}", byte) : std::string(1, c);
  }
  return line;
}

// For a value in quotation marks: no text can end them, and so forge what stands after it.
inline std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : free_text(text)) {
    if (c == '"') line += '\\';
    line += c;
  }
  return line;
}

}  // namespace stellwerk::daemon
