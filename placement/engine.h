// Decides where instances go. Pure: no I/O, no clock, no thread, no randomness; the same history
// and request always give the same answer, and what is kept to be fast never changes it.
//
// The engine knows sums, not instances: whoever owns the instances says what they occupy, at load
// and at every change. See docs/placement.md for the algorithm.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "placement/failover.h"
#include "placement/fleet.h"
#include "placement/groups.h"
#include "placement/index.h"
#include "placement/request.h"
#include "placement/rules.h"

namespace stellwerk::placement {

struct Settings {
  CpuLimits cpu_limits;
  std::optional<DomainLevel> guarantee;  // of failover, for guests that are marked; none: off
  Policy policy = Policy::kDefault;
  std::optional<uint64_t> tie_seed;  // none: among equals the lowest index
  // Whether the fleet is going to be full, whatever is in use today: it is then filled from the
  // beginning so that guests of every size keep finding room. None: what is in use decides.
  std::optional<bool> expect_full;
};

// What one instance occupies.
struct Occupation {
  Claim claim;
  std::optional<Backup> backup;
  GroupUid group;
};

struct Placement {
  Claim claim;
  std::optional<Backup> backup;  // where the guarantee is on and the request is marked
};
struct Placed {
  std::vector<Placement> placements;  // as many as asked
};
// No host, or not as many as asked; `explain` says why.
struct Refused {
  int64_t placeable = 0;  // so many found a place before it was given up
};
// Nothing could make the request right.
struct Malformed {
  std::vector<FieldViolation> violations;
};
using Decision = std::variant<Placed, Refused, Malformed>;

class Engine {
 public:
  Engine(const Settings& settings, const Topology& topology, const std::vector<Host>& hosts);

  const Settings& settings() const { return settings_; }
  const Fleet& fleet() const { return fleet_; }
  // What the scores go by at present.
  const Mixes& mixes() const { return index_.mixes(); }
  const GroupLoad* group(const GroupUid& uid) const;

  // Charges nothing. Of several instances each is placed beside those before it.
  Decision place(const Request& request);

  // The claim's host must be there. `release` undoes `charge` exactly. A backup on a host that is
  // not there any more, or in the claim's own domain, counts for nothing.
  void charge(const Occupation& occupation);
  void release(const Occupation& occupation);

  // A backup for an instance that is charged without one; it is not charged. Nothing if none is
  // found.
  std::optional<Backup> find_backup(const Request& request, const Claim& claim);
  // Whether the backup of a charged occupation still could be carried out: its host is there,
  // outside the claim's domain, in service, keeps the wishes, and neither it nor its rack's power
  // is overcommitted. What it keeps is kept in any case.
  bool is_sound(const Occupation& occupation, const Request& request) const;

  void put_group(const GroupUid& uid, std::vector<GroupRule> rules);
  void erase_group(const GroupUid& uid);
  // Everything but where the host stands, which needs a new engine; see Fleet::can_describe.
  void describe(const Host& description);
  void set_accepting(const HostUid& host, bool accepting);
  void set_foreign(const HostUid& host, const ForeignUse& foreign);
  void set_fenced(const HostUid& host, bool fenced);
  // Threads that no claim names and that nobody else may get; hosts that are not there are passed
  // over.
  void hold_cpus(const HostUid& host, const std::vector<int32_t>& cpus);
  void let_go_cpus(const HostUid& host, const std::vector<int32_t>& cpus);
  void set_images(Bytes images);
  void set_pools(std::vector<Pool> pools);

  // Every host that could take one instance of the request now, rules across hosts included,
  // without its backup. Slow: asks every host.
  std::vector<uint32_t> feasible_hosts(const Request& request) const;

 private:
  // One search for a host: what it must keep beside the rules of one host.
  struct Terms {
    const Ask& ask;
    Fleet::HostRange range;
    const GroupView* group = nullptr;
    std::vector<uint32_t> excluded_hosts;
    std::vector<uint32_t> excluded_domains;  // at the level of the guarantee
    // Where soft wishes are kept; elsewhere at least `cost_elsewhere` is added.
    std::vector<Fleet::HostRange> favoured;
    int64_t cost_elsewhere = 0;
  };
  struct Choice {
    uint32_t host = Fleet::kNone;
    int64_t cost = INT64_MAX;
  };

  std::optional<Fleet::HostRange> range_of(const Request& request) const;
  bool pool_has_room(const Request& request) const;
  Terms terms_of(const Ask& ask, Fleet::HostRange range, const GroupView* group) const;
  std::optional<int64_t> extra_cost(const Terms& terms, uint32_t host) const;
  bool is_before(const Choice& a, const Choice& b) const;
  void search(const Terms& terms, size_t column, Fleet::HostRange range, int64_t base,
              Choice& best) const;
  Choice best_host(const Terms& terms);

  bool leaves_what_is_kept(uint32_t host, const Claim& claim) const;
  std::optional<Claim> claim_on(uint32_t host, const Ask& ask) const;
  std::optional<Placement> place_one(const Ask& ask, Fleet::HostRange range);
  std::optional<Backup> backup_beside(const Ask& ask, const Claim& claim, const GroupView* group);
  std::optional<Backup> backup_for(const Ask& ask, uint32_t primary, const GroupView* group);
  bool place_each(const Ask& ask, Fleet::HostRange range, std::vector<Placement>& placed);
  bool place_together(const Ask& ask, Fleet::HostRange range, std::vector<Placement>& placed);
  void count_in_group(const Occupation& occupation, uint32_t host, bool joins);
  std::optional<GroupView> view_of_group(const GroupUid& uid) const;
  template <class Change>
  void change_host(const HostUid& uid, Change change);
  // The host that keeps room for it, or kNone.
  uint32_t keeper_of(const Occupation& occupation, uint32_t host) const;
  Amounts kept_amounts(const Occupation& occupation, uint32_t keeper) const;

  void count_size(const Claim& claim, uint32_t host, int64_t change);
  void learn_mixes();
  int32_t fullness() const;

  const Settings settings_;
  Fleet fleet_;
  Index index_;
  std::map<GroupUid, GroupLoad> groups_;
  // Sizes of the guests that are charged: those that run anywhere on their hosts, and shares of
  // those that are bound to nodes.
  std::map<SizeMix::Size, int64_t> sizes_;
  std::map<SizeMix::Size, int64_t> shares_;
  SizeMix::Size mean_host_;
  SizeMix::Size mean_node_;
  int64_t charged_ = 0;
  int64_t hosts_in_use_ = 0;
  int64_t changes_until_learning_ = 1;
  bool trying_ = false;  // what is charged now will be released before the call ends
};

}  // namespace stellwerk::placement
