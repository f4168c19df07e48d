#include "api/cli/progress.h"

#include <fmt/format.h>

#include <algorithm>

namespace stellwerk::cli {
namespace {

constexpr std::string_view kSpinner = "|/-\\";
constexpr size_t kUsualWidth = 80;
constexpr std::string_view kBackToEmptyLine = "\r\x1b[K";

}  // namespace

ProgressLine::ProgressLine(std::ostream& err, ProgressPlace place)
    : err_(err), place_(std::move(place)) {}

ProgressLine::~ProgressLine() {
  clear();
}

void ProgressLine::show(std::string_view before, const Cell& state, std::string_view after) {
  const bool changed = last_state_ != state.text();
  last_state_ = state.text();
  const std::string tail = Cell(after).text();
  if (place_.terminal) {
    draw(Cell(before).text(), state, tail);
  } else if (changed) {
    err_ << Cell(before).text() << state.text() << tail << std::endl;
  }
}

void ProgressLine::draw(std::string_view before, const Cell& state, std::string_view after) {
  const size_t width = place_.width ? place_.width() : 0;
  // One column stays free: some terminals wrap as soon as a row is full.
  size_t left = (width > 0 ? width : kUsualWidth) - 1;
  const auto fit = [&left](std::string_view text) {
    const std::string_view part = fitting_part(text, left);
    left = part.size() < text.size() ? 0 : left - display_width(part);
    return part;
  };
  const char spinner[] = {kSpinner[turn_++ % kSpinner.size()], ' '};
  err_ << kBackToEmptyLine << fit({spinner, sizeof(spinner)}) << fit(before);
  err_ << styled(Cell(fit(state.text()), state.style()), place_.colour) << fit(after) << std::flush;
  dirty_ = true;
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
