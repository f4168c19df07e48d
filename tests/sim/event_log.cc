#include "tests/sim/event_log.h"

namespace stellwerk::sim {

void EventLog::begin_line() {
  const int64_t microseconds = schedule_.now().since_start.count();
  fmt::format_to(std::back_inserter(text_), "{:4}.{:06} ", microseconds / 1'000'000,
                 microseconds % 1'000'000);
}

std::string EventLog::tail(size_t lines) const {
  size_t begin = text_.size();
  while (begin > 0 && lines > 0) {
    const size_t newline = begin >= 2 ? text_.rfind('\n', begin - 2) : std::string::npos;
    begin = newline == std::string::npos ? 0 : newline + 1;
    --lines;
  }
  return text_.substr(begin);
}

}  // namespace stellwerk::sim
