// Groups: which hosts a further member may have, also after the loss of any one failure domain when
// backups stand in for lost members. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/group.h"
#include "placement/fleet.h"

namespace stellwerk::placement {

struct GroupLoad {
  struct Member {
    uint32_t host = 0;
    uint32_t backup = Fleet::kNone;
    friend auto operator<=>(const Member&, const Member&) = default;
  };
  std::vector<GroupRule> rules;
  std::vector<Member> members;  // ordered
  friend bool operator==(const GroupLoad&, const GroupLoad&) = default;
};

// The rule of the finest level that wants all members in one domain; null if none does.
const GroupRule* hard_affinity(const GroupLoad& group);

// A group as one search sees it: its members counted by domain, once for all hosts.
class GroupView {
 public:
  // `guarantee` is the level of the failover guarantee, if it is on.
  GroupView(const Fleet& fleet, const GroupLoad& group, std::optional<DomainLevel> guarantee);

  // How many soft rules another member on this host would be against, and how far; nothing if it
  // would be against a hard one, now or after a failure.
  std::optional<int32_t> cost(uint32_t host) const;
  // The hard rule that it would be against, or null.
  const GroupRule* broken_rule(uint32_t host) const;
  // Whether a member on `primary` may have its backup there: after the loss of the primary's domain
  // no hard rule is broken. Members that share a domain larger than what is lost stay in it, so
  // that others may join them wherever they are; one that `may_stray` leaves it if nobody stays
  // behind, and whoever joins it then must be lost with it.
  bool may_back(uint32_t host, uint32_t primary, bool may_stray = false) const;
  // Whether that makes a difference.
  bool can_stray() const;

 private:
  struct DomainCount {
    uint32_t domain = 0;
    int64_t count = 0;
  };
  // After the loss of `lost`, no further member fits into `domain`, unless it is lost itself; of
  // affinity: into any other.
  struct Full {
    uint32_t domain = 0;
    uint32_t lost = 0;
  };
  struct RuleView {
    const GroupRule* rule = nullptr;
    std::vector<DomainCount> members;   // ordered by domain
    std::vector<Full> full_after_loss;  // ordered by domain
  };

  int64_t members_in(const RuleView& view, uint32_t domain) const;
  int64_t members_after_loss(const GroupRule& rule, uint32_t domain, uint32_t lost) const;
  void find_full(RuleView& view) const;
  void find_strays(RuleView& view) const;
  bool is_wider_than_loss(const GroupRule& rule) const;
  bool is_apart(const GroupRule& rule, uint32_t domain, uint32_t lost) const;
  bool breaks(const RuleView& view, uint32_t host) const;

  const Fleet& fleet_;
  const GroupLoad& group_;
  const std::optional<DomainLevel> guarantee_;
  std::vector<RuleView> rules_;
};

}  // namespace stellwerk::placement
