// The guarantee is carried out: every failure domain is lost once, everybody who was protected
// starts on the backup's host, and no promise may be broken there.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "audit.h"
#include "world.h"

namespace stellwerk::placement {
namespace {

struct Loss {
  std::vector<Guest> survivors;
  std::vector<Guest> lost;  // of those who have a backup
};

Loss lose(const World& world, DomainLevel level, const std::string& domain) {
  Loss loss;
  for (const Guest& guest : world.guests) {
    if (world.domain(guest.occupation.claim.host, level) != domain) {
      loss.survivors.push_back(guest);
    } else if (guest.occupation.backup) {
      loss.lost.push_back(guest);
    }
  }
  return loss;
}

// The claim on the backup's host; nothing if no threads are found.
std::optional<Claim> claim_after_loss(const Engine& engine, const Occupation& occupation) {
  Claim claim = occupation.claim;
  claim.host = occupation.backup->host;
  claim.numa_nodes = occupation.backup->numa_nodes;
  claim.power = occupation.backup->power;
  claim.cpus.clear();
  if (!is_dedicated(claim.cpu_class)) return claim;
  const HostLoad& host = *engine.fleet().find(claim.host);
  std::vector<uint32_t> nodes;
  for (uint32_t i = 0; i < host.nodes().size(); ++i) {
    const auto& ids = claim.numa_nodes;
    if (std::count(ids.begin(), ids.end(), host.nodes()[i].id) > 0) nodes.push_back(i);
  }
  const auto choice = claim.by_node ? choose_cpus_on(host, claim.cpu_class, claim.vcpus, nodes)
                                    : choose_cpus(host, claim.cpu_class, claim.vcpus);
  if (!choice) return std::nullopt;
  claim.cpus = choice->cpus;
  claim.numa_nodes = choice->numa_nodes;
  return claim;
}

// What is broken after the loss of the domain; only what is kept for this loss is still kept.
std::vector<std::string> broken_by_loss(Dice& dice, const World& world, const std::string& domain) {
  const DomainLevel level = *world.settings.guarantee;
  Loss loss = lose(world, level, domain);
  Engine engine = empty_engine(world);
  std::vector<Running> after;
  for (const Guest& guest : loss.survivors) {
    after.push_back({guest.occupation.claim, guest.occupation.group});
    engine.charge({guest.occupation.claim, std::nullopt, guest.occupation.group});
  }
  for (const Guest& guest : loss.lost) engine.charge(guest.occupation);
  while (!loss.lost.empty()) {
    const auto next = loss.lost.begin() + dice.in(0, std::ssize(loss.lost));
    const Occupation occupation = next->occupation;
    loss.lost.erase(next);
    if (world.domain(occupation.backup->host, level) == domain) return {"the backup is lost, too"};
    engine.release(occupation);
    const std::optional<Claim> claim = claim_after_loss(engine, occupation);
    if (!claim) return {"no threads for " + std::string(to_string(occupation.claim.cpu_class))};
    engine.charge({*claim, std::nullopt, occupation.group});
    after.push_back({*claim, occupation.group});
  }
  return broken_promises(world, after);
}

std::set<std::string> domains_of(const World& world, DomainLevel level) {
  std::set<std::string> domains;
  for (const Host& host : world.hosts) domains.insert(world.domain(host.uid, level));
  return domains;
}

void show(const World& world, const Engine& engine, std::string_view level,
          const std::string& domain) {
  RC_LOG() << level << " " << domain << " is lost\n";
  for (const Host& h : world.hosts) {
    RC_LOG() << h.id << " " << h.facts.cores << "/" << h.facts.threads << ":";
    for (const NumaNode& n : h.facts.numa) {
      for (const HostCore& c : n.cores) RC_LOG() << " " << c.threads.size();
      RC_LOG() << ";";
    }
    const HostLoad& l = *engine.fleet().find(h.uid);
    RC_LOG() << " kept T" << l.backups.largest.vcpus[2] << " C" << l.backups.largest.vcpus[3]
             << " room T" << l.room.vcpus[2] << " C" << l.room.vcpus[3] << "\n";
  }
  for (const Guest& guest : world.guests) {
    const Decision as_placed = Placed{{{guest.occupation.claim, guest.occupation.backup}}};
    RC_LOG() << text_of(guest.request) << " -> " << text_of(as_placed) << "\n";
  }
}

void history_then_losses(DomainLevel level, bool odd_hosts) {
  Dice dice = any_dice();
  World world = any_world(dice, {.guarantee = level, .odd_hosts = odd_hosts});
  Engine engine = empty_engine(world);
  const int64_t steps = *rc::gen::inRange(0, 50);
  for (int64_t i = 0; i < steps; ++i) {
    const size_t before = world.guests.size();
    take_step(dice, world, engine);
    for (size_t g = before; g < world.guests.size(); ++g) {
      const Guest& guest = world.guests[g];
      if (!guest.occupation.backup) continue;
      RC_ASSERT(engine.is_sound(guest.occupation, guest.request));
      const Host& host = world.host(guest.occupation.backup->host);
      RC_ASSERT(unkept_wishes(world, host, guest.request, true).empty());
    }
    if (i % 5 != 0 && i + 1 != steps) continue;
    for (const std::string& domain : domains_of(world, level)) {
      const std::vector<std::string> broken = broken_by_loss(dice, world, domain);
      if (!broken.empty()) show(world, engine, to_string(level), domain);
      RC_ASSERT(broken == std::vector<std::string>());
    }
  }
}

RC_GTEST_PROP(FailoverProperty, HoldsForEveryHost, (bool odd)) {
  history_then_losses(DomainLevel::kHost, odd);
}
RC_GTEST_PROP(FailoverProperty, HoldsForEveryRack, (bool odd)) {
  history_then_losses(DomainLevel::kRack, odd);
}
RC_GTEST_PROP(FailoverProperty, HoldsForEveryZone, (bool odd)) {
  history_then_losses(DomainLevel::kZone, odd);
}
RC_GTEST_PROP(FailoverProperty, HoldsForEverySite, (bool odd)) {
  history_then_losses(DomainLevel::kSite, odd);
}

// Who asks later has a backup that is as good.
RC_GTEST_PROP(FailoverProperty, FindsBackupsForThoseWhoHaveNone, ()) {
  Dice dice = any_dice();
  const auto level = static_cast<DomainLevel>(dice.in(0, 4));
  World world = any_world(dice, {.guarantee = level});
  Engine engine = empty_engine(world);
  for (int i = 0; i < 25; ++i) take_step(dice, world, engine);
  for (Guest& guest : world.guests) {
    if (guest.occupation.backup) continue;
    const auto backup = engine.find_backup(guest.request, guest.occupation.claim);
    if (!backup) continue;
    engine.release(guest.occupation);
    guest.occupation.backup = backup;
    engine.charge(guest.occupation);
  }
  for (const std::string& domain : domains_of(world, level)) {
    const std::vector<std::string> broken = broken_by_loss(dice, world, domain);
    if (!broken.empty()) show(world, engine, to_string(level), domain);
    RC_ASSERT(broken == std::vector<std::string>());
  }
}

}  // namespace
}  // namespace stellwerk::placement
