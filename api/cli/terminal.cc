#include "api/cli/terminal.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

namespace stellwerk::cli {
namespace {

std::atomic<int> signal_end = -1;
static_assert(std::atomic<int>::is_always_lock_free);

void note(int signal) {
  const int former_errno = errno;
  const auto byte = static_cast<uint8_t>(signal);
  [[maybe_unused]] const ssize_t written = ::write(signal_end, &byte, 1);
  errno = former_errno;
}

}  // namespace

SignalPipe::SignalPipe() {
  if (::pipe2(ends_.data(), O_CLOEXEC | O_NONBLOCK) != 0) return;
  signal_end = ends_[1];
  struct sigaction action {};
  for (size_t i = 0; i < kSignals.size(); ++i) {
    action.sa_handler = kSignals[i] == SIGPIPE ? SIG_IGN : note;
    ::sigaction(kSignals[i], &action, &former_[i]);
  }
}

SignalPipe::~SignalPipe() {
  if (ends_[0] < 0) return;
  for (size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &former_[i], nullptr);
  signal_end = -1;
  ::close(ends_[0]);
  ::close(ends_[1]);
}

int SignalPipe::take() const {
  uint8_t byte = 0;
  return ::read(ends_[0], &byte, 1) == 1 ? byte : 0;
}

void SignalPipe::wake() const {
  const uint8_t none = 0;
  [[maybe_unused]] const ssize_t written = ::write(ends_[1], &none, 1);
}

RawTerminal::RawTerminal(int descriptor) : descriptor_(descriptor) {
  termios now{};
  if (descriptor < 0 || ::tcgetattr(descriptor, &now) != 0) return;
  former_ = now;
  ::cfmakeraw(&now);
  if (::tcsetattr(descriptor, TCSADRAIN, &now) != 0) former_.reset();
}

RawTerminal::~RawTerminal() {
  if (former_) ::tcsetattr(descriptor_, TCSADRAIN, &*former_);
}

}  // namespace stellwerk::cli
