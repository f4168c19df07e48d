#include "placement/simulate/usage.h"

#include <gmock/gmock.h>

#include "fixtures.h"

namespace stellwerk::placement::simulate {
namespace {

using testing::DoubleEq;
using testing::Each;
using testing::ElementsAre;

TEST(Usage, DrawsTheLoadOfEachSite) {
  auto plan = generate_fleet(
      {.hosts = 2, .host_vcpus = 4, .host_memory_mib = 8192, .hosts_per_rack = 1, .sites = 2});
  const Report report =
      replayed(trace_of({"0,500,a,p,4,4096,0", "0,,b,p,2,8192,0", "1000,,c,p,1,1,0"}), *plan);
  ASSERT_EQ(report.load.sites.size(), 2u);
  const LoadSeries::Site& first = report.load.sites[0];
  EXPECT_EQ(first.id, "dc1");
  ASSERT_EQ(first.vcpus.size(), Usage::kParts);
  EXPECT_NEAR(first.vcpus[0], 1, 1e-9);
  EXPECT_NEAR(first.memory[0], 0.5, 1e-9);
  EXPECT_NEAR(first.vcpus[Usage::kParts / 2 - 1], 1, 1e-9);
  EXPECT_NEAR(first.vcpus[Usage::kParts / 2], 0, 1e-9);
  EXPECT_THAT(report.load.sites[1].vcpus, Each(testing::DoubleNear(0.5, 1e-9)));
}

TEST(Usage, KeepsWhatThePeakLookedLike) {
  const Report report = replayed(trace_of({"0,50,a,p,4,1,0", "10,60,b,p,2,1,0", "20,60,c,p,1,1,0",
                                           "70,80,d,p,3,1,0", "75,,e,p,2,1,0"}),
                                 small_fleet(3));
  EXPECT_EQ(report.peak_hosts_used, 2);
  EXPECT_EQ(report.peak.time, 20);
  ASSERT_EQ(report.peak.racks.size(), 3u);
  EXPECT_EQ(report.peak.racks[1].id, "dc1/a/r02");
  EXPECT_THAT(report.peak.racks[0].vcpus, ElementsAre(DoubleEq(1)));
  EXPECT_THAT(report.peak.racks[1].vcpus, ElementsAre(DoubleEq(0.75)));
  EXPECT_THAT(report.peak.racks[2].vcpus, ElementsAre(DoubleEq(0)));
}

TEST(Usage, StrandedMemoryIsMemoryWithoutProcessors) {
  const Report report =
      replayed(trace_of({"0,,a,p,4,2048,0", "100,,b,p,4,2048,0"}), small_fleet(1));
  EXPECT_DOUBLE_EQ(report.stranded_memory_fraction, 0.75);
  EXPECT_DOUBLE_EQ(report.stranded_vcpu_fraction, 0);
}

}  // namespace
}  // namespace stellwerk::placement::simulate
