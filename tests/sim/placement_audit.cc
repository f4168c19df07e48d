#include "tests/sim/placement_audit.h"

#include <fmt/format.h>

#include <algorithm>

#include "tests/sim/event_log.h"

namespace stellwerk::sim {
namespace {

// What is taken of one host, or would be.
struct Load {
  std::map<CpuClass, int64_t> vcpus;
  Bytes memory;
  Bytes disk;

  void add(const Claim& claim) {
    vcpus[claim.cpu_class] += claim.vcpus.count();
    memory += claim.memory;
    disk += claim.disk;
  }
};

// SCS-0100: at most 5 shared vCPUs a core and 3 a thread, on what dedicated ones leave over.
bool has_processors(const std::map<CpuClass, int64_t>& used, const HostFacts& facts) {
  const auto of = [&](CpuClass cpu_class) {
    const auto found = used.find(cpu_class);
    return found == used.end() ? 0 : found->second;
  };
  const int64_t left = facts.threads - of(CpuClass::kDedicatedThread) -
                       of(CpuClass::kDedicatedCore) * (facts.threads / facts.cores);
  const int64_t shared = of(CpuClass::kShared);
  const int64_t low = of(CpuClass::kLowPerformance);
  return left >= 1 && shared * 16 + low * 3 <= left * 3 * 16 &&
         shared * facts.threads <= 5 * facts.cores * left;
}

// Nothing, or what there is too little of.
std::string lacks(const Host& host, const Load& load) {
  if (load.memory > host.facts.memory - host.reserve.memory) return "memory";
  if (load.disk > host.facts.disk - host.reserve.disk) return "disk";
  return has_processors(load.vcpus, host.facts) ? "" : "processors";
}

bool matches(const Labels& labels, const LabelMatch& match) {
  const auto found = labels.find(match.key);
  return found != labels.end() && (!match.value || found->second == *match.value);
}

bool lies_within(const std::string& rack, const std::string& place) {
  return place.empty() || rack == place || rack.starts_with(place + "/");
}

// The host as this commit found it, left it, and had it in between.
std::vector<Host> versions_of(const HostUid& uid, const RecordHistory& history,
                              const RecordHistory::Change& change) {
  std::vector<Host> versions;
  const auto present = history.hosts().find(uid);
  if (present != history.hosts().end()) versions.push_back(present->second);
  for (const Host& before : change.hosts_before) {
    if (before.uid == uid) versions.push_back(before);
  }
  for (const auto& request : change.requests) {
    const auto* answer = std::get_if<Host>(&request.resource);
    if (answer && answer->uid == uid) versions.push_back(*answer);
  }
  return versions;
}

bool takes(const Host& host, const Wishes& wishes, const RecordHistory& history) {
  const auto rack = history.racks().find(host.rack);
  const std::string path = rack == history.racks().end() ? "" : rack->second.id;
  const auto has = [&](const LabelMatch& match) { return matches(host.labels, match); };
  return !host.maintenance && lies_within(path, wishes.within) &&
         std::ranges::all_of(wishes.required_labels, has) &&
         std::ranges::none_of(wishes.forbidden_labels, has);
}

}  // namespace

std::vector<std::string> PlacementAudit::check(const RecordHistory::Change& change) {
  note_told(change);
  for (const Instance& instance : change.written) {
    check_place(instance, change);
    if (history_.count_versions(instance.uid) > 1) continue;
    check_group(instance, change);
    check_request(instance, change);
    check_protection(instance);
  }
  check_bookings(change);
  if (change.written.empty() && change.erased.empty() && !change.fleet_changed) {
    return std::exchange(problems_, {});
  }
  check_capacity();
  check_reserves(change);
  check_crowds(change);
  check_power(change);
  return std::exchange(problems_, {});
}

// Where hosts that stand nowhere share one rack, zone and site.
std::string PlacementAudit::domain_of(const HostUid& uid, DomainLevel level) const {
  if (level == DomainLevel::kHost) return uid.to_string();
  const auto host = history_.hosts().find(uid);
  if (host == history_.hosts().end()) return "";
  const auto rack = history_.racks().find(host->second.rack);
  if (rack == history_.racks().end()) return "";
  const std::string& path = rack->second.id;
  if (level == DomainLevel::kRack) return path;
  const size_t zone = path.rfind('/');
  return path.substr(0, level == DomainLevel::kZone ? zone : path.find('/'));
}

bool PlacementAudit::is_apart(const Instance& instance) const {
  return domain_of(instance.claim.host, *guarantee_) !=
         domain_of(instance.backup->host, *guarantee_);
}

void PlacementAudit::check_place(const Instance& instance, const RecordHistory::Change& change) {
  const Instance* before = history_.previous_version(instance.uid);
  const auto fits = [&](const HostUid& uid) {
    return std::ranges::any_of(versions_of(uid, history_, change), [&](const Host& host) {
      return takes(host, instance.wishes, history_);
    });
  };
  if (!before || before->claim != instance.claim) {
    if (!fits(instance.claim.host)) complain(instance.id + " is placed against its wishes");
    if (!before && !instance.wishes.host.is_nil() && instance.wishes.host != instance.claim.host) {
      complain(instance.id + " is placed on another host than the one it asked for");
    }
  }
  if (instance.backup && (!before || before->backup != instance.backup) &&
      !fits(instance.backup->host)) {
    complain(instance.id + " has its backup where it may not be");
  }
}

void PlacementAudit::check_group(const Instance& instance, const RecordHistory::Change& change) {
  const auto group = history_.groups().find(instance.group);
  if (group == history_.groups().end() || change.moved) return;
  std::vector<HostUid> others;
  for (const auto& [uid, other] : history_.instances()) {
    if (other.group == instance.group && uid != instance.uid) others.push_back(other.claim.host);
  }
  for (const GroupRule& rule : group->second.rules) {
    if (!rule.hard) continue;
    const std::string domain = domain_of(instance.claim.host, rule.level);
    const auto beside = [&](const HostUid& host) { return domain_of(host, rule.level) == domain; };
    const bool apart = rule.policy == GroupPolicy::kAntiAffinity;
    if (apart && std::ranges::count_if(others, beside) >= rule.most_per_domain) {
      complain(fmt::format("{} joins too many of its group", instance.id));
    }
    const bool with_gone = std::ranges::any_of(change.erased, [&](const Instance& gone) {
      return gone.group == instance.group && beside(gone.claim.host);
    });
    if (!apart && !others.empty() && !with_gone && std::ranges::none_of(others, beside)) {
      complain(fmt::format("{} is apart from its group", instance.id));
    }
  }
}

void PlacementAudit::check_request(const Instance& instance, const RecordHistory::Change& change) {
  const bool asked = std::ranges::any_of(change.requests, [&](const auto& request) {
    if (const auto* one = std::get_if<Instance>(&request.resource)) {
      return one->uid == instance.uid && request.method == "CreateInstance";
    }
    const auto* several = std::get_if<records::Booking>(&request.resource);
    return several && std::ranges::any_of(several->instances, [&](const auto& booked) {
             return booked.uid == instance.uid;
           });
  });
  if (!asked) complain(instance.id + " comes without a request");
}

void PlacementAudit::check_bookings(const RecordHistory::Change& change) {
  for (const auto& request : change.requests) {
    const auto* booking = std::get_if<records::Booking>(&request.resource);
    if (!booking) continue;
    for (const auto& booked : booking->instances) {
      // Perhaps by another name: the commit may hold a renaming, too.
      const bool there =
          std::ranges::find(change.written, booked.uid, &Instance::uid) != change.written.end();
      if (!there) complain("of a booking there is no " + booked.id);
    }
  }
}

void PlacementAudit::check_protection(const Instance& instance) {
  if (!guarantee_ || !instance.failover || instance.backup || told_.contains(instance.uid)) return;
  complain(instance.id + " is admitted without the protection that it asked for");
}

void PlacementAudit::note_told(const RecordHistory::Change& change) {
  if (!change.log) return;
  for (const Event& event : change.log->events) {
    if (event.type == "FailoverProtectionLost") told_.insert(InstanceUid(event.uid));
    if (event.type == "FailoverProtectionRestored") told_.erase(InstanceUid(event.uid));
  }
}

void PlacementAudit::check_capacity() {
  std::map<HostUid, Load> loads;
  for (const auto& [uid, instance] : history_.instances()) {
    loads[instance.claim.host].add(instance.claim);
  }
  for (const auto& [uid, load] : loads) {
    const auto host = history_.hosts().find(uid);
    if (host == history_.hosts().end()) {
      complain("a claim on a host that is not there");
    } else if (const std::string what = lacks(host->second, load); !what.empty()) {
      complain(fmt::format("{} of {} overcommitted", what, host->second.id));
    }
  }
}

// Every host with its own guests and those of one lost domain whose backup it is.
PlacementAudit::Shortages PlacementAudit::shortages() const {
  Shortages shortages;
  if (!guarantee_) return shortages;
  std::map<HostUid, Load> own;
  std::map<std::pair<HostUid, std::string>, std::vector<const Claim*>> received;
  for (const auto& [uid, instance] : history_.instances()) {
    own[instance.claim.host].add(instance.claim);
    if (!instance.backup || !is_apart(instance)) continue;
    const std::string lost = domain_of(instance.claim.host, *guarantee_);
    received[{instance.backup->host, lost}].push_back(&instance.claim);
  }
  for (const auto& [where, claims] : received) {
    const auto host = history_.hosts().find(where.first);
    Load load = own[where.first];
    for (const Claim* claim : claims) load.add(*claim);
    if (host == history_.hosts().end()) continue;
    const std::string what = lacks(host->second, load);
    if (what.empty()) continue;
    shortages.insert(fmt::format("{} has not {} enough to take what {} loses", host->second.id,
                                 what, where.second));
  }
  return shortages;
}

void PlacementAudit::check_reserves(const RecordHistory::Change& change) {
  if (!guarantee_) return;
  Shortages now = shortages();
  std::set<InstanceUid> not_apart;
  for (const auto& [uid, instance] : history_.instances()) {
    if (instance.backup && !is_apart(instance)) not_apart.insert(uid);
  }
  if (!change.moved) {
    for (const std::string& shortage : now) {
      if (!shortages_.contains(shortage)) complain(shortage);
    }
    for (const InstanceUid& uid : not_apart) {
      if (!not_apart_.contains(uid)) complain("a backup is in the domain that is lost");
    }
  }
  shortages_ = std::move(now);
  not_apart_ = std::move(not_apart);
}

// Where each rule's members would be after each loss, counted beyond what the rule allows. Members
// that meet without any loss do so since an operator moved their hosts.
void PlacementAudit::count_crowds(const Group& group, const GroupRule& rule, Crowds& crowds) const {
  std::vector<const Instance*> members;
  std::set<std::string> losses;
  for (const auto& [uid, instance] : history_.instances()) {
    if (instance.group != group.uid) continue;
    members.push_back(&instance);
    losses.insert(domain_of(instance.claim.host, *guarantee_));
  }
  for (const std::string& lost : losses) {
    std::map<std::string, int64_t> counts;
    std::set<std::string> joined;  // by a backup
    for (const Instance* member : members) {
      const bool is_lost = domain_of(member->claim.host, *guarantee_) == lost;
      if (!is_lost) {
        ++counts[domain_of(member->claim.host, rule.level)];
      } else if (member->backup && is_apart(*member)) {
        const std::string domain = domain_of(member->backup->host, rule.level);
        joined.insert(domain);
        ++counts[domain];
      }
    }
    for (const auto& [domain, count] : counts) {
      if (count <= rule.most_per_domain || !joined.contains(domain)) continue;
      crowds[fmt::format("{} of group {} ({}) without {}", domain, group.id, brief(group.uid),
                         lost)] += count - rule.most_per_domain;
    }
  }
}

PlacementAudit::Crowds PlacementAudit::crowds() const {
  Crowds crowds;
  if (!guarantee_) return crowds;
  for (const auto& [uid, group] : history_.groups()) {
    for (const GroupRule& rule : group.rules) {
      const bool apart = rule.hard && rule.policy == GroupPolicy::kAntiAffinity;
      if (apart) count_crowds(group, rule, crowds);
    }
  }
  return crowds;
}

void PlacementAudit::check_crowds(const RecordHistory::Change& change) {
  Crowds now = crowds();
  for (const auto& [where, count] : now) {
    const auto before = crowds_.find(where);
    const bool worse = before == crowds_.end() || count > before->second;
    if (worse && !change.moved) complain("too many would be in " + where);
  }
  crowds_ = std::move(now);
}

// Idle, its guests, and the most that it keeps for the loss of one domain.
Milliwatts PlacementAudit::draw_of(const Host& host, bool with_kept) const {
  int64_t draw = host.power.idle.count();
  std::map<std::string, int64_t> kept;
  for (const auto& [uid, instance] : history_.instances()) {
    if (instance.claim.host == host.uid) draw += instance.claim.power.count();
    if (!with_kept || !guarantee_ || !instance.backup || instance.backup->host != host.uid)
      continue;
    if (!is_apart(instance)) continue;
    kept[domain_of(instance.claim.host, *guarantee_)] += instance.backup->power.count();
  }
  int64_t most = 0;
  for (const auto& [lost, sum] : kept) most = std::max(most, sum);
  return Milliwatts(draw + most);
}

PlacementAudit::Excesses PlacementAudit::excesses(bool with_kept) const {
  Excesses excesses;
  std::map<RackUid, int64_t> draws;
  for (const auto& [uid, host] : history_.hosts())
    draws[host.rack] += draw_of(host, with_kept).count();
  for (const auto& [uid, rack] : history_.racks()) {
    if (!rack.power_limit) continue;
    const int64_t excess = 2 * (draws[uid] - rack.power_limit->count());
    if (excess > 0) excesses["rack " + rack.id] = excess;
  }
  // Lost: each feed in turn, and none, which stands for itself.
  for (const auto& [uid, feed] : history_.feeds()) {
    for (const auto& [lost, other] : history_.feeds()) {
      int64_t halves = 0;
      for (const auto& [rack_uid, rack] : history_.racks()) {
        if (std::ranges::find(rack.feeds, uid) == rack.feeds.end()) continue;
        const bool alone = std::ranges::all_of(rack.feeds, [&](const FeedUid& each) {
          return each == uid || (each == lost && lost != uid);
        });
        halves += draws[rack_uid] * (alone ? 2 : 1);
      }
      const int64_t excess = halves - 2 * feed.budget.count();
      if (excess > 0) excesses[fmt::format("feed {} without {}", feed.id, other.id)] = excess;
    }
  }
  return excesses;
}

// A host that is moved may make one domain of two: what is kept for them grows, and is given up
// again where it is too much.
void PlacementAudit::check_power(const RecordHistory::Change& change) {
  Excesses now = excesses(true);
  const Excesses drawn = change.moved ? excesses(false) : now;
  for (const auto& [what, excess] : drawn) {
    const auto before = excesses_.find(what);
    // Halves are rounded to milliwatts.
    if (excess > (before == excesses_.end() ? 0 : before->second) + 2) {
      complain(fmt::format("{} carries {} mW too much", what, excess / 2));
    }
  }
  excesses_ = std::move(now);
}

std::optional<std::string> PlacementAudit::check_at_rest() const {
  if (!guarantee_) return std::nullopt;
  if (const Shortages left = shortages(); !left.empty()) return *left.begin();
  if (excesses(true) != excesses(false)) return "a loss would find no power";
  for (const auto& [uid, instance] : history_.instances()) {
    if (!instance.failover) continue;
    if (!instance.backup) {
      if (!told_.contains(uid)) return instance.id + " lost its protection, and nobody was told";
      continue;
    }
    if (told_.contains(uid)) return instance.id + " has a backup, and is told to have none";
    const auto keeper = history_.hosts().find(instance.backup->host);
    if (keeper == history_.hosts().end() || !is_apart(instance) ||
        !takes(keeper->second, instance.wishes, history_)) {
      return "the backup of " + instance.id + " is of no use";
    }
  }
  return std::nullopt;
}

}  // namespace stellwerk::sim
