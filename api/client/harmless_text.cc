#include "api/client/harmless_text.h"

#include "api/client/text.h"

namespace stellwerk::client {
namespace {

constexpr char kEscapeByte = '\x1b';
// ECMA-48's control strings: longer ones are text that only looked like one.
constexpr size_t kLongestSequence = 4096;

size_t length_of_character(char first) {
  const auto byte = static_cast<unsigned char>(first);
  if (byte >= 0xF0) return 4;
  if (byte >= 0xE0) return 3;
  return byte >= 0xC0 ? 2 : 1;
}

bool begins_string(char c) {
  return c == ']' || c == 'P' || c == '_' || c == '^' || c == 'X';
}

}  // namespace

std::string HarmlessText::pass(std::string_view piece) {
  std::string out;
  out.reserve(piece.size());
  for (const char c : piece) take(c, out);
  return out;
}

std::string HarmlessText::end() {
  std::string out;
  show_pending(out);
  return out;
}

void HarmlessText::take(char c, std::string& out) {
  const auto byte = static_cast<unsigned char>(c);
  // A line's end ends everything: a guest cannot hide what follows behind an open sequence.
  if (state_ != State::kText && (c == '\n' || ++length_ > kLongestSequence)) state_ = State::kText;
  switch (state_) {
    case State::kText:
      return take_text(c, out);
    case State::kEscape:
      if (c == '[') {
        state_ = State::kControl;
      } else if (begins_string(c)) {
        state_ = State::kString;
      } else if (byte >= 0x30) {
        state_ = State::kText;
      }
      return;
    case State::kControl:
      if (byte >= 0x40 && byte <= 0x7e) state_ = State::kText;
      return;
    case State::kString:
      if (c == '\a') state_ = State::kText;
      if (c == kEscapeByte) state_ = State::kStringEscape;
      return;
    case State::kStringEscape:
      state_ = c == '\\' ? State::kText : State::kString;
      return;
  }
}

void HarmlessText::take_text(char c, std::string& out) {
  const auto byte = static_cast<unsigned char>(c);
  const bool goes_on = !pending_.empty() && (byte & 0xC0) == 0x80;
  if (!goes_on) show_pending(out);
  if (byte < 0x80) {
    if (c == kEscapeByte) {
      state_ = State::kEscape;
      length_ = 0;
    } else if (c == '\n' || c == '\t') {
      out += c;
    } else if (c != '\r') {
      out += printable({&c, 1});
    }
    return;
  }
  pending_ += c;
  if (pending_.size() >= length_of_character(pending_.front())) show_pending(out);
}

void HarmlessText::show_pending(std::string& out) {
  out += printable(pending_);
  pending_.clear();
}

}  // namespace stellwerk::client
