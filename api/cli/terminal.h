// The user's terminal as a guest's: raw while a console is open, as it was on every way out that a
// process has a say in.
#pragma once

#include <termios.h>

#include <array>
#include <csignal>
#include <optional>

#include "core/status.h"

namespace stellwerk::cli {

// Signals that would end the process become bytes in a pipe while this lives; a closed pipe of
// standard output is an error of the write. One at a time in a process; one thread.
class SignalPipe {
 public:
  SignalPipe();
  ~SignalPipe();
  SignalPipe(const SignalPipe&) = delete;
  SignalPipe& operator=(const SignalPipe&) = delete;

  // Becomes readable with a signal, or with `wake`.
  int descriptor() const { return ends_[0]; }
  // The signal that came; zero: `wake` was called, or nothing has come.
  int take() const;
  // Any thread.
  void wake() const;

 private:
  static constexpr std::array<int, 5> kSignals = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};

  std::array<int, 2> ends_{-1, -1};
  std::array<struct sigaction, kSignals.size()> former_{};
};

// Of a descriptor that is a terminal; of any other, nothing happens.
class RawTerminal {
 public:
  explicit RawTerminal(int descriptor);
  ~RawTerminal();
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;

  bool is_raw() const { return former_.has_value(); }

 private:
  const int descriptor_;
  std::optional<termios> former_;
};

}  // namespace stellwerk::cli
