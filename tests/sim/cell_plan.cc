#include "tests/sim/cell_plan.h"

#include <fmt/format.h>

namespace stellwerk::sim {
namespace {

constexpr uint64_t kFewestHosts = 3;
constexpr uint64_t kMostHosts = 5;

Milliwatts between(Random& random, int64_t low, int64_t high) {
  return watts(low + static_cast<int64_t>(random.below(static_cast<uint64_t>(high - low) + 1)));
}

void draw_site(CellPlan& plan, const std::string& site, Random& random) {
  plan.sites.push_back(site);
  std::vector<std::string> feeds;
  for (uint64_t i = random.below(3); i > 0; --i) {
    plan.feeds.push_back({site, fmt::format("f{}", i), between(random, 300, 1500)});
    feeds.push_back(site + "/" + plan.feeds.back().id);
  }
  const uint64_t zones = 1 + random.below(2);
  for (uint64_t z = 0; z < zones; ++z) {
    plan.zones.push_back({site, z == 0 ? "a" : "b"});
    const std::string zone = site + "/" + plan.zones.back().id;
    const uint64_t racks = 1 + random.below(2);
    for (uint64_t r = 1; r <= racks; ++r) {
      CellPlan::Rack rack{.zone = zone, .id = fmt::format("r{}", r), .feeds = feeds, .limit = {}};
      if (!feeds.empty() && random.chance(200)) rack.feeds.resize(1);
      if (random.chance(300)) rack.limit = between(random, 200, 900);
      plan.racks.push_back(std::move(rack));
    }
  }
}

std::optional<DomainLevel> draw_guarantee(Random& random) {
  switch (random.below(6)) {
    case 0:
      return std::nullopt;
    case 1:
      return DomainLevel::kZone;
    case 2:
      return DomainLevel::kSite;
    case 3:
      return DomainLevel::kRack;
    default:
      return DomainLevel::kHost;
  }
}

}  // namespace

CellPlan draw_cell(Random random) {
  CellPlan plan{.guarantee = draw_guarantee(random)};
  draw_site(plan, "dc1", random);
  if (random.chance(600)) draw_site(plan, "dc2", random);
  const uint64_t hosts = kFewestHosts + random.below(kMostHosts - kFewestHosts + 1);
  const bool known_power = random.chance(700);
  for (uint64_t i = 1; i <= hosts; ++i) {
    CellPlan::Host host{.id = fmt::format("host-{}", i)};
    if (!random.chance(100)) {
      const CellPlan::Rack& rack = random.pick(plan.racks);
      host.rack = rack.zone + "/" + rack.id;
    }
    host.labels = {{"disk", random.chance(500) ? "fast" : "slow"}};
    // Some hold two large guests, most of them one beside small ones.
    const bool large = random.chance(400);
    host.memory = gibibytes(large ? 20 : 6 + static_cast<int64_t>(random.below(8)));
    if (random.chance(300)) host.labels["gpu"] = "";
    if (known_power) host.power = {.idle = between(random, 50, 120), .peak = watts(300)};
    plan.hosts.push_back(std::move(host));
  }
  return plan;
}

}  // namespace stellwerk::sim
