#include "core/time.h"

#include <gtest/gtest.h>

namespace stellwerk {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(Time, IsWrittenInUtcToTheSecond) {
  EXPECT_EQ(to_rfc3339(WallTime()), "1970-01-01T00:00:00Z");
  EXPECT_EQ(to_rfc3339(WallTime(microseconds(1'000'000'000'999'999))), "2001-09-09T01:46:40Z");
  EXPECT_EQ(to_rfc3339(WallTime(microseconds(-1))), "1969-12-31T23:59:59Z");
  EXPECT_EQ(to_rfc3339(WallTime(std::chrono::sys_days(std::chrono::year(2024) / 2 / 29))),
            "2024-02-29T00:00:00Z");
}

TEST(Time, IsShortInTables) {
  EXPECT_EQ(to_short_string(microseconds(999'999)), "0 s");
  EXPECT_EQ(to_short_string(seconds(119)), "119 s");
  EXPECT_EQ(to_short_string(seconds(120)), "2 min");
  EXPECT_EQ(to_short_string(minutes(119)), "119 min");
  EXPECT_EQ(to_short_string(hours(2)), "2 h");
  EXPECT_EQ(to_short_string(hours(47)), "47 h");
  EXPECT_EQ(to_short_string(days(5)), "5 d");
}

TEST(Time, MonotonicPointsAreApartByADuration) {
  const MonotonicTime start{seconds(10)};
  EXPECT_EQ((start + seconds(5)) - start, seconds(5));
  EXPECT_LT(start, start + microseconds(1));
}

TEST(SystemClock, NeverRunsBackwardsAndKnowsTheEra) {
  const SystemClock clock;
  const Now first = clock.now();
  const Now second = clock.now();
  EXPECT_LE(first.monotonic, second.monotonic);
  EXPECT_GT(first.monotonic.since_start, Duration::zero());
  EXPECT_GT(first.wall, WallTime(std::chrono::sys_days(std::chrono::year(2023) / 1 / 1)));
}

}  // namespace
}  // namespace stellwerk
