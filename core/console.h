// The words of serial consoles, between whoever keeps them on a host and whoever serves them to
// callers. Values only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace stellwerk {

// How much of what a guest wrote is kept.
inline constexpr size_t kConsoleHistory = 64 << 10;

enum class ConsoleAccess : uint8_t {
  kRead,
  kWrite,     // refused while another has it
  kTakeOver,  // taken from whoever has it
};

enum class ConsoleNotice : uint8_t {
  kAttached,      // first of all; the message says whether the guest runs
  kGuestStarted,  // what is typed reaches it from here on
  kGuestStopped,
  kWriterLost,    // another has taken over; this attachment only reads from here on
  kOutputLost,    // the reader was too slow for the guest
  kInputDropped,  // no guest was there to take it
};

struct ConsoleAttach {
  std::string caller;
  ConsoleAccess access = ConsoleAccess::kRead;
  size_t history = kConsoleHistory;  // bytes of what was written before, at most
};

// The next thing for one attachment: output or a notice.
struct ConsolePortion {
  std::string output;
  bool history = false;  // the output was written before the attachment
  std::optional<ConsoleNotice> notice;
  std::string message;  // of the notice, for people
};

}  // namespace stellwerk
