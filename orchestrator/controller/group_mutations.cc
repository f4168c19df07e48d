// Mutations of groups. Their rules are fixed: every member was admitted under them.
#include <fmt/format.h>

#include <utility>

#include "core/resource_names.h"
#include "core/validate.h"
#include "orchestrator/controller/frame.h"
#include "orchestrator/controller/mutations.h"
#include "orchestrator/controller/users.h"
#include "orchestrator/controller/views.h"
#include "orchestrator/records/keys.h"

namespace stellwerk::controller {
namespace {

using Violations = std::vector<FieldViolation>;

// What is together in one domain of the level is in one of every coarser level, too.
bool contradict(const GroupRule& together, const GroupRule& apart) {
  return together.policy == GroupPolicy::kAffinity && together.hard &&
         apart.policy == GroupPolicy::kAntiAffinity && apart.hard && apart.most_per_domain == 1 &&
         apart.level >= together.level;
}

void check_rule(const std::vector<GroupRule>& rules, size_t at, Violations& violations) {
  const GroupRule& rule = rules[at];
  const std::string field = fmt::format("group.rules[{}]", at);
  if (rule.most_per_domain < 1 || rule.most_per_domain > kLargestMostPerDomain) {
    add_once(violations, field + ".most_per_domain",
             fmt::format("{} is out of range; give 1 to {}", rule.most_per_domain,
                         kLargestMostPerDomain));
  }
  if (rule.policy == GroupPolicy::kAffinity && rule.most_per_domain != 1) {
    add_once(violations, field + ".most_per_domain", "is for anti-affinity alone; leave it out");
  }
  for (size_t i = 0; i < at; ++i) {
    const GroupRule& other = rules[i];
    if (other.policy == rule.policy && other.level == rule.level) {
      add_once(violations, field,
               fmt::format("is a second rule of {} at the level of {}s; keep one of them",
                           to_string(rule.policy), to_string(rule.level)));
    } else if (contradict(other, rule) || contradict(rule, other)) {
      const bool first = other.policy == GroupPolicy::kAffinity;
      const GroupRule& together = first ? other : rule;
      const GroupRule& apart = first ? rule : other;
      add_once(violations, field,
               fmt::format("contradicts rules[{}]: all members on one {}, and no two on one {}; "
                           "make one of them soft or drop it",
                           i, to_string(together.level), to_string(apart.level)));
    }
  }
}

void check_rules(const std::vector<GroupRule>& rules, Violations& violations) {
  if (rules.empty()) {
    add_once(violations, "group.rules",
             "is missing; a group has at least one rule, such as anti-affinity at the level of "
             "hosts");
  }
  for (size_t i = 0; i < rules.size(); ++i) check_rule(rules, i, violations);
}

}  // namespace

absl::StatusOr<Answer> Mutations::apply(const Frame& frame, const CreateGroup& create) {
  Violations violations = frame.context.violations;
  if (const Problem problem = check_dns_label(create.id)) {
    add_once(violations, "group_id", *problem);
  }
  check_rules(create.rules, violations);
  if (!violations.empty()) return invalid_fields(violations);
  if (ledger_.group(create.project, create.id)) {
    return with_reason(already_exists("group {} exists; choose another id", create.id),
                       "NAME_TAKEN");
  }
  const Group group{.uid = GroupUid(frame.fresh_uid()),
                    .project = frame.project_uid,
                    .id = create.id,
                    .rules = create.rules,
                    .labels = create.labels,
                    .created_at = frame.now.wall};
  record_event(frame.now, {.type = "GroupCreated",
                           .project_id = frame.project,
                           .resource = group_name(frame.project, group.id),
                           .uid = group.uid.value()});
  ledger_.put(group);
  return view_of(*ledger_.group(create.project, create.id), ledger_);
}

absl::StatusOr<Answer> Mutations::apply(const Frame& frame, const DeleteGroup& deletion) {
  const Group* found = ledger_.group(deletion.project, deletion.id);
  const std::string name = group_name(deletion.project, deletion.id);
  SW_RETURN_IF_ERROR(check_existing(frame, name, found));
  const std::string what = "group " + found->id;
  SW_RETURN_IF_ERROR(refuse_if_unreadable(what, records::kInstancePrefix, ledger_));
  std::vector<std::string> members;
  for (const GroupMember& member : members_of(*found, ledger_)) {
    members.push_back(member.instance_id);
  }
  SW_RETURN_IF_ERROR(with_reason(refuse_for(what, {few_of("instance", members)}), "GROUP_IN_USE"));
  const GroupView view = view_of(*found, ledger_);
  record_event(frame.now, {.type = "GroupDeleted",
                           .project_id = frame.project,
                           .resource = name,
                           .uid = view.group.uid.value()});
  ledger_.erase(view.group.uid);
  return view;
}

}  // namespace stellwerk::controller
