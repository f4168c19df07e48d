#include "placement/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "fixtures.h"
#include "placement/fits.h"

namespace stellwerk::placement {
namespace {

HostUid placed_on(const Fleet& fleet, const Request& request) {
  const Decision decision = place(fleet, request);
  const Placed* placed = std::get_if<Placed>(&decision);
  return placed != nullptr ? placed->claim.host : HostUid();
}

TEST(Place, ClaimsWhatWasAsked) {
  const Fleet fleet = fleet_of({plain_host(1)});
  const Decision decision = place(fleet, plain_request());
  ASSERT_TRUE(std::holds_alternative<Placed>(decision));
  EXPECT_EQ(std::get<Placed>(decision).claim, claim_on(fleet.hosts[0], plain_request()));
}

TEST(Place, FillsTheHostThatIsLeftWithTheLeastMemory) {
  Fleet fleet = fleet_of({plain_host(1), plain_host(2), plain_host(3)});
  fleet.hosts[1].memory_used = gibibytes(11);
  fleet.hosts[2].memory_used = gibibytes(13);  // too full
  EXPECT_EQ(placed_on(fleet, plain_request()), host_uid(2));
}

TEST(Place, BreaksTiesInMemoryByVcpusThenByIndex) {
  Fleet fleet = fleet_of({plain_host(1), plain_host(2), plain_host(3)});
  EXPECT_EQ(placed_on(fleet, plain_request()), host_uid(1));
  fleet.hosts[1].vcpus_used[CpuClass::kShared] = VcpuCount(6);
  fleet.hosts[2].vcpus_used[CpuClass::kShared] = VcpuCount(6);
  EXPECT_EQ(placed_on(fleet, plain_request()), host_uid(2));
}

TEST(Place, RefusesWithOneReasonPerHostInFleetOrder) {
  Fleet fleet = fleet_of({plain_host(1), plain_host(2)});
  fleet.hosts[0].accepting = false;
  fleet.hosts[1].memory_used = gibibytes(16);
  const Decision decision = place(fleet, plain_request());
  const Refused* refused = std::get_if<Refused>(&decision);
  ASSERT_NE(refused, nullptr);
  ASSERT_EQ(refused->refusals.size(), 2u);
  EXPECT_EQ(refused->refusals[0].host, host_uid(1));
  EXPECT_EQ(refused->refusals[0].rule, "accepting");
  EXPECT_EQ(refused->refusals[1].host, host_uid(2));
  EXPECT_EQ(refused->refusals[1].rule, "memory");
  EXPECT_THAT(refused->summary, testing::HasSubstr("4 GiB asked, the largest free is 0 bytes"));
}

RC_GTEST_PROP(Place, AClaimAlwaysFitsAndIsRefusedOnlyIfNoHostFits, ()) {
  const Fleet fleet = any_fleet();
  const Request request = any_request();
  const auto fits = [&](const HostLoad& host) {
    return !first_refusal(host, request, fleet.cpu_limits).has_value();
  };
  const HostUid chosen = placed_on(fleet, request);
  if (chosen.is_nil()) {
    RC_ASSERT(std::none_of(fleet.hosts.begin(), fleet.hosts.end(), fits));
  } else {
    RC_ASSERT(fits(*fleet.find(chosen)));
  }
}

RC_GTEST_PROP(Place, IsTheSameForTheSameFleetHoweverItCameAbout, ()) {
  Fleet one = any_fleet();
  Fleet other = one;
  std::vector<Claim> claims;
  const int count = *rc::gen::inRange(0, 6);
  for (int i = 0; i < count; ++i) {
    claims.push_back(
        claim_on(one.hosts[*rc::gen::inRange<size_t>(0, one.hosts.size())], any_request()));
  }
  for (const Claim& claim : claims) one.charge(claim);
  std::reverse(claims.begin(), claims.end());
  for (const Claim& claim : claims) other.charge(claim);
  const Request request = any_request();
  RC_ASSERT(placed_on(one, request) == placed_on(other, request));
}

// A host's accounts after an admission sequence, counted from the claims themselves.
void assert_never_oversubscribed(const HostLoad& host, const std::vector<Claim>& claims) {
  Bytes memory;
  Bytes disk;
  for (const Claim& claim : claims) {
    if (claim.host != host.uid) continue;
    memory += claim.memory;
    disk += claim.disk;
  }
  RC_ASSERT(memory == host.memory_used);
  RC_ASSERT(disk == host.disk_used);
  if (memory > Bytes()) {
    RC_ASSERT(memory + host.reserve.memory + host.foreign.memory <= host.facts.memory);
  }
  if (disk > Bytes()) RC_ASSERT(disk + host.reserve.disk <= host.facts.disk);
}

void assert_cpus_never_oversubscribed(const HostLoad& host, const CpuLimits& limits) {
  if (host.vcpus_used.empty()) return;
  const auto used = [&](CpuClass cpu_class) {
    const auto found = host.vcpus_used.find(cpu_class);
    return found == host.vcpus_used.end() ? int64_t{0} : found->second.count();
  };
  const int64_t per_core = (host.facts.threads + host.facts.cores - 1) / host.facts.cores;
  const int64_t left = host.facts.threads - used(CpuClass::kDedicatedThread) -
                       per_core * used(CpuClass::kDedicatedCore);
  const int64_t shared = used(CpuClass::kShared) + host.foreign.vcpus.count();
  RC_ASSERT(left >= 0);
  RC_ASSERT(shared * limits.low_performance_per_thread +
                used(CpuClass::kLowPerformance) * limits.shared_per_thread <=
            left * limits.shared_per_thread * limits.low_performance_per_thread);
  RC_ASSERT(shared * host.facts.threads <= left * host.facts.cores * limits.shared_per_core);
}

RC_GTEST_PROP(Place, AnySequenceOfAdmissionsAndDeletionsOversubscribesNoHost, ()) {
  Fleet fleet = any_fleet();
  std::vector<Claim> claims;
  const int steps = *rc::gen::inRange(1, 40);
  for (int i = 0; i < steps; ++i) {
    if (!claims.empty() && *rc::gen::inRange(0, 4) == 0) {
      const auto at = claims.begin() + *rc::gen::inRange<size_t>(0, claims.size());
      fleet.release(*at);
      claims.erase(at);
    } else if (const Decision d = place(fleet, any_request()); std::holds_alternative<Placed>(d)) {
      claims.push_back(std::get<Placed>(d).claim);
      fleet.charge(claims.back());
    }
    for (const HostLoad& host : fleet.hosts) {
      assert_never_oversubscribed(host, claims);
      assert_cpus_never_oversubscribed(host, fleet.cpu_limits);
    }
  }
}

}  // namespace
}  // namespace stellwerk::placement
