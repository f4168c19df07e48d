#include "placement/engine.h"

#include <algorithm>
#include <utility>

#include "placement/capacity.h"
#include "placement/power.h"
#include "placement/processors.h"

namespace stellwerk::placement {
namespace {

// So many failure domains are tried for a guest before its guarantee is given up.
constexpr size_t kMostDomainsTried = 32;
// The mix of sizes is learnt anew when the weights of so much of it have moved.
constexpr float kMixMoved = 0.15F;

// What a vCPU of each class takes of the fleet's processors.
std::array<float, kCpuClasses> threads_per_vcpu(const Fleet& fleet) {
  int64_t threads = 0;
  std::array<int64_t, kCpuClasses> vcpus{};
  for (const HostLoad& host : fleet.hosts()) {
    threads += host.offer.threads;
    for (size_t i = 0; i < kCpuClasses; ++i) vcpus[i] += host.all_vcpus[i];
  }
  std::array<float, kCpuClasses> each{};
  for (size_t i = 0; i < kCpuClasses; ++i) {
    each[i] = vcpus[i] == 0 ? 1 : static_cast<float>(threads) / static_cast<float>(vcpus[i]);
  }
  return each;
}

}  // namespace

Engine::Engine(const Settings& settings, const Topology& topology, const std::vector<Host>& hosts)
    : settings_(settings),
      fleet_(settings.cpu_limits, topology, hosts),
      index_(fleet_, settings.policy) {
  Mixes mixes;
  mixes.threads_per_vcpu = threads_per_vcpu(fleet_);
  mixes.fullness = fullness();
  index_.adopt(fleet_, mixes);
  float nodes = 0;
  for (const HostLoad& load : fleet_.hosts()) {
    mean_host_.threads += static_cast<float>(load.offer.threads);
    mean_host_.memory += static_cast<float>(load.all_memory) / static_cast<float>(1 << 20);
    nodes += static_cast<float>(std::max<size_t>(load.nodes().size(), 1));
  }
  const auto mean = [](const SizeMix::Size& sum, float count) {
    return SizeMix::Size{std::max(sum.threads / std::max(count, 1.0F), 1.0F),
                         std::max(sum.memory / std::max(count, 1.0F), 1.0F)};
  };
  mean_node_ = mean(mean_host_, nodes);
  mean_host_ = mean(mean_host_, static_cast<float>(fleet_.hosts().size()));
}

const GroupLoad* Engine::group(const GroupUid& uid) const {
  const auto found = groups_.find(uid);
  return found == groups_.end() ? nullptr : &found->second;
}

std::optional<GroupView> Engine::view_of_group(const GroupUid& uid) const {
  const GroupLoad* load = group(uid);
  return load == nullptr
             ? std::nullopt
             : std::optional<GroupView>(std::in_place, fleet_, *load, settings_.guarantee);
}

// Rooms are of single amounts; what guests of nodes and single threads leave to whole cores shows
// only together.
bool Engine::leaves_what_is_kept(uint32_t host, const Claim& claim) const {
  const HostLoad& load = fleet_.hosts()[host];
  const auto& kept = load.backups.largest.vcpus;
  if (kept[placement::index_of(CpuClass::kDedicatedThread)] == 0 &&
      kept[placement::index_of(CpuClass::kDedicatedCore)] == 0) {
    return true;
  }
  HostLoad after = load;
  add(after.used, fleet_.amounts_of(claim, host));
  if (!claim.cpus.empty()) {
    after.pinned[placement::index_of(claim.cpu_class)] += claim.vcpus.count();
  }
  for (const int32_t cpu : claim.cpus) ++after.dedicated[cpu];
  return keeps_pins(after, fleet_.cpu_limits());
}

std::optional<Claim> Engine::claim_on(uint32_t host, const Ask& ask) const {
  const HostLoad& load = fleet_.hosts()[host];
  const Request& request = ask.request;
  Claim claim = claim_of(request, load.uid);
  claim.power = power_of(load, request.cpu_class, request.vcpus, fleet_.cpu_limits());
  std::optional<std::vector<uint32_t>> nodes;
  if (request.numa_nodes > 0) {
    nodes = choose_nodes(load, ask);
    if (!nodes) return std::nullopt;
    for (const uint32_t node : *nodes) claim.numa_nodes.push_back(load.nodes()[node].id);
  }
  if (!is_dedicated(request.cpu_class)) {
    return !nodes || leaves_what_is_kept(host, claim) ? std::optional(claim) : std::nullopt;
  }
  std::optional<CpuChoice> choice =
      nodes ? choose_cpus_on(load, request.cpu_class, request.vcpus, *nodes)
            : choose_cpus(load, request.cpu_class, request.vcpus);
  if (!choice) return std::nullopt;
  claim.cpus = std::move(choice->cpus);
  claim.numa_nodes = std::move(choice->numa_nodes);
  return leaves_what_is_kept(host, claim) ? std::optional(claim) : std::nullopt;
}

std::optional<Placement> Engine::place_one(const Ask& ask, Fleet::HostRange range) {
  const std::optional<GroupView> group = view_of_group(ask.request.group);
  const bool guarded = settings_.guarantee && ask.request.failover;
  Terms terms = terms_of(ask, range, group ? &*group : nullptr);
  while (terms.excluded_domains.size() < kMostDomainsTried) {
    const Choice choice = best_host(terms);
    if (choice.host == Fleet::kNone) return std::nullopt;
    std::optional<Claim> claim = claim_on(choice.host, ask);
    if (!claim) {
      terms.excluded_hosts.push_back(choice.host);
      continue;
    }
    if (!guarded) return Placement{*std::move(claim), std::nullopt};
    if (std::optional<Backup> backup = backup_beside(ask, *claim, terms.group)) {
      return Placement{*std::move(claim), *std::move(backup)};
    }
    terms.excluded_domains.push_back(fleet_.domain_of(choice.host, *settings_.guarantee));
  }
  return std::nullopt;
}

bool Engine::place_each(const Ask& ask, Fleet::HostRange range, std::vector<Placement>& placed) {
  placed.clear();
  trying_ = true;
  for (int64_t i = 0; i < ask.request.count; ++i) {
    std::optional<Placement> placement = place_one(ask, range);
    if (!placement) break;
    placed.push_back(*std::move(placement));
    if (ask.request.count > 1) {
      charge({placed.back().claim, placed.back().backup, ask.request.group});
    }
  }
  if (ask.request.count > 1) {
    for (auto one = placed.rbegin(); one != placed.rend(); ++one) {
      release({one->claim, one->backup, ask.request.group});
    }
  }
  trying_ = false;
  return static_cast<int64_t>(placed.size()) == ask.request.count;
}

// A new group that must stay together may have begun in a domain that is too small for all of it:
// every domain is tried that has room for them, seen host by host.
bool Engine::place_together(const Ask& ask, Fleet::HostRange range,
                            std::vector<Placement>& placed) {
  const GroupLoad* group = this->group(ask.request.group);
  if (group == nullptr || !group->members.empty() || ask.request.count < 2) return false;
  const GroupRule* rule = hard_affinity(*group);
  if (rule == nullptr) return false;
  for (uint32_t domain = 0; domain < fleet_.domains(rule->level); ++domain) {
    const Fleet::HostRange all = fleet_.hosts_of(domain, rule->level);
    const Fleet::HostRange both{std::max(all.first, range.first), std::min(all.end, range.end)};
    int64_t slots = 0;
    for (uint32_t host = both.first; host < both.end; ++host) {
      slots += slots_of(fleet_.hosts()[host], ask);
    }
    if (slots < ask.request.count) continue;
    if (place_each(ask, both, placed)) return true;
  }
  return false;
}

Decision Engine::place(const Request& request) {
  if (std::vector<FieldViolation> violations = check_request(request); !violations.empty()) {
    return Malformed{std::move(violations)};
  }
  if (!request.group.is_nil() && group(request.group) == nullptr) {
    return Malformed{{{"group", "there is no such group"}}};
  }
  const std::optional<Fleet::HostRange> range = range_of(request);
  if (!range || !pool_has_room(request)) return Refused{};
  const Ask ask = ask_of(fleet_, request);
  std::vector<Placement> placed;
  if (place_each(ask, *range, placed)) return Placed{std::move(placed)};
  const auto placeable = static_cast<int64_t>(placed.size());
  if (place_together(ask, *range, placed)) return Placed{std::move(placed)};
  return Refused{placeable};
}

uint32_t Engine::keeper_of(const Occupation& occupation, uint32_t host) const {
  if (!settings_.guarantee || !occupation.backup) return Fleet::kNone;
  const uint32_t keeper = fleet_.index_of(occupation.backup->host);
  if (keeper == Fleet::kNone) return Fleet::kNone;
  const DomainLevel level = *settings_.guarantee;
  return fleet_.domain_of(keeper, level) == fleet_.domain_of(host, level) ? Fleet::kNone : keeper;
}

Amounts Engine::kept_amounts(const Occupation& occupation, uint32_t keeper) const {
  Claim claim = occupation.claim;
  claim.numa_nodes = occupation.backup->numa_nodes;
  claim.power = occupation.backup->power;
  return fleet_.amounts_of(claim, keeper);
}

void Engine::count_in_group(const Occupation& occupation, uint32_t host, bool joins) {
  if (occupation.group.is_nil()) return;
  std::vector<GroupLoad::Member>& members = groups_[occupation.group].members;
  const GroupLoad::Member member{host, keeper_of(occupation, host)};
  const auto place = std::lower_bound(members.begin(), members.end(), member);
  if (joins) {
    members.insert(place, member);
    return;
  }
  if (place == members.end() || *place != member) std::abort();
  members.erase(place);
}

// After the host has been charged, or released.
void Engine::count_size(const Claim& claim, uint32_t host, int64_t change) {
  const float per_vcpu = index_.mixes().threads_per_vcpu[placement::index_of(claim.cpu_class)];
  const auto parts = static_cast<int64_t>(is_bound(claim) ? claim.numa_nodes.size() : 1);
  const SizeMix::Size size{
      .threads = static_cast<float>(claim.vcpus.count() / parts) * per_vcpu,
      .memory = static_cast<float>(claim.memory.count() / parts) / static_cast<float>(1 << 20)};
  auto& counts = is_bound(claim) ? shares_ : sizes_;
  const auto found = counts.try_emplace(size, 0).first;
  found->second += parts * change;
  if (found->second == 0) counts.erase(found);
  charged_ += change;
  const int64_t guests = fleet_.hosts()[host].guests;
  if (guests == (change > 0 ? 1 : 0)) hosts_in_use_ += change;
  if (!trying_ && --changes_until_learning_ <= 0) learn_mixes();
}

int32_t Engine::fullness() const {
  if (settings_.expect_full) return *settings_.expect_full ? kFullFleet : 0;
  const auto hosts = static_cast<double>(std::max<size_t>(fleet_.hosts().size(), 1));
  return fullness_of(static_cast<double>(hosts_in_use_) / hosts, index_.mixes().fullness);
}

// Where all guests are bound to nodes, those stand in for hosts, and the other way around.
void Engine::learn_mixes() {
  changes_until_learning_ = std::clamp<int64_t>(charged_ / 8, 32, 4096);
  Mixes mixes = index_.mixes();
  mixes.hosts = SizeMix(sizes_.empty() ? shares_ : sizes_, mean_host_);
  mixes.nodes = SizeMix(shares_.empty() ? sizes_ : shares_, mean_node_);
  mixes.fullness = fullness();
  const float moved =
      mixes.hosts.distance(index_.mixes().hosts) + mixes.nodes.distance(index_.mixes().nodes);
  if (moved > kMixMoved || mixes.fullness != index_.mixes().fullness) index_.adopt(fleet_, mixes);
}

void Engine::charge(const Occupation& occupation) {
  const uint32_t host = fleet_.index_of(occupation.claim.host);
  if (host == Fleet::kNone) std::abort();
  fleet_.charge(host, occupation.claim);
  count_size(occupation.claim, host, 1);
  index_.refresh(fleet_, host);
  count_in_group(occupation, host, true);
  const uint32_t keeper = keeper_of(occupation, host);
  if (keeper == Fleet::kNone) return;
  const uint32_t lost = fleet_.domain_of(host, *settings_.guarantee);
  fleet_.keep(keeper, lost, kept_amounts(occupation, keeper));
  index_.refresh(fleet_, keeper);
}

void Engine::release(const Occupation& occupation) {
  const uint32_t host = fleet_.index_of(occupation.claim.host);
  if (host == Fleet::kNone) std::abort();
  fleet_.release(host, occupation.claim);
  count_size(occupation.claim, host, -1);
  index_.refresh(fleet_, host);
  count_in_group(occupation, host, false);
  const uint32_t keeper = keeper_of(occupation, host);
  if (keeper == Fleet::kNone) return;
  const uint32_t lost = fleet_.domain_of(host, *settings_.guarantee);
  fleet_.give_back(keeper, lost, kept_amounts(occupation, keeper));
  index_.refresh(fleet_, keeper);
}

std::optional<Backup> Engine::find_backup(const Request& request, const Claim& claim) {
  const uint32_t host = fleet_.index_of(claim.host);
  if (!settings_.guarantee || host == Fleet::kNone) return std::nullopt;
  const std::optional<GroupView> group = view_of_group(request.group);
  if (!fleet_.find_place(request.wishes.within)) return std::nullopt;
  return backup_for(ask_of(fleet_, request), host, group ? &*group : nullptr);
}

bool Engine::is_sound(const Occupation& occupation, const Request& request) const {
  const uint32_t host = fleet_.index_of(occupation.claim.host);
  if (host == Fleet::kNone) return false;
  const uint32_t keeper = keeper_of(occupation, host);
  if (keeper == Fleet::kNone) return false;
  const std::optional<Fleet::HostRange> range = fleet_.find_place(request.wishes.within);
  if (!range || keeper < range->first || keeper >= range->end) return false;
  // Domains that became one are lost together, and what is kept for them is drawn together.
  const RackLoad& rack = fleet_.racks()[fleet_.hosts()[keeper].rack];
  const bool draws = occupation.backup->power > Milliwatts();
  if (draws && is_overloaded(rack, fleet_.feeds())) return false;
  // A host that is out of touch for a moment keeps what it keeps.
  HostLoad connected = fleet_.hosts()[keeper];
  connected.accepting = true;
  return is_eligible(connected, ask_of(fleet_, request)) &&
         !is_overcommitted(connected, fleet_.cpu_limits());
}

void Engine::put_group(const GroupUid& uid, std::vector<GroupRule> rules) {
  groups_[uid].rules = std::move(rules);
}

void Engine::erase_group(const GroupUid& uid) {
  groups_.erase(uid);
}

void Engine::describe(const Host& description) {
  const uint32_t host = fleet_.index_of(description.uid);
  fleet_.describe(host, description);
  index_.describe(fleet_, host);
}

// Hosts that are not there are passed over.
template <class Change>
void Engine::change_host(const HostUid& uid, Change change) {
  const uint32_t host = fleet_.index_of(uid);
  if (host == Fleet::kNone) return;
  change(host);
  index_.describe(fleet_, host);
}

void Engine::set_accepting(const HostUid& uid, bool accepting) {
  change_host(uid, [&](uint32_t host) { fleet_.set_accepting(host, accepting); });
}

void Engine::set_foreign(const HostUid& uid, const ForeignUse& foreign) {
  change_host(uid, [&](uint32_t host) { fleet_.set_foreign(host, foreign); });
}

void Engine::set_fenced(const HostUid& uid, bool fenced) {
  change_host(uid, [&](uint32_t host) { fleet_.set_fenced(host, fenced); });
}

void Engine::hold_cpus(const HostUid& uid, const std::vector<int32_t>& cpus) {
  change_host(uid, [&](uint32_t host) { fleet_.hold_cpus(host, cpus); });
}

void Engine::let_go_cpus(const HostUid& uid, const std::vector<int32_t>& cpus) {
  change_host(uid, [&](uint32_t host) { fleet_.let_go_cpus(host, cpus); });
}

void Engine::set_images(Bytes images) {
  fleet_.set_images(images);
  for (uint32_t host = 0; host < fleet_.hosts().size(); ++host) index_.describe(fleet_, host);
}

void Engine::set_pools(std::vector<Pool> pools) {
  fleet_.set_pools(std::move(pools));
}

std::vector<uint32_t> Engine::feasible_hosts(const Request& request) const {
  const std::optional<Fleet::HostRange> range = range_of(request);
  if (!range || !pool_has_room(request)) return {};
  const Ask ask = ask_of(fleet_, request);
  const std::optional<GroupView> group = view_of_group(request.group);
  const Terms terms = terms_of(ask, *range, group ? &*group : nullptr);
  std::vector<uint32_t> hosts;
  for (uint32_t host = range->first; host < range->end; ++host) {
    if (fits(fleet_.hosts()[host], ask) && extra_cost(terms, host)) hosts.push_back(host);
  }
  return hosts;
}

}  // namespace stellwerk::placement
