// What must hold of dedicated threads whatever is admitted and deleted, in whatever order.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>

#include "fixtures.h"
#include "placement/processors.h"

namespace stellwerk::placement {
namespace {

struct Known {
  int32_t node = 0;
  std::vector<int32_t> core;
};

std::map<int32_t, Known> threads_of(const HostLoad& host) {
  std::map<int32_t, Known> threads;
  for (const NumaNode& node : host.facts.numa) {
    for (const HostCore& core : node.cores) {
      for (const int32_t thread : core.threads) threads[thread] = {node.id, core.threads};
    }
  }
  return threads;
}

// No thread in two claims; the promise to shared guests kept; what the host says is what claims do.
void assert_host_is_sound(const HostLoad& host, const std::vector<Claim>& claims,
                          const CpuLimits& limits) {
  std::set<int32_t> taken;
  for (const Claim& claim : claims) {
    if (claim.host != host.uid) continue;
    for (const int32_t cpu : claim.cpus) RC_ASSERT(taken.insert(cpu).second);
  }
  const std::vector<int32_t> dedicated = dedicated_cpus(host);
  RC_ASSERT(std::vector<int32_t>(taken.begin(), taken.end()) == dedicated);
  if (taken.empty()) return;
  RC_ASSERT(static_cast<int64_t>(shared_cpus(host).size()) >= limits.shared_threads_min);
  RC_ASSERT(shared_cpus(host).size() + taken.size() == threads_of(host).size());
}

void assert_claim_is_sound(const Claim& claim, const HostLoad& host) {
  if (!is_dedicated(claim.cpu_class)) {
    RC_ASSERT(claim.cpus.empty());
    RC_ASSERT(claim.numa_nodes.empty());
    return;
  }
  const auto threads = threads_of(host);
  const auto vcpus = static_cast<size_t>(claim.vcpus.count());
  RC_ASSERT(claim.cpus.size() % vcpus == 0u);
  const size_t each = claim.cpus.size() / vcpus;
  std::set<int32_t> nodes;
  for (size_t i = 0; i < claim.cpus.size(); i += each) {
    const std::vector<int32_t> own(claim.cpus.begin() + static_cast<std::ptrdiff_t>(i),
                                   claim.cpus.begin() + static_cast<std::ptrdiff_t>(i + each));
    if (claim.cpu_class == CpuClass::kDedicatedThread) RC_ASSERT(each == 1u);
    if (claim.cpu_class == CpuClass::kDedicatedCore) RC_ASSERT(threads.at(own.front()).core == own);
    nodes.insert(threads.at(own.front()).node);
  }
  RC_ASSERT(claim.numa_nodes == std::vector<int32_t>(nodes.begin(), nodes.end()));
}

RC_GTEST_PROP(Processors, AreNeverInTwoClaimsAndComeBackWithThem, ()) {
  Fleet fleet = any_fleet();
  const Fleet before = fleet;
  std::vector<Claim> claims;
  const int steps = *rc::gen::inRange(1, 40);
  for (int i = 0; i < steps; ++i) {
    if (!claims.empty() && *rc::gen::inRange(0, 3) == 0) {
      const auto at = claims.begin() + *rc::gen::inRange<std::ptrdiff_t>(0, std::ssize(claims));
      fleet.release(*at);
      claims.erase(at);
    } else {
      Request request = any_request();
      request.vcpus = VcpuCount(*rc::gen::inRange(1, 5));
      request.disk_type = DiskType::kUnspecified;
      request.memory = mebibytes(64);
      request.disk = Bytes();
      const Decision decision = place(fleet, request);
      if (!std::holds_alternative<Placed>(decision)) continue;
      claims.push_back(std::get<Placed>(decision).claim);
      assert_claim_is_sound(claims.back(), *fleet.find(claims.back().host));
      fleet.charge(claims.back());
    }
    for (const HostLoad& host : fleet.hosts) assert_host_is_sound(host, claims, fleet.cpu_limits);
  }
  for (const Claim& claim : claims) fleet.release(claim);
  RC_ASSERT(fleet.hosts == before.hosts);
}

// Claims from before threads were named and newer ones never meet: by number there is room for all.
RC_GTEST_PROP(Processors, AreEnoughForGuestsThatAreNotPinned, ()) {
  HostLoad fresh = any_host(1);
  fresh.accepting = true;
  RC_PRE(knows_topology(fresh.facts));
  Fleet fleet = fleet_of({fresh});
  const int64_t threads = fresh.facts.threads;
  const auto old = *rc::gen::inRange<int64_t>(0, threads);
  if (old > 0) {
    fleet.charge(
        {.host = fresh.uid, .cpu_class = CpuClass::kDedicatedThread, .vcpus = VcpuCount(old)});
  }
  Request request{.cpu_class = CpuClass::kDedicatedThread, .vcpus = VcpuCount(1)};
  while (true) {
    const Decision decision = place(fleet, request);
    if (!std::holds_alternative<Placed>(decision)) break;
    fleet.charge(std::get<Placed>(decision).claim);
  }
  const HostLoad& host = fleet.hosts.front();
  const auto named = static_cast<int64_t>(dedicated_cpus(host).size());
  RC_ASSERT(named + old <= std::max(threads - 1, old));
}

}  // namespace
}  // namespace stellwerk::placement
