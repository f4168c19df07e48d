#include "placement/groups.h"

#include <algorithm>
#include <tuple>

namespace stellwerk::placement {

using Member = GroupLoad::Member;

const GroupRule* hard_affinity(const GroupLoad& group) {
  const GroupRule* finest = nullptr;
  for (const GroupRule& rule : group.rules) {
    if (rule.policy != GroupPolicy::kAffinity || !rule.hard) continue;
    if (finest == nullptr || rule.level < finest->level) finest = &rule;
  }
  return finest;
}

GroupView::GroupView(const Fleet& fleet, const GroupLoad& group,
                     std::optional<DomainLevel> guarantee)
    : fleet_(fleet), group_(group), guarantee_(guarantee) {
  for (const GroupRule& rule : group.rules) {
    RuleView view{.rule = &rule, .members = {}, .full_after_loss = {}};
    std::vector<uint32_t> domains;
    for (const Member& member : group.members) {
      domains.push_back(fleet.domain_of(member.host, rule.level));
    }
    std::sort(domains.begin(), domains.end());
    for (const uint32_t domain : domains) {
      if (view.members.empty() || view.members.back().domain != domain) {
        view.members.push_back({.domain = domain, .count = 0});
      }
      ++view.members.back().count;
    }
    find_full(view);
    find_strays(view);
    rules_.push_back(std::move(view));
  }
}

int64_t GroupView::members_in(const RuleView& view, uint32_t domain) const {
  const auto found =
      std::lower_bound(view.members.begin(), view.members.end(), domain,
                       [](const DomainCount& one, uint32_t wanted) { return one.domain < wanted; });
  return found != view.members.end() && found->domain == domain ? found->count : 0;
}

// Those that were elsewhere, and the backups of those that were lost.
int64_t GroupView::members_after_loss(const GroupRule& rule, uint32_t domain, uint32_t lost) const {
  return std::count_if(group_.members.begin(), group_.members.end(), [&](const Member& member) {
    const bool is_lost = fleet_.domain_of(member.host, *guarantee_) == lost;
    const uint32_t then = is_lost ? member.backup : member.host;
    return then != Fleet::kNone && fleet_.domain_of(then, rule.level) == domain;
  });
}

void GroupView::find_full(RuleView& view) const {
  const GroupRule& rule = *view.rule;
  if (!guarantee_ || !rule.hard || rule.policy != GroupPolicy::kAntiAffinity) return;
  for (const Member& member : group_.members) {
    if (member.backup == Fleet::kNone) continue;
    const uint32_t domain = fleet_.domain_of(member.backup, rule.level);
    const uint32_t lost = fleet_.domain_of(member.host, *guarantee_);
    if (members_after_loss(rule, domain, lost) >= rule.most_per_domain) {
      view.full_after_loss.push_back({.domain = domain, .lost = lost});
    }
  }
  std::sort(view.full_after_loss.begin(), view.full_after_loss.end(),
            [](const Full& a, const Full& b) {
              return std::tie(a.domain, a.lost) < std::tie(b.domain, b.lost);
            });
}

bool GroupView::is_wider_than_loss(const GroupRule& rule) const {
  return guarantee_ && rule.hard && rule.policy == GroupPolicy::kAffinity &&
         rule.level > *guarantee_;
}

bool GroupView::can_stray() const {
  return std::any_of(rules_.begin(), rules_.end(),
                     [&](const RuleView& view) { return is_wider_than_loss(*view.rule); });
}

// Members that will leave the domain of all.
void GroupView::find_strays(RuleView& view) const {
  if (!is_wider_than_loss(*view.rule)) return;
  for (const Member& member : group_.members) {
    if (member.backup == Fleet::kNone) continue;
    const uint32_t domain = fleet_.domain_of(member.backup, view.rule->level);
    if (domain == fleet_.domain_of(member.host, view.rule->level)) continue;
    view.full_after_loss.push_back(
        {.domain = domain, .lost = fleet_.domain_of(member.host, *guarantee_)});
  }
}

// Whether any other member is outside of the domain after the loss.
bool GroupView::is_apart(const GroupRule& rule, uint32_t domain, uint32_t lost) const {
  return std::any_of(group_.members.begin(), group_.members.end(), [&](const Member& member) {
    const bool is_lost = fleet_.domain_of(member.host, *guarantee_) == lost;
    const uint32_t then = is_lost ? member.backup : member.host;
    return then != Fleet::kNone && fleet_.domain_of(then, rule.level) != domain;
  });
}

bool GroupView::breaks(const RuleView& view, uint32_t host) const {
  const GroupRule& rule = *view.rule;
  const uint32_t domain = fleet_.domain_of(host, rule.level);
  const int64_t there = members_in(view, domain);
  if (rule.policy == GroupPolicy::kAffinity) {
    if (!view.members.empty() && there == 0) return true;
    return std::any_of(
        view.full_after_loss.begin(), view.full_after_loss.end(),
        [&](const Full& stray) { return fleet_.domain_of(host, *guarantee_) != stray.lost; });
  }
  if (there >= rule.most_per_domain) return true;
  auto full =
      std::lower_bound(view.full_after_loss.begin(), view.full_after_loss.end(), domain,
                       [](const Full& one, uint32_t wanted) { return one.domain < wanted; });
  for (; full != view.full_after_loss.end() && full->domain == domain; ++full) {
    if (fleet_.domain_of(host, *guarantee_) != full->lost) return true;
  }
  return false;
}

const GroupRule* GroupView::broken_rule(uint32_t host) const {
  for (const RuleView& view : rules_) {
    if (view.rule->hard && breaks(view, host)) return view.rule;
  }
  return nullptr;
}

std::optional<int32_t> GroupView::cost(uint32_t host) const {
  if (broken_rule(host) != nullptr) return std::nullopt;
  int64_t cost = 0;
  for (const RuleView& view : rules_) {
    const GroupRule& rule = *view.rule;
    if (rule.hard || !breaks(view, host)) continue;
    const int64_t there = members_in(view, fleet_.domain_of(host, rule.level));
    cost += rule.policy == GroupPolicy::kAffinity ? 1 : there - rule.most_per_domain + 1;
  }
  return static_cast<int32_t>(std::min<int64_t>(cost, 1 << 16));
}

bool GroupView::may_back(uint32_t host, uint32_t primary, bool may_stray) const {
  const uint32_t lost = fleet_.domain_of(primary, *guarantee_);
  for (const RuleView& view : rules_) {
    const GroupRule& rule = *view.rule;
    if (!rule.hard) continue;
    const uint32_t domain = fleet_.domain_of(host, rule.level);
    if (rule.policy == GroupPolicy::kAntiAffinity) {
      if (members_after_loss(rule, domain, lost) >= rule.most_per_domain) return false;
      continue;
    }
    if (is_wider_than_loss(rule) && !may_stray && domain != fleet_.domain_of(primary, rule.level)) {
      return false;
    }
    if (is_apart(rule, domain, lost)) return false;
  }
  return true;
}

}  // namespace stellwerk::placement
