#include <algorithm>
#include <array>

#include "api/cli/table.h"
#include "api/client/text.h"

namespace stellwerk::cli {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

// Combining marks of the scripts that appear in names; sorted.
constexpr std::array<Range, 12> kZeroWidth = {{{0x0300, 0x036F},
                                               {0x0483, 0x0489},
                                               {0x0591, 0x05BD},
                                               {0x0610, 0x061A},
                                               {0x064B, 0x065F},
                                               {0x06D6, 0x06DC},
                                               {0x0E34, 0x0E3A},
                                               {0x0E47, 0x0E4E},
                                               {0x1AB0, 0x1AFF},
                                               {0x1DC0, 0x1DFF},
                                               {0x20D0, 0x20FF},
                                               {0xFE00, 0xFE0F}}};

// East_Asian_Width W and F, in blocks; sorted.
constexpr std::array<Range, 14> kWide = {{{0x1100, 0x115F},
                                          {0x231A, 0x231B},
                                          {0x23E9, 0x23EC},
                                          {0x2E80, 0x303E},
                                          {0x3041, 0x33FF},
                                          {0x3400, 0x4DBF},
                                          {0x4E00, 0x9FFF},
                                          {0xA000, 0xA4CF},
                                          {0xAC00, 0xD7A3},
                                          {0xF900, 0xFAFF},
                                          {0xFE30, 0xFE6F},
                                          {0xFF00, 0xFF60},
                                          {0x1F300, 0x1FAFF},
                                          {0x20000, 0x3FFFD}}};

template <size_t Size>
bool contains(const std::array<Range, Size>& ranges, char32_t value) {
  return std::any_of(ranges.begin(), ranges.end(), [value](const Range& range) {
    return value >= range.first && value <= range.last;
  });
}

struct Glyph {
  size_t bytes = 0;
  size_t columns = 0;
};

Glyph first_glyph(std::string_view text) {
  const client::CodePoint point = client::decode_utf8(text);
  const size_t bytes = std::max<size_t>(point.length, 1);
  if (point.length > 1 && contains(kZeroWidth, point.value)) return {bytes, 0};
  return {bytes, contains(kWide, point.value) ? size_t{2} : size_t{1}};
}

}  // namespace

size_t display_width(std::string_view text) {
  size_t width = 0;
  for (size_t at = 0; at < text.size();) {
    const Glyph glyph = first_glyph(text.substr(at));
    at += glyph.bytes;
    width += glyph.columns;
  }
  return width;
}

std::string_view fitting_part(std::string_view text, size_t columns) {
  size_t at = 0;
  while (at < text.size()) {
    const Glyph glyph = first_glyph(text.substr(at));
    if (glyph.columns > columns) break;
    columns -= glyph.columns;
    at += glyph.bytes;
  }
  return text.substr(0, at);
}

}  // namespace stellwerk::cli
