// The log as JSON: one object a line, whatever a message holds.
//
//   {"time":"…","level":"info","message":"step ended","fields":{"step":"start","took_ms":"12"}}
//
// The fields are those of the text form (`step ended step=start took_ms=12`); a line whose end is
// not all fields is a message as a whole. Values are strings. Pure but for spdlog's calls.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/time.h"

namespace spdlog {
class formatter;
}

namespace stellwerk::daemon {

struct LogLine {
  std::string message;
  std::vector<std::pair<std::string, std::string>> fields;
};

// `a message key=value key="a value"`; in quotation marks, \" is one.
LogLine read_log_line(std::string_view text);

// Without a newline. Bytes that are no UTF-8 become U+FFFD.
std::string json_log_line(WallTime time, std::string_view level, std::string_view text);

std::unique_ptr<spdlog::formatter> make_json_formatter();

}  // namespace stellwerk::daemon
