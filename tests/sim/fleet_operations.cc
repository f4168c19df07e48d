#include "tests/sim/fleet_operations.h"

#include <fmt/format.h>

#include <utility>

namespace stellwerk::sim {
namespace {

const std::vector<std::string> kGroups = {"g-1", "g-1", "g-2"};

GroupRule draw_rule(Random& random) {
  GroupRule rule{.policy = random.chance(350) ? GroupPolicy::kAffinity : GroupPolicy::kAntiAffinity,
                 .level = static_cast<DomainLevel>(random.below(4)),
                 .hard = random.chance(700)};
  if (rule.policy == GroupPolicy::kAntiAffinity && random.chance(400)) rule.most_per_domain = 2;
  return rule;
}

std::string text_of(const GroupRule& rule) {
  return fmt::format(" {} {} per {} {}", rule.hard ? "hard" : "soft", to_string(rule.policy),
                     rule.most_per_domain, to_string(rule.level));
}

}  // namespace

// Where hosts stand comes last: some limits are too low even for idle hosts.
std::vector<Operation> FleetOperations::preparations() const {
  std::vector<Operation> all;
  for (const std::string& site : plan_.sites) {
    all.push_back({controller::CreateSite{site}, "create site " + site});
  }
  for (const CellPlan::Zone& zone : plan_.zones) {
    all.push_back({controller::CreateZone{zone.site, zone.id},
                   fmt::format("create zone {}/{}", zone.site, zone.id)});
  }
  for (const CellPlan::Feed& feed : plan_.feeds) {
    all.push_back(
        {controller::CreateFeed{feed.site, feed.id, feed.budget},
         fmt::format("create feed {}/{} {}", feed.site, feed.id, to_string(feed.budget))});
  }
  for (const CellPlan::Rack& rack : plan_.racks) {
    all.push_back({controller::CreateRack{rack.zone, rack.id, rack.feeds, rack.limit},
                   fmt::format("create rack {}/{}", rack.zone, rack.id)});
  }
  for (const CellPlan::Host& host : plan_.hosts) {
    all.push_back({controller::UpdateHost{.id = host.id,
                                          .labels = host.labels,
                                          .rack = host.rack,
                                          .idle = host.power.idle,
                                          .peak = host.power.peak},
                   fmt::format("enter {} in {}", host.id, host.rack)});
  }
  return all;
}

Milliwatts FleetOperations::some_power(int64_t low, int64_t high) {
  return watts(low + static_cast<int64_t>(random_.below(static_cast<uint64_t>(high - low))));
}

std::string FleetOperations::some_group() {
  return random_.pick(kGroups);
}

std::string FleetOperations::some_rack() {
  const CellPlan::Rack& rack = random_.pick(plan_.racks);
  return rack.zone + "/" + rack.id;
}

std::string FleetOperations::some_place() {
  const std::string rack = some_rack();
  switch (random_.below(3)) {
    case 0:
      return rack;
    case 1:
      return rack.substr(0, rack.rfind('/'));
    default:
      return rack.substr(0, rack.find('/'));
  }
}

LabelMatch FleetOperations::some_label() {
  if (random_.chance(300)) return {.key = "gpu", .value = std::nullopt};
  return {.key = "disk", .value = random_.chance(500) ? "fast" : "slow"};
}

std::vector<std::string> FleetOperations::some_feeds(const std::string& zone) {
  std::vector<std::string> feeds;
  for (const CellPlan::Feed& feed : plan_.feeds) {
    if (zone.starts_with(feed.site + "/") && random_.chance(700)) {
      feeds.push_back(feed.site + "/" + feed.id);
    }
  }
  return feeds;
}

// One thing at a time, or several at once.
Operation FleetOperations::change_host() {
  const CellPlan::Host& host = random_.pick(plan_.hosts);
  controller::UpdateHost update{.id = host.id};
  std::string text = "update " + host.id;
  if (random_.chance(300)) {
    update.labels = Labels{{"disk", random_.chance(500) ? "fast" : "slow"}};
    if (random_.chance(400)) (*update.labels)["gpu"] = "";
    text += " labels";
  }
  if (random_.chance(400)) {
    update.rack = random_.chance(150) ? "" : some_rack();
    text += " rack " + *update.rack;
  }
  if (random_.chance(250)) {
    update.idle = some_power(0, 150);
    update.peak = some_power(140, 400);
    text += fmt::format(" power {} to {}", to_string(*update.idle), to_string(*update.peak));
  }
  if (random_.chance(500)) {
    update.maintenance = random_.chance(400);
    text += *update.maintenance ? " maintenance on" : " maintenance off";
  }
  return {std::move(update), std::move(text)};
}

Operation FleetOperations::change_rack() {
  controller::UpdateRack update{.id = some_rack()};
  std::string text = "update rack " + update.id;
  if (random_.chance(500)) {
    update.feeds = some_feeds(update.id);
    text += fmt::format(" {} feeds", update.feeds->size());
  }
  if (random_.chance(500)) {
    update.power_limit.emplace();
    if (random_.chance(700)) *update.power_limit = some_power(120, 600);
    text += " limit " + (*update.power_limit ? to_string(**update.power_limit) : "none");
  }
  return {std::move(update), std::move(text)};
}

Operation FleetOperations::change_feed() {
  if (plan_.feeds.empty()) return change_rack();
  const CellPlan::Feed& feed = random_.pick(plan_.feeds);
  const std::string id = feed.site + "/" + feed.id;
  const Milliwatts budget = some_power(200, 900);
  return {controller::UpdateFeed{id, budget},
          fmt::format("update feed {} budget {}", id, to_string(budget))};
}

// Of what nobody stands in, and of what somebody does.
Operation FleetOperations::change_place() {
  const std::string site = random_.pick(plan_.sites);
  const std::string zone = site + "/passing";
  const std::string feed = site + "/passing";
  switch (random_.below(8)) {
    case 0:
      return {controller::CreateSite{"passing"}, "create site passing"};
    case 1: {
      const std::string id = random_.chance(700) ? "passing" : site;
      return {controller::DeleteSite{id}, "delete site " + id};
    }
    case 2:
      return {controller::CreateZone{site, "passing"}, "create zone " + zone};
    case 3:
      return {controller::DeleteZone{zone}, "delete zone " + zone};
    case 4:
      return {controller::CreateFeed{site, "passing", some_power(100, 900)}, "create feed " + feed};
    case 5: {
      const bool own = plan_.feeds.empty() || random_.chance(700);
      const std::string id = own ? feed : plan_.feeds.front().site + "/" + plan_.feeds.front().id;
      return {controller::DeleteFeed{id}, "delete feed " + id};
    }
    case 6:
      return {controller::CreateRack{zone, "r9", some_feeds(zone), std::nullopt},
              "create rack " + zone + "/r9"};
    default: {
      const std::string id = random_.chance(700) ? zone + "/r9" : some_rack();
      return {controller::DeleteRack{id}, "delete rack " + id};
    }
  }
}

Operation FleetOperations::any() {
  switch (random_.below(10)) {
    case 0:
    case 1:
      return change_place();
    case 2:
      return change_rack();
    case 3:
      return change_feed();
    default:
      return change_host();
  }
}

Operation FleetOperations::change_group(const std::string& project) {
  if (!random_.chance(250)) return create_group(project);
  const std::string id = some_group();
  return {controller::DeleteGroup{project, id}, fmt::format("delete group {}/{}", project, id)};
}

Operation FleetOperations::create_group(const std::string& project) {
  const std::string id = some_group();
  controller::CreateGroup create{.project = project, .id = id, .rules = {draw_rule(random_)}};
  if (random_.chance(300)) create.rules.push_back(draw_rule(random_));
  std::string text = fmt::format("create group {}/{}", project, id);
  for (const GroupRule& rule : create.rules) text += text_of(rule);
  return {std::move(create), std::move(text)};
}

}  // namespace stellwerk::sim
