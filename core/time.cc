#include "core/time.h"

#include <fmt/chrono.h>
#include <time.h>

namespace stellwerk {
namespace {

Duration read_clock(clockid_t id) {
  timespec value{};
  clock_gettime(id, &value);
  return std::chrono::seconds(value.tv_sec) +
         std::chrono::duration_cast<Duration>(std::chrono::nanoseconds(value.tv_nsec));
}

}  // namespace

Now SystemClock::now() const {
  return {.monotonic = {read_clock(CLOCK_BOOTTIME)}, .wall = WallTime(read_clock(CLOCK_REALTIME))};
}

std::chrono::nanoseconds stopwatch() {
  timespec value{};
  clock_gettime(CLOCK_MONOTONIC, &value);
  return std::chrono::seconds(value.tv_sec) + std::chrono::nanoseconds(value.tv_nsec);
}

std::string to_rfc3339(WallTime time) {
  const std::time_t seconds =
      std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(seconds));
}

std::string to_short_string(Duration duration) {
  const int64_t seconds = std::chrono::floor<std::chrono::seconds>(duration).count();
  if (seconds < 120) return fmt::format("{} s", seconds);
  if (seconds < 2 * 3600) return fmt::format("{} min", seconds / 60);
  if (seconds < 48 * 3600) return fmt::format("{} h", seconds / 3600);
  return fmt::format("{} d", seconds / 86400);
}

}  // namespace stellwerk
