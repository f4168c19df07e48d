#include "placement/simulate/histogram.h"

#include <gtest/gtest.h>

#include <vector>

namespace stellwerk::placement::simulate {
namespace {

TEST(Histogram, IsExactForSmallValues) {
  Histogram histogram;
  for (int64_t i = 1; i <= 60; ++i) histogram.add(i);
  EXPECT_EQ(histogram.count(), 60);
  EXPECT_EQ(histogram.sum(), 1830);
  EXPECT_EQ(histogram.quantile(0.5), 30);
  EXPECT_EQ(histogram.quantile(1), 60);
  EXPECT_EQ(histogram.quantile(0), 1);
}

TEST(Histogram, IsAtMostOnePartIn32TooHigh) {
  for (const int64_t value :
       std::vector<int64_t>{64, 65, 1000, 123456, 999999999, int64_t{1} << 40, INT64_MAX}) {
    Histogram histogram;
    histogram.add(value);
    const int64_t found = histogram.quantile(0.5);
    EXPECT_GE(found, value);
    EXPECT_LE(static_cast<double>(found), static_cast<double>(value) * (1 + 1.0 / 32));
  }
}

TEST(Histogram, FindsTheRareOnes) {
  Histogram histogram;
  for (int i = 0; i < 998; ++i) histogram.add(10);
  histogram.add(50);
  histogram.add(60);
  EXPECT_EQ(histogram.quantile(0.99), 10);
  EXPECT_EQ(histogram.quantile(0.999), 50);
}

TEST(Histogram, OfNothingIsNothing) {
  EXPECT_EQ(Histogram().quantile(0.5), 0);
  Histogram histogram;
  histogram.add(-5);
  EXPECT_EQ(histogram.quantile(0.5), 0);
}

}  // namespace
}  // namespace stellwerk::placement::simulate
