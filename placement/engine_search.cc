// How the engine looks for a host, and for one that stands in for it.
#include <algorithm>
#include <cstdlib>
#include <utility>

#include "placement/engine.h"
#include "placement/power.h"

namespace stellwerk::placement {
namespace {

// A soft wish weighs more than any score, a broken soft rule more than a wish about the site.
constexpr int64_t kSoftRule = int64_t{1} << 40;
constexpr int64_t kOtherSite = int64_t{1} << 36;
// Racks whose power is nearly used up are taken last among hosts that fit about as well.
constexpr int64_t kPowerStep = int64_t{1} << 16;
// SplitMix64's finaliser (Steele, Lea, Flood 2014): an order among equals that a seed decides.
uint64_t mix(uint64_t value) {
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
  return value ^ (value >> 31);
}

template <class Value>
bool contains(const std::vector<Value>& values, const Value& value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

// How full the rack's power is, in few steps, so that equal racks stay equal for long.
int64_t power_step(const RackLoad& rack, const std::vector<FeedLoad>& feeds) {
  const auto step = [](Milliwatts draw, Milliwatts budget) -> int64_t {
    if (budget.count() <= 0) return 3;
    const int64_t parts = draw.count() * 100;
    const auto below = [&](int64_t percent) { return parts < percent * budget.count(); };
    return below(70) ? 0 : below(85) ? 1 : below(95) ? 2 : 3;
  };
  int64_t most = rack.power_limit ? step(rack.draw, *rack.power_limit) : 0;
  for (const uint32_t feed : rack.feeds) {
    most = std::max(most, step(worst_draw(feeds[feed]), feeds[feed].budget));
  }
  return most;
}

}  // namespace

std::optional<Fleet::HostRange> Engine::range_of(const Request& request) const {
  std::optional<Fleet::HostRange> range = fleet_.find_place(request.wishes.within);
  if (!range || request.wishes.host.is_nil()) return range;
  const uint32_t host = fleet_.index_of(request.wishes.host);
  if (host < range->first || host >= range->end) return std::nullopt;
  return Fleet::HostRange{host, host + 1};
}

bool Engine::pool_has_room(const Request& request) const {
  if (request.pool.empty()) return true;
  return std::any_of(fleet_.pools().begin(), fleet_.pools().end(), [&](const Pool& pool) {
    return pool.id == request.pool && has_room(pool, request.pool_bytes, request.count);
  });
}

Engine::Terms Engine::terms_of(const Ask& ask, Fleet::HostRange range,
                               const GroupView* group) const {
  Terms terms{.ask = ask, .range = range, .group = group};
  const std::string& site = ask.request.wishes.preferred_site;
  if (!site.empty()) {
    if (const auto there = fleet_.find_place(site)) {
      terms.favoured.push_back(*there);
      terms.cost_elsewhere += kOtherSite;
    }
  }
  if (group == nullptr) return terms;
  const GroupLoad& load = groups_.at(ask.request.group);
  for (const GroupRule& rule : load.rules) {
    if (rule.policy != GroupPolicy::kAffinity || load.members.empty()) continue;
    for (const GroupLoad::Member& member : load.members) {
      const uint32_t domain = fleet_.domain_of(member.host, rule.level);
      terms.favoured.push_back(fleet_.hosts_of(domain, rule.level));
    }
    terms.cost_elsewhere += rule.hard ? kSoftRule << 8 : kSoftRule;
  }
  std::sort(terms.favoured.begin(), terms.favoured.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  return terms;
}

// Beside its score; nothing if a rule across hosts forbids the host.
std::optional<int64_t> Engine::extra_cost(const Terms& terms, uint32_t host) const {
  if (contains(terms.excluded_hosts, host)) return std::nullopt;
  if (!terms.excluded_domains.empty() &&
      contains(terms.excluded_domains, fleet_.domain_of(host, *settings_.guarantee))) {
    return std::nullopt;
  }
  int64_t cost = 0;
  if (terms.group != nullptr) {
    const std::optional<int32_t> soft = terms.group->cost(host);
    if (!soft) return std::nullopt;
    cost += *soft * kSoftRule;
  }
  const HostLoad& load = fleet_.hosts()[host];
  const RackLoad& rack = fleet_.racks()[load.rack];
  if (rack.power_limit || !rack.feeds.empty()) {
    const Request& request = terms.ask.request;
    const Milliwatts power = power_of(load, request.cpu_class, request.vcpus, fleet_.cpu_limits());
    if (!may_draw(rack, fleet_.feeds(), power)) return std::nullopt;
    cost += power_step(rack, fleet_.feeds()) * kPowerStep;
  }
  const std::string& site = terms.ask.request.wishes.preferred_site;
  if (!site.empty()) {
    const auto there = fleet_.find_place(site);
    if (there && (host < there->first || host >= there->end)) cost += kOtherSite;
  }
  return cost;
}

bool Engine::is_before(const Choice& a, const Choice& b) const {
  if (a.cost != b.cost) return a.cost < b.cost;
  if (!settings_.tie_seed || b.host == Fleet::kNone) return a.host < b.host;
  const uint64_t seed = *settings_.tie_seed;
  return std::pair(mix(seed + a.host), a.host) < std::pair(mix(seed + b.host), b.host);
}

// Every host of the range costs at least its score and `base`, so a block whose least score cannot
// win is passed over.
void Engine::search(const Terms& terms, size_t column, Fleet::HostRange range, int64_t base,
                    Choice& best) const {
  if (range.first == range.end) return;
  const uint32_t end = index_.block_of(range.end - 1) + 1;
  const auto most = [&] {
    // Among equals the lowest index wins, which was met first, unless a seed decides.
    const int64_t most = best.cost - base - (settings_.tie_seed ? 0 : 1);
    return static_cast<int32_t>(std::min<int64_t>(most, kNoFit - 1));
  };
  for (uint32_t block = index_.next_block(column, index_.block_of(range.first), end, most());
       block < end; block = index_.next_block(column, block + 1, end, most())) {
    const Block& at = index_.blocks()[block];
    const int32_t* scores = index_.scores(column, block);
    for (uint32_t host = std::max(at.first_host, range.first);
         host < std::min(at.end_host, range.end); ++host) {
      const int32_t score = scores[host - at.first_host];
      if (score >= kNoFit || !is_before({host, score + base}, best)) continue;
      const std::optional<int64_t> extra = extra_cost(terms, host);
      if (!extra) continue;
      const Choice choice{host, score + *extra};
      if (is_before(choice, best)) best = choice;
    }
  }
}

Engine::Choice Engine::best_host(const Terms& terms) {
  const size_t column = index_.column(fleet_, terms.ask, Purpose::kGuest);
  Choice best;
  for (const Fleet::HostRange& range : terms.favoured) {
    const Fleet::HostRange both{std::max(range.first, terms.range.first),
                                std::min(range.end, terms.range.end)};
    if (both.first < both.end) search(terms, column, both, 0, best);
  }
  search(terms, column, terms.range, terms.cost_elsewhere, best);
  return best;
}

// For a claim that is not charged: its rack may share a feed with its backup's.
std::optional<Backup> Engine::backup_beside(const Terms& terms, const Claim& claim) {
  const uint32_t host = fleet_.index_of(claim.host);
  const uint32_t rack = fleet_.hosts()[host].rack;
  fleet_.preview_draw(rack, claim.power);
  std::optional<Backup> backup = backup_for(terms.ask, host, terms.group, terms.may_stray);
  fleet_.preview_draw(rack, Milliwatts() - claim.power);
  return backup;
}

// Circular, beginning behind the last host that keeps room for the same domain: the first ones are
// full of it. Columns bound what a backup costs from below, but for hosts that are full of domains
// and may keep more only for those that they have.
std::optional<Backup> Engine::backup_for(const Ask& ask, uint32_t primary, const GroupView* group,
                                         bool may_stray) {
  const uint32_t lost = fleet_.domain_of(primary, *settings_.guarantee);
  const std::vector<uint32_t>& keepers = fleet_.keepers_of(lost);
  const size_t column = index_.column(fleet_, ask, Purpose::kBackup);
  const int32_t least = index_.least_of_all(column);
  if (least >= kNoFit && keepers.empty()) return std::nullopt;
  const std::optional<Fleet::HostRange> range = fleet_.find_place(ask.request.wishes.within);
  uint32_t best = Fleet::kNone;
  int32_t least_cost = kNoFit;
  const auto consider = [&](uint32_t host) {
    if (host < range->first || host >= range->end) return;
    if (fleet_.domain_of(host, *settings_.guarantee) == lost) return;
    if (group != nullptr && !group->may_back(host, primary, may_stray)) return;
    const std::optional<int32_t> cost = backup_cost(fleet_, host, lost, ask);
    if (!cost || *cost >= least_cost) return;
    best = host;
    least_cost = *cost;
  };
  // Hosts of these blocks that could do it for less than the best, and for `most`.
  const auto look = [&](uint32_t first, uint32_t end, uint32_t first_host, int32_t most) {
    const auto bound = [&] { return std::min(most, least_cost - 1); };
    for (uint32_t block = index_.next_block(column, first, end, bound());
         block < end && least_cost > least;
         block = index_.next_block(column, block + 1, end, bound())) {
      const Block& at = index_.blocks()[block];
      const int32_t* scores = index_.scores(column, block);
      for (uint32_t host = std::max(at.first_host, first_host); host < at.end_host; ++host) {
        if (scores[host - at.first_host] <= bound()) consider(host);
      }
    }
  };
  const auto blocks = static_cast<uint32_t>(index_.blocks().size());
  const uint32_t start = keepers.empty() ? 0 : index_.block_of(keepers.back());
  const auto look_around = [&](int32_t most) {
    look(start, blocks, keepers.empty() ? 0 : keepers.back() + 1, most);
    look(0, start + 1, 0, most);
  };
  look_around(least);
  if (least_cost > least) std::for_each(keepers.begin(), keepers.end(), consider);
  look_around(kNoFit - 1);
  if (best == Fleet::kNone) return std::nullopt;
  const std::optional<BackupOffer> offer = offer_backup(fleet_, best, lost, ask);
  if (!offer) std::abort();  // its cost was asked, and it had one
  const HostLoad& load = fleet_.hosts()[best];
  Backup backup{.host = load.uid, .power = Milliwatts(offer->amounts.power)};
  for (const uint32_t node : offer->nodes) backup.numa_nodes.push_back(load.nodes()[node].id);
  return backup;
}

}  // namespace stellwerk::placement
