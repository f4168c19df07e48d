#include "api/cli/progress.h"

#include <fmt/format.h>

#include <algorithm>

namespace stellwerk::cli {
namespace {

constexpr std::string_view kSpinner = "|/-\\";
constexpr std::string_view kBackToEmptyLine = "\r\x1b[K";

}  // namespace

ProgressLine::ProgressLine(std::ostream& err, bool terminal, bool colour)
    : err_(err), terminal_(terminal), colour_(colour) {}

ProgressLine::~ProgressLine() {
  clear();
}

void ProgressLine::show(std::string_view before, const Cell& state, std::string_view after) {
  const bool changed = last_state_ != state.text();
  last_state_ = state.text();
  const std::string tail = Cell(after).text();
  if (terminal_) {
    err_ << kBackToEmptyLine << kSpinner[turn_++ % kSpinner.size()] << ' ' << Cell(before).text()
         << styled(state, colour_) << tail << std::flush;
    dirty_ = true;
  } else if (changed) {
    err_ << Cell(before).text() << state.text() << tail << std::endl;
  }
}

void ProgressLine::clear() {
  if (dirty_) err_ << kBackToEmptyLine << std::flush;
  dirty_ = false;
}

std::string progress_bar(int64_t done, int64_t total, size_t width) {
  const double share =
      total <= 0 ? 1.0
                 : std::clamp(static_cast<double>(done) / static_cast<double>(total), 0.0, 1.0);
  const size_t filled = static_cast<size_t>(share * static_cast<double>(width));
  std::string bar(filled, '=');
  if (filled < width) bar += '>';
  bar.resize(width, ' ');
  return fmt::format("[{}] {:3.0f} %", bar, share * 100);
}

}  // namespace stellwerk::cli
