#include "placement/simulate/report.h"

#include "fixtures.h"

namespace stellwerk::placement::simulate {
namespace {

TEST(Report, CountsTimeWithinTheWindow) {
  const TraceRow row{.arrival = 10, .departure = 40, .vcpus = 3};
  EXPECT_DOUBLE_EQ(vcpu_seconds(row, 0, {0, 100}), 90);
  EXPECT_DOUBLE_EQ(vcpu_seconds(row, 20, {0, 100}), 60);
  EXPECT_DOUBLE_EQ(vcpu_seconds(row, 0, {0, 30}), 60);
  EXPECT_DOUBLE_EQ(vcpu_seconds(row, 50, {0, 100}), 0);
}

TEST(Report, HasNoFractionOfNothing) {
  EXPECT_DOUBLE_EQ(Report().rejected_vcpu_fraction(), 0);
  EXPECT_EQ(to_string(OnFull::kWait), "wait");
  EXPECT_EQ(to_string(OnFull::kReject), "reject");
}

}  // namespace
}  // namespace stellwerk::placement::simulate
