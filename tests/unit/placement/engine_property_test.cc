// What must hold of every decision, whatever came before it.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "audit.h"
#include "placement/power.h"
#include "world.h"

namespace stellwerk::placement {
namespace {

std::optional<DomainLevel> any_guarantee(Dice& dice) {
  const int64_t level = dice.in(0, 5);
  if (level == 4) return std::nullopt;
  return static_cast<DomainLevel>(level);
}

RC_GTEST_PROP(EngineProperty, IsAsOneThatWasToldOfTheSurvivorsAlone, ()) {
  Dice dice = any_dice();
  // What a vCPU weighs in other policies is learnt of the fleet as it was at first.
  const bool shrinks = dice.one_in(2);
  World world = any_world(dice, {.guarantee = any_guarantee(dice),
                                 .shrinks = shrinks,
                                 .policy = shrinks ? Policy::kFirstFit : Policy::kBestFit});
  Engine engine = empty_engine(world);
  const int64_t steps = *rc::gen::inRange(0, 60);
  for (int64_t i = 0; i < steps; ++i) take_step(dice, world, engine);
  Engine rebuilt = engine_from_scratch(world);
  RC_ASSERT(difference(engine, rebuilt) == "");
  for (int i = 0; i < 8; ++i) {
    const Request request = any_request(dice, world);
    RC_ASSERT(text_of(engine.place(request)) == text_of(rebuilt.place(request)));
  }
}

RC_GTEST_PROP(EngineProperty, ReleasesInAnyOrderUndoTheirCharges, ()) {
  Dice dice = any_dice();
  World world = any_world(dice, {.guarantee = any_guarantee(dice)});
  Engine engine = empty_engine(world);
  for (int i = 0; i < 30; ++i) take_step(dice, world, engine);
  while (!world.guests.empty()) {
    release_guest(world, engine, static_cast<size_t>(dice.in(0, std::ssize(world.guests))));
  }
  RC_ASSERT(difference(engine, empty_engine(world)) == "");
}

RC_GTEST_PROP(EngineProperty, DecidesWithoutChangingAnything, ()) {
  Dice dice = any_dice();
  World world = any_world(dice, {.guarantee = any_guarantee(dice), .shrinks = dice.one_in(2)});
  Engine engine = empty_engine(world);
  for (int i = 0; i < 20; ++i) take_step(dice, world, engine);
  const Engine before = engine_from_scratch(world);
  for (int i = 0; i < 10; ++i) {
    Request request = any_request(dice, world);
    if (dice.one_in(5)) request.vcpus = VcpuCount(0);
    if (dice.one_in(3)) request.count = dice.in(1, 40);
    engine.place(request);
    RC_ASSERT(difference(engine, before) == "");
  }
}

// Whoever comes keeps the wishes, and leaves every promise kept.
RC_GTEST_PROP(EngineProperty, BreaksNoPromise, ()) {
  Dice dice = any_dice();
  World world = any_world(dice, {.guarantee = any_guarantee(dice)});
  Engine engine = empty_engine(world);
  const int64_t steps = *rc::gen::inRange(0, 60);
  for (int64_t i = 0; i < steps; ++i) {
    const size_t before = world.guests.size();
    take_step(dice, world, engine);
    for (size_t g = before; g < world.guests.size(); ++g) {
      const Guest& guest = world.guests[g];
      const Host& host = world.host(guest.occupation.claim.host);
      RC_ASSERT(unkept_wishes(world, host, guest.request, true).empty());
      RC_ASSERT(guest.request.wishes.host.is_nil() || guest.request.wishes.host == host.uid);
      RC_ASSERT(guest.occupation.backup.has_value() ==
                (world.settings.guarantee && guest.request.failover));
    }
    RC_ASSERT(broken_promises(world, running(world)) == std::vector<std::string>());
  }
}

// Some claim on this host, of the threads and nodes there are, keeps every promise: tried one by
// one where threads matter.
bool could_run(const World& world, const Host& host, const Request& request) {
  const bool elsewhere = !request.wishes.host.is_nil() && request.wishes.host != host.uid;
  if (elsewhere || !unkept_wishes(world, host, request, true).empty()) return false;
  World alone = world;
  std::vector<Running> guests = running(world);
  Fleet fleet(world.settings.cpu_limits, world.topology, {host});
  Claim claim = claim_of(request, host.uid);
  claim.power =
      power_of(fleet.hosts()[0], request.cpu_class, request.vcpus, world.settings.cpu_limits);
  guests.push_back({claim, request.group});
  std::vector<int32_t> ids;
  for (const NumaNode& node : host.facts.numa) ids.push_back(node.id);
  if (request.numa_nodes == 0) return broken_promises(world, guests).empty();
  if (std::ssize(ids) < request.numa_nodes) return false;
  for (uint32_t set = 0; set < (1U << ids.size()); ++set) {
    if (__builtin_popcount(set) != request.numa_nodes) continue;
    std::vector<int32_t>& nodes = guests.back().claim.numa_nodes;
    nodes.clear();
    for (size_t i = 0; i < ids.size(); ++i) {
      if ((set >> i) % 2 == 1) nodes.push_back(ids[i]);
    }
    if (broken_promises(world, guests).empty()) return true;
  }
  return false;
}

RC_GTEST_PROP(EngineProperty, RefusesOnlyWhatNoHostCouldRun, ()) {
  Dice dice = any_dice();
  World world = any_world(dice, {.guarantee = std::nullopt});
  Engine engine = empty_engine(world);
  for (int i = 0; i < 25; ++i) take_step(dice, world, engine);
  for (int i = 0; i < 12; ++i) {
    Request request = any_request(dice, world);
    request.count = 1;
    request.pool.clear();
    request.pool_bytes = {};
    const std::vector<uint32_t> feasible = engine.feasible_hosts(request);
    const HostUid chosen = host_of(engine.place(request));
    RC_ASSERT(chosen.is_nil() == feasible.empty());
    if (!chosen.is_nil()) {
      const uint32_t index = engine.fleet().index_of(chosen);
      RC_ASSERT(std::count(feasible.begin(), feasible.end(), index) == 1);
    }
    if (is_dedicated(request.cpu_class)) continue;
    for (const Host& host : world.hosts) {
      const uint32_t index = engine.fleet().index_of(host.uid);
      const bool could = std::count(feasible.begin(), feasible.end(), index) == 1;
      if (could == could_run(world, host, request)) continue;
      RC_LOG() << text_of(request) << " on " << host.id << ", feasible: " << could << "\n";
      RC_FAIL("feasible_hosts and the exhaustive search disagree");
    }
  }
}

// Soft wishes first, then the score: compared as pairs, apart from how the engine adds them up.
using Cost = std::tuple<int64_t, int64_t, int64_t>;
Mixes weights_of(const Fleet& fleet) {
  Mixes mixes;
  for (size_t i = 0; i < kCpuClasses; ++i) {
    int64_t threads = 0;
    int64_t vcpus = 0;
    for (const HostLoad& host : fleet.hosts()) {
      threads += host.offer.threads;
      vcpus += host.all_vcpus[i];
    }
    const float each = static_cast<float>(threads) / static_cast<float>(vcpus);
    mixes.threads_per_vcpu[i] = vcpus == 0 ? 1 : each;
  }
  return mixes;
}
Cost cost_of(const Engine& engine, const Request& request, uint32_t host) {
  const Fleet& fleet = engine.fleet();
  int64_t against = 0;
  if (const GroupLoad* group = engine.group(request.group)) {
    against = *GroupView(fleet, *group, engine.settings().guarantee).cost(host);
  }
  const auto site = fleet.find_place(request.wishes.preferred_site);
  const bool elsewhere = site && (host < site->first || host >= site->end);
  return {against, elsewhere,
          score_of(engine.settings().policy, fleet.hosts()[host], ask_of(fleet, request),
                   weights_of(fleet))};
}

RC_GTEST_PROP(EngineProperty, TakesTheBestHostAndASeedDecidesAmongEqualsAlone, ()) {
  Dice dice = any_dice();
  const Policy policy = dice.of({Policy::kFirstFit, Policy::kBestFit, Policy::kWorstFit});
  World world = any_world(dice, {.power = false, .policy = policy});
  world.settings.tie_seed.reset();
  Engine engine = empty_engine(world);
  for (int i = 0; i < 25; ++i) take_step(dice, world, engine);
  World seeded = world;
  seeded.settings.tie_seed = dice.seed();
  Engine other = engine_from_scratch(seeded);
  Engine same = engine_from_scratch(seeded);
  for (int i = 0; i < 12; ++i) {
    Request request = any_request(dice, world);
    request.count = 1;
    const Decision decision = engine.place(request);
    const Decision by_seed = other.place(request);
    RC_ASSERT(text_of(by_seed) == text_of(same.place(request)));
    RC_ASSERT(host_of(decision).is_nil() == host_of(by_seed).is_nil());
    if (host_of(decision).is_nil()) continue;
    std::optional<Cost> least;
    for (const uint32_t host : engine.feasible_hosts(request)) {
      const Cost cost = cost_of(engine, request, host);
      if (!least || cost < *least) least = cost;
    }
    const auto cost = [&](const Decision& of) {
      return cost_of(engine, request, engine.fleet().index_of(host_of(of)));
    };
    RC_ASSERT(cost(decision) == *least);
    RC_ASSERT(cost(by_seed) == *least);
  }
}

}  // namespace
}  // namespace stellwerk::placement
