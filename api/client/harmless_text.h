// What a guest wrote on its console, for a terminal that shall not obey it: escape sequences are
// taken out, other control characters are shown as \xNN, lines and tabs stay. A sequence may begin
// in one piece and end in the next. One thread.
#pragma once

#include <string>
#include <string_view>

namespace stellwerk::client {

class HarmlessText {
 public:
  std::string pass(std::string_view piece);
  // What is left when nothing more comes: half a character, perhaps.
  std::string end();

 private:
  enum class State { kText, kEscape, kControl, kString, kStringEscape };

  void take(char c, std::string& out);
  void take_text(char c, std::string& out);
  void show_pending(std::string& out);

  State state_ = State::kText;
  size_t length_ = 0;    // of the sequence so far
  std::string pending_;  // bytes of an unfinished character
};

}  // namespace stellwerk::client
