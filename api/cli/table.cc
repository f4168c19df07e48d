#include "api/cli/table.h"

#include <algorithm>

#include "api/client/text.h"

namespace stellwerk::cli {
namespace {

constexpr std::string_view kGap = "   ";

std::string_view colour_code(Style style) {
  switch (style) {
    case Style::kPlain:
      return "";
    case Style::kGood:
      return "\x1b[32m";
    case Style::kBusy:
      return "\x1b[33m";
    case Style::kBad:
      return "\x1b[31m";
    case Style::kFaint:
      return "\x1b[2m";
  }
  return "";
}

std::vector<size_t> column_widths(const std::vector<std::vector<Cell>>& rows) {
  std::vector<size_t> widths(rows.front().size(), 0);
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size() && i < widths.size(); ++i) {
      widths[i] = std::max(widths[i], row[i].width());
    }
  }
  return widths;
}

}  // namespace

Cell::Cell(std::string_view text, Style style)
    : text_(client::printable(text)), width_(display_width(text_)), style_(style) {}

std::string styled(const Cell& cell, bool colour) {
  const std::string_view code = colour_code(cell.style());
  if (!colour || code.empty() || cell.text().empty()) return cell.text();
  return std::string(code) + cell.text() + "\x1b[0m";
}

void Table::print(std::ostream& out, bool colour) const {
  const std::vector<size_t> widths = column_widths(rows_);
  for (const auto& row : rows_) {
    std::string line;
    size_t owed = 0;  // blanks, written only when something follows
    for (size_t i = 0; i < row.size() && i < widths.size(); ++i) {
      if (row[i].width() > 0) {
        line.append(owed, ' ');
        line += styled(row[i], colour);
        owed = 0;
      }
      owed += widths[i] - row[i].width() + kGap.size();
    }
    out << line << '\n';
  }
}

void print_key_values(std::ostream& out, const KeyValues& pairs, bool colour) {
  size_t widest = 0;
  for (const auto& [key, value] : pairs) {
    if (!value.text().empty()) widest = std::max(widest, display_width(key));
  }
  for (const auto& [key, value] : pairs) {
    if (value.text().empty()) continue;
    const std::string blanks(widest - display_width(key) + kGap.size(), ' ');
    out << key << (key.empty() ? " " : ":") << blanks << styled(value, colour) << '\n';
  }
}

}  // namespace stellwerk::cli
