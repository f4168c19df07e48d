// A line on standard error that tells how far a command is. On a terminal it is rewritten in
// place and taken away at the end; elsewhere each new state is one plain line. One thread.
#pragma once

#include <functional>
#include <ostream>
#include <string>

#include "api/cli/table.h"
#include "core/time.h"

namespace stellwerk::cli {

struct ProgressPlace {
  bool terminal = false;
  bool colour = false;
  // Of the terminal, in columns; zero or no function: not known. Asked each time, as windows
  // change.
  std::function<size_t()> width;
};

class ProgressLine {
 public:
  ProgressLine(std::ostream& err, ProgressPlace place);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // `state` names what is new (a phase); `before` and `after` stand around it. Off a terminal
  // nothing is written while `state` stays the same; on one, what does not fit into a row is cut.
  void show(std::string_view before, const Cell& state, std::string_view after);
  // Leaves no trace on a terminal.
  void clear();

 private:
  void draw(std::string_view before, const Cell& state, std::string_view after);

  std::ostream& err_;
  ProgressPlace place_;
  bool dirty_ = false;
  size_t turn_ = 0;
  std::string last_state_;
};

// How often a line on a terminal is drawn.
inline constexpr Duration kProgressTick = std::chrono::milliseconds(100);

// "[=====>    ]  50 %"
std::string progress_bar(int64_t done, int64_t total, size_t width);

}  // namespace stellwerk::cli
