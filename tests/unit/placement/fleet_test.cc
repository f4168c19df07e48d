#include "placement/fleet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "fixtures.h"

namespace stellwerk::placement {
namespace {

Fleet three_hosts() {
  return fleet_of({plain_host(1), plain_host(3), plain_host(5)});
}

TEST(Fleet, FindsEveryHostByUidAndNoOther) {
  Fleet fleet = three_hosts();
  for (const HostLoad& host : fleet.hosts) EXPECT_EQ(fleet.find(host.uid), &host);
  for (const uint8_t absent : {0, 2, 4, 6}) EXPECT_EQ(fleet.find(host_uid(absent)), nullptr);
  EXPECT_EQ(Fleet().find(host_uid(1)), nullptr);
}

TEST(Fleet, ChargesTheClaimedHostAlone) {
  Fleet fleet = three_hosts();
  const Fleet before = fleet;
  fleet.charge(claim_on(fleet.hosts[1], plain_request()));
  EXPECT_EQ(fleet.hosts[0], before.hosts[0]);
  EXPECT_EQ(fleet.hosts[2], before.hosts[2]);
  EXPECT_EQ(fleet.hosts[1].vcpus_used.at(CpuClass::kShared), VcpuCount(2));
  EXPECT_EQ(fleet.hosts[1].memory_used, gibibytes(4));
  EXPECT_EQ(fleet.hosts[1].disk_used, gigabytes(20));
}

TEST(Fleet, KnowsWhichThreadsClaimsName) {
  Fleet fleet = three_hosts();
  Claim claim = claim_on(fleet.hosts[0], plain_request());
  claim.cpu_class = CpuClass::kDedicatedCore;
  claim.cpus = {0, 4, 1, 5};
  fleet.charge(claim);
  EXPECT_EQ(fleet.hosts[0].dedicated, (std::map<int32_t, int64_t>{{0, 1}, {1, 1}, {4, 1}, {5, 1}}));
  EXPECT_EQ(fleet.hosts[0].vcpus_pinned.at(CpuClass::kDedicatedCore), VcpuCount(2));
  fleet.release(claim);
  EXPECT_EQ(fleet.hosts[0], three_hosts().hosts[0]);
}

RC_GTEST_PROP(Fleet, ReleasesInAnyOrderUndoTheirCharges, ()) {
  Fleet fleet = three_hosts();
  const Fleet before = fleet;
  std::vector<Claim> claims;
  const int count = *rc::gen::inRange(0, 20);
  for (int i = 0; i < count; ++i) {
    claims.push_back(claim_on(fleet.hosts[*rc::gen::inRange(0, 3)], any_request()));
    fleet.charge(claims.back());
  }
  while (!claims.empty()) {
    const auto at = claims.begin() + *rc::gen::inRange<size_t>(0, claims.size());
    fleet.release(*at);
    claims.erase(at);
  }
  RC_ASSERT(fleet.hosts == before.hosts);
}

TEST(FleetDeathTest, AbortsWhenMoreIsReleasedThanWasCharged) {
  Fleet fleet = three_hosts();
  const Claim claim = claim_on(fleet.hosts[0], plain_request());
  fleet.charge(claim);
  fleet.release(claim);
  EXPECT_DEATH(fleet.release(claim), "");
}

TEST(FleetDeathTest, AbortsOnAClaimOfAnUnknownHost) {
  Fleet fleet = three_hosts();
  EXPECT_DEATH(fleet.charge(claim_on(plain_host(9), plain_request())), "");
}

}  // namespace
}  // namespace stellwerk::placement
