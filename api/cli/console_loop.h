// Carries a console between its session and this process's input and output, until the session
// ends, the user types the escape character, or a signal comes.
//
// Threads: the caller's takes what the guest writes; one reads what is typed, and never waits for
// anybody, so that the escape character always works; one sends it, which waits for the guest.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>

#include "api/cli/context.h"
#include "api/cli/terminal.h"
#include "api/client/console_session.h"
#include "api/client/harmless_text.h"

namespace stellwerk::cli {

struct ConsoleLoopOptions {
  std::string name;            // of the instance, for notices
  bool reads_input = true;     // false: what is typed is only looked through for the escape
  std::optional<char> escape;  // heeded where input is a terminal
  bool raw_output = true;      // false: escape sequences do not reach the output
  bool notices = true;
};

class ConsoleLoop {
 public:
  ConsoleLoop(Context& context, client::ConsoleSession& session, ConsoleLoopOptions options);

  // Cancelled if a signal has ended it.
  absl::Status run();

 private:
  void watch_input();
  bool take_input(bool is_terminal);
  void send_input();
  void leave();

  void tell(std::string_view text);
  bool show(const v1::AttachConsoleResponse& response);
  bool write_out(std::string_view bytes);

  Context& context_;
  client::ConsoleSession& session_;
  const ConsoleLoopOptions options_;
  SignalPipe signals_;
  RawTerminal terminal_;
  client::HarmlessText harmless_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::string typed_;
  bool typed_all_ = false;
  bool left_ = false;  // by the escape character
  bool ended_ = false;
  int signal_ = 0;
};

}  // namespace stellwerk::cli
