// What happened in one simulation, a line each with its simulated time: byte for byte the same for
// the same seed, and what a person reads when a seed fails.
#pragma once

#include <fmt/format.h>

#include <iterator>
#include <string>
#include <utility>

#include "tests/sim/schedule.h"

namespace stellwerk::sim {

class EventLog {
 public:
  explicit EventLog(const Schedule& schedule) : schedule_(schedule) {}

  template <class... Args>
  void add(fmt::format_string<Args...> format, Args&&... args) {
    begin_line();
    fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
    text_ += '\n';
  }

  const std::string& text() const { return text_; }
  // The last `lines` lines.
  std::string tail(size_t lines) const;

 private:
  void begin_line();

  const Schedule& schedule_;
  std::string text_;
};

// The first eight characters of an identity: enough to follow it through a log.
template <class Id>
std::string brief(const Id& id) {
  return id.to_string().substr(0, 8);
}

}  // namespace stellwerk::sim
