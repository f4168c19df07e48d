// Waiting for a condition with a deadline, because tests never merely sleep.
#pragma once

#include <poll.h>

#include <functional>

#include "core/time.h"

namespace stellwerk::testing {

// Looks every few milliseconds; false if it did not come true in time.
inline bool eventually(const std::function<bool()>& condition,
                       Duration patience = std::chrono::seconds(20)) {
  const SystemClock clock;
  const MonotonicTime deadline = clock.now().monotonic + patience;
  while (!condition()) {
    if (clock.now().monotonic > deadline) return false;
    poll(nullptr, 0, 5);
  }
  return true;
}

}  // namespace stellwerk::testing
