// How often the engine refuses what could be placed: against a search of every primary and backup
// for all instances of the request, beside what is charged, in small cells that are nearly full.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "audit.h"
#include "placement/power.h"
#include "world.h"

namespace stellwerk::placement {
namespace {

// Where everybody runs after the loss of the domain.
std::vector<Running> after_loss(const World& world, const std::string& domain) {
  const DomainLevel level = *world.settings.guarantee;
  std::vector<Running> after;
  for (const Guest& guest : world.guests) {
    Running one{guest.occupation.claim, guest.occupation.group};
    if (world.domain(one.claim.host, level) == domain) {
      if (!guest.occupation.backup) continue;
      one.claim.host = guest.occupation.backup->host;
      one.claim.power = guest.occupation.backup->power;
    }
    after.push_back(std::move(one));
  }
  return after;
}

bool keeps_every_promise(const World& world) {
  if (!broken_promises(world, running(world)).empty()) return false;
  if (!world.settings.guarantee) return true;
  return std::all_of(world.hosts.begin(), world.hosts.end(), [&](const Host& host) {
    const std::string domain = world.domain(host.uid, *world.settings.guarantee);
    return broken_promises(world, after_loss(world, domain)).empty();
  });
}

class ExhaustiveSearch {
 public:
  ExhaustiveSearch(const World& world, const Request& request)
      : world_(world), request_(request), fleet_(empty_engine(world).fleet()) {
    for (const Host& host : world.hosts) {
      if (unkept_wishes(world, host, request, true).empty()) hosts_.push_back(host.uid);
    }
    const bool guarded = world.settings.guarantee && request.failover;
    for (const HostUid& primary : hosts_) {
      if (!guarded) options_.push_back({claim_at(primary), std::nullopt, request.group});
      for (const HostUid& backup : hosts_) {
        if (!guarded || same_domain(primary, backup)) continue;
        options_.push_back({claim_at(primary),
                            Backup{.host = backup, .power = claim_at(backup).power},
                            request.group});
      }
    }
  }

  bool finds_place() { return finds_place(request_.count, 0); }

 private:
  bool same_domain(const HostUid& a, const HostUid& b) const {
    const DomainLevel level = *world_.settings.guarantee;
    return world_.domain(a, level) == world_.domain(b, level);
  }
  Claim claim_at(const HostUid& host) const {
    Claim claim = claim_of(request_, host);
    claim.power = power_of(*fleet_.find(host), request_.cpu_class, request_.vcpus,
                           world_.settings.cpu_limits);
    return claim;
  }
  // Instances are alike, so each takes an option that is not before the one of its predecessor;
  // who breaks a promise breaks it whoever comes after.
  bool finds_place(int64_t count, size_t first) {
    if (count == 0) return true;
    for (size_t option = first; option < options_.size(); ++option) {
      world_.guests.push_back({options_[option], request_});
      const bool found = keeps_every_promise(world_) && finds_place(count - 1, option);
      world_.guests.pop_back();
      if (found) return true;
    }
    return false;
  }

  World world_;
  const Request request_;
  const Fleet fleet_;
  std::vector<HostUid> hosts_;
  std::vector<Occupation> options_;
};

Request small_request(Dice& dice, const World& world) {
  Request request = plain_request();
  request.cpu_class = dice.one_in(4) ? CpuClass::kLowPerformance : CpuClass::kShared;
  request.vcpus = VcpuCount(dice.in(1, 7));
  request.memory = gibibytes(dice.in(1, 6));
  request.disk = gigabytes(dice.in(0, 20));
  request.failover = !dice.one_in(5);
  if (!world.groups.empty() && !dice.one_in(3)) {
    request.group = group_uid(static_cast<uint8_t>(dice.in(1, std::ssize(world.groups) + 1)));
  }
  if (dice.one_in(3)) request.count = dice.in(2, 4);
  return request;
}

World small_world(Dice& dice) {
  WorldPlan plan{.most_hosts = 5, .odd_hosts = false};
  plan.power = dice.one_in(3);
  plan.groups = !dice.one_in(4);
  if (!dice.one_in(4)) plan.guarantee = static_cast<DomainLevel>(dice.in(0, 4));
  World world = any_world(dice, plan);
  world.settings.cpu_limits = {};
  return world;
}

constexpr const char* kTogether = "group that is together in more than is lost";

struct Tally {
  int64_t possible = 0;  // requests that could be placed
  int64_t needless = 0;  // of those, refused
  double share() const { return static_cast<double>(needless) / static_cast<double>(possible); }
};

// Such a group moves within the domain that it shares unless it must leave it as a whole: counted
// apart.
bool is_together_in_more_than_is_lost(const World& world, const Request& request) {
  if (request.group.is_nil() || !world.settings.guarantee || !request.failover) return false;
  const std::vector<GroupRule>& rules = world.groups.at(request.group);
  return std::any_of(rules.begin(), rules.end(), [&](const GroupRule& rule) {
    return rule.hard && rule.policy == GroupPolicy::kAffinity &&
           rule.level > *world.settings.guarantee;
  });
}

std::string class_of(const World& world, const Request& request) {
  if (is_together_in_more_than_is_lost(world, request)) return kTogether;
  const bool guarded = world.settings.guarantee && request.failover;
  return fmt::format("{}, {}, {}", request.group.is_nil() ? "no group" : "group",
                     guarded ? "guarantee" : "no guarantee",
                     request.count == 1 ? "one" : "several");
}

std::string text_of(const World& world) {
  std::string text;
  for (const Host& host : world.hosts) {
    text += fmt::format("{} {} rack '{}'{}{}\n", host.id, to_string(host.facts.memory),
                        world.rack_id(host.uid), host.maintenance ? " maintenance" : "",
                        world.accepting.contains(host.uid) ? "" : " away");
  }
  for (const auto& [uid, rules] : world.groups) {
    text += fmt::format("group {}:", uid.to_string().substr(32));
    for (const GroupRule& rule : rules) {
      text += fmt::format(" {} {} {} {}", rule.hard ? "hard" : "soft", to_string(rule.policy),
                          to_string(rule.level), rule.most_per_domain);
    }
    text += "\n";
  }
  for (const Guest& guest : world.guests) {
    const Decision placed = Placed{{{guest.occupation.claim, guest.occupation.backup}}};
    text += text_of(guest.request) + " -> " + text_of(placed) + "\n";
  }
  return text;
}

// The cell of this number: whether its last request was refused although there was a place.
void look_at(uint64_t seed, std::map<std::string, Tally>& tallies) {
  Dice dice(seed);
  World world = small_world(dice);
  Engine engine = empty_engine(world);
  const int64_t before = dice.in(0, 9);
  for (int64_t i = 0; i < before; ++i) {
    ask(world, engine, small_request(dice, world));
    if (!world.guests.empty() && dice.one_in(5)) release_guest(world, engine, 0);
  }
  const Request request = small_request(dice, world);
  const bool refused = std::holds_alternative<Refused>(engine.place(request));
  if (refused && !ExhaustiveSearch(world, request).finds_place()) return;
  Tally& tally = tallies[class_of(world, request)];
  ++tally.possible;
  tally.needless += refused ? 1 : 0;
  if (refused && std::getenv("STELLWERK_SHOW_REFUSALS") != nullptr) {
    std::fputs(fmt::format("{}: seed {}, guarantee {}, {} guests\n{}refused: {}\n",
                           class_of(world, request), seed,
                           world.settings.guarantee ? to_string(*world.settings.guarantee) : "off",
                           world.guests.size(), text_of(world), text_of(request))
                   .c_str(),
               stdout);
  }
}

TEST(EngineRefusals, AreHardlyEverNeedless) {
  std::map<std::string, Tally> tallies;
  const char* cells = std::getenv("STELLWERK_CELLS");
  const uint64_t seeds = cells == nullptr ? 3000 : std::strtoull(cells, nullptr, 10);
  for (uint64_t seed = 0; seed < seeds; ++seed) look_at(seed, tallies);
  Tally all;
  Tally others;
  for (const auto& [name, tally] : tallies) {
    std::fputs(
        fmt::format("{}: {} of {} refused needlessly\n", name, tally.needless, tally.possible)
            .c_str(),
        stdout);
    for (Tally* sum : {&all, &others}) {
      if (sum == &others && name == kTogether) continue;
      sum->possible += tally.possible;
      sum->needless += tally.needless;
    }
  }
  std::fputs(fmt::format("all: {:.2f} %\n", 100 * all.share()).c_str(), stdout);
  EXPECT_LT(all.share(), 0.002);
  EXPECT_LT(others.share(), 0.002);
}

// What is found is what a search of everything could have found.
TEST(EngineRefusals, AcceptancesKeepEveryPromise) {
  for (uint64_t seed = 0; seed < 500; ++seed) {
    Dice dice(seed);
    World world = small_world(dice);
    Engine engine = empty_engine(world);
    for (int i = 0; i < 8; ++i) ask(world, engine, small_request(dice, world));
    EXPECT_TRUE(keeps_every_promise(world)) << seed;
  }
}

}  // namespace
}  // namespace stellwerk::placement
