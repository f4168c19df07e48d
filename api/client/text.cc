#include "api/client/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace stellwerk::client {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

constexpr std::array<Range, 10> kUnprintable = {{
    {0x00, 0x1F},
    {0x7F, 0x9F},
    {0xAD, 0xAD},        // soft hyphen
    {0x061C, 0x061C},    // Arabic letter mark
    {0x200B, 0x200F},    // zero width, direction marks
    {0x2028, 0x202E},    // separators, direction embeddings and overrides
    {0x2060, 0x206F},    // invisible operators, direction isolates
    {0xFEFF, 0xFEFF},    // byte order mark
    {0xFFF9, 0xFFFB},    // interlinear annotation
    {0xE0000, 0xE007F},  // tags
}};

std::string escaped(char32_t value) {
  if (value == '\n') return "\\n";
  if (value == '\t') return "\\t";
  if (value < 0x100) return fmt::format("\\x{:02x}", static_cast<uint32_t>(value));
  return fmt::format("\\u{{{:04x}}}", static_cast<uint32_t>(value));
}

}  // namespace

CodePoint decode_utf8(std::string_view text) {
  const auto byte = [&](size_t i) -> char32_t { return static_cast<unsigned char>(text[i]); };
  const char32_t first = byte(0);
  if (first < 0x80) return {first, 1};
  size_t length = 0;
  if (first >= 0xC2 && first <= 0xDF) length = 2;
  if (first >= 0xE0 && first <= 0xEF) length = 3;
  if (first >= 0xF0 && first <= 0xF4) length = 4;
  if (length == 0 || text.size() < length) return {};
  char32_t value = first & (0xFFU >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    value = (value << 6) | (byte(i) & 0x3F);
  }
  const bool overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (overlong || surrogate || value > 0x10FFFF) return {};
  return {value, length};
}

bool is_unprintable(char32_t value) {
  return std::any_of(kUnprintable.begin(), kUnprintable.end(), [value](const Range& range) {
    return value >= range.first && value <= range.last;
  });
}

std::string printable(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const CodePoint point = decode_utf8(text.substr(at));
    if (point.length == 0) {
      result += escaped(static_cast<unsigned char>(text[at]));
      ++at;
      continue;
    }
    if (is_unprintable(point.value)) {
      result += escaped(point.value);
    } else {
      result += text.substr(at, point.length);
    }
    at += point.length;
  }
  return result;
}

}  // namespace stellwerk::client
