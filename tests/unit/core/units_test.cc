#include "core/units.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>

namespace stellwerk {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

TEST(Units, KnowTheirSizes) {
  EXPECT_EQ(kibibytes(3).count(), 3 * 1024);
  EXPECT_EQ(mebibytes(1).count(), 1 << 20);
  EXPECT_EQ(gibibytes(4), mebibytes(4096));
  EXPECT_EQ(gigabytes(20).count(), 20'000'000'000);
}

RC_GTEST_PROP(Units, SubtractionUndoesAddition, (int32_t a, int32_t b)) {
  Bytes amount{a};
  amount += Bytes(b);
  RC_ASSERT(amount == Bytes(int64_t{a} + b));
  amount -= Bytes(b);
  RC_ASSERT(amount == Bytes(a));
}

TEST(UnitsDeathTest, AbortOnOverflowInsteadOfWrapping) {
  EXPECT_DEATH((void)(Bytes(kMax) + Bytes(1)), "");
  EXPECT_DEATH((void)(Bytes(-kMax) - Bytes(2)), "");
  EXPECT_DEATH((void)(Bytes(kMax / 2) * 3), "");
}

TEST(Units, AreShownInTheLargestUnitThatKeepsOneWhole) {
  EXPECT_EQ(to_string(Bytes()), "0 bytes");
  EXPECT_EQ(to_string(Bytes(1023)), "1023 bytes");
  EXPECT_EQ(to_string(Bytes(1024)), "1 KiB");
  EXPECT_EQ(to_string(mebibytes(512)), "512 MiB");
  EXPECT_EQ(to_string(mebibytes(1536)), "1.5 GiB");
  EXPECT_EQ(to_string(gibibytes(12 * 1024)), "12 TiB");
  EXPECT_EQ(to_string(gibibytes(5000 * 1024)), "5000 TiB");
  EXPECT_EQ(to_string(Bytes(-2048)), "-2 KiB");
}

TEST(Milliwatts, ReadsAsWattsOrKilowatts) {
  EXPECT_EQ(to_string(watts(350)), "350 W");
  EXPECT_EQ(to_string(Milliwatts(12'500)), "12.5 W");
  EXPECT_EQ(to_string(watts(1250)), "1.25 kW");
  EXPECT_EQ(to_string(Milliwatts()), "0 W");
  EXPECT_EQ(to_string(watts(-2000)), "-2 kW");
}

TEST(MegabitsPerSecond, ReadsAsGigabitsFromAThousandOn) {
  EXPECT_EQ(to_string(MegabitsPerSecond(100)), "100 Mbit/s");
  EXPECT_EQ(to_string(MegabitsPerSecond(25'000)), "25 Gbit/s");
  EXPECT_EQ(to_string(MegabitsPerSecond(2500)), "2.5 Gbit/s");
}

}  // namespace
}  // namespace stellwerk
