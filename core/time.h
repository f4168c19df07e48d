// Time is an argument. State machines receive `Now`; only shells own a `Clock`, and only
// core/time.cc reads the operating system's.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace stellwerk {

using Duration = std::chrono::microseconds;
// UTC. For people and records; never for deciding how long something took.
using WallTime = std::chrono::sys_time<std::chrono::microseconds>;
// Since an arbitrary start, never backwards, counting while the machine sleeps.
struct MonotonicTime {
  Duration since_start{};
  friend auto operator<=>(const MonotonicTime&, const MonotonicTime&) = default;
  friend MonotonicTime operator+(MonotonicTime t, Duration d) { return {t.since_start + d}; }
  friend Duration operator-(MonotonicTime a, MonotonicTime b) {
    return a.since_start - b.since_start;
  }
};

struct Now {
  MonotonicTime monotonic;
  WallTime wall;
};

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Now now() const = 0;
};

// CLOCK_BOOTTIME and CLOCK_REALTIME.
class SystemClock final : public Clock {
 public:
  Now now() const override;
};

// CLOCK_MONOTONIC, finer than any `Now`: for measuring how long a piece of work takes.
std::chrono::nanoseconds stopwatch();

// "2026-11-23T04:50:50Z", to the second.
std::string to_rfc3339(WallTime time);
// "4 s", "3 min", "2 h", "5 d": for tables.
std::string to_short_string(Duration duration);

}  // namespace stellwerk
