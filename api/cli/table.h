// Aligned output for people. A Cell holds text that is safe to show: whatever steers a terminal is
// escaped when the cell is made. Pure but for the stream written to.
#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stellwerk::cli {

enum class Style { kPlain, kGood, kBusy, kBad, kFaint };

class Cell {
 public:
  Cell(std::string_view text, Style style = Style::kPlain);  // NOLINT: texts are cells
  Cell(const std::string& text, Style style = Style::kPlain)
      : Cell(std::string_view(text), style) {}
  Cell(const char* text, Style style = Style::kPlain) : Cell(std::string_view(text), style) {}

  const std::string& text() const { return text_; }
  size_t width() const { return width_; }
  Style style() const { return style_; }

 private:
  std::string text_;
  size_t width_;  // in columns of a terminal
  Style style_;
};

// The text between the codes that colour it, or the text alone.
std::string styled(const Cell& cell, bool colour);

class Table {
 public:
  explicit Table(std::vector<Cell> headers) : rows_{std::move(headers)} {}
  // As many cells as headers.
  void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
  void print(std::ostream& out, bool colour) const;

 private:
  std::vector<std::vector<Cell>> rows_;
};

using KeyValues = std::vector<std::pair<std::string, Cell>>;

// "Name:   web-1", one a line.
void print_key_values(std::ostream& out, const KeyValues& pairs, bool colour);

// Columns that a terminal gives to UTF-8 text without control characters: none to combining marks,
// two to wide East Asian characters and pictographs (Unicode's East_Asian_Width W and F).
size_t display_width(std::string_view text);
// As much of the beginning of such text as `columns` of a terminal hold.
std::string_view fitting_part(std::string_view text, size_t columns);

}  // namespace stellwerk::cli
