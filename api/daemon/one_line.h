// One fact, one line of the log: control characters of a text are shown, not obeyed. Pure.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace stellwerk::daemon {

inline std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    line += byte < 0x20 || byte == 0x7f ? fmt::format("\\x{:02x}", byte) : std::string(1, c);
  }
  return line;
}

}  // namespace stellwerk::daemon
