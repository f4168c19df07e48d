// What must hold of dedicated threads whatever is admitted and deleted, in whatever order.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>

#include "placement/processors.h"
#include "world.h"

namespace stellwerk::placement {
namespace {

struct Known {
  int32_t node = 0;
  std::vector<int32_t> core;
};

std::map<int32_t, Known> threads_of(const HostLoad& host) {
  std::map<int32_t, Known> threads;
  for (const NumaNode& node : host.nodes()) {
    for (const HostCore& core : node.cores) {
      for (const int32_t thread : core.threads) threads[thread] = {node.id, core.threads};
    }
  }
  return threads;
}

// No thread in two claims; the promise to shared guests kept; what the host says is what claims do.
void assert_host_is_sound(const HostLoad& host, const std::vector<Guest>& guests,
                          const CpuLimits& limits) {
  std::set<int32_t> taken;
  for (const Guest& guest : guests) {
    const Claim& claim = guest.occupation.claim;
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
    RC_ASSERT(claim.by_node || claim.numa_nodes.empty());
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
  Dice dice = any_dice();
  World world = any_world(dice, {.guarantee = DomainLevel::kHost, .most_hosts = 4});
  Engine engine = empty_engine(world);
  const int steps = *rc::gen::inRange(1, 40);
  for (int i = 0; i < steps; ++i) {
    if (!world.guests.empty() && dice.one_in(3)) {
      release_guest(world, engine, static_cast<size_t>(dice.in(0, std::ssize(world.guests))));
    } else {
      Request request = any_request(dice, world);
      request.cpu_class = dice.of({CpuClass::kDedicatedThread, CpuClass::kDedicatedCore});
      request.memory = mebibytes(64);
      request.disk = Bytes();
      const size_t before = world.guests.size();
      ask(world, engine, request);
      for (size_t g = before; g < world.guests.size(); ++g) {
        const Claim& claim = world.guests[g].occupation.claim;
        assert_claim_is_sound(claim, *engine.fleet().find(claim.host));
      }
    }
    for (const HostLoad& host : engine.fleet().hosts()) {
      assert_host_is_sound(host, world.guests, world.settings.cpu_limits);
    }
  }
  while (!world.guests.empty()) release_guest(world, engine, 0);
  RC_ASSERT(difference(engine, empty_engine(world)) == "");
}

// Claims from before threads were named and newer ones never meet: by number there is room for all.
RC_GTEST_PROP(Processors, AreEnoughForGuestsThatAreNotPinned, ()) {
  Dice dice = any_dice();
  const Host host = any_host(dice, 1);
  RC_PRE(!host.facts.numa.empty());
  Engine engine = engine_of({host});
  const int64_t threads = host.facts.threads;
  const int64_t old = dice.in(0, threads);
  if (old > 0) {
    engine.charge(
        {{.host = host.uid, .cpu_class = CpuClass::kDedicatedThread, .vcpus = VcpuCount(old)},
         std::nullopt,
         {}});
  }
  Request request{
      .cpu_class = CpuClass::kDedicatedThread, .vcpus = VcpuCount(1), .memory = mebibytes(1)};
  while (!admit(engine, request).empty()) {
  }
  const HostLoad& full = engine.fleet().hosts().front();
  const auto named = static_cast<int64_t>(dedicated_cpus(full).size());
  RC_ASSERT(named + old <= std::max(threads - 1, old));
  RC_ASSERT(unpinned_vcpus(full, CpuClass::kDedicatedThread) == VcpuCount(old));
}

}  // namespace
}  // namespace stellwerk::placement
