// Mutations of projects.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "core/resource_names.h"
#include "core/validate.h"
#include "orchestrator/controller/bootstrap.h"
#include "orchestrator/controller/frame.h"
#include "orchestrator/controller/mutations.h"
#include "orchestrator/controller/users.h"
#include "orchestrator/controller/views.h"
#include "orchestrator/records/keys.h"

namespace stellwerk::controller {
namespace {

Event event_of(const Project& project, std::string type, std::string message) {
  return {.type = std::move(type),
          .project_id = project.id,
          .resource = project_name(project.id),
          .uid = project.uid.value(),
          .message = std::move(message)};
}

// "instances 10, memory no limit"
std::string limit_changes(const ProjectLimits& before, const ProjectLimits& after) {
  std::vector<std::string> changes;
  for (const Limit limit : kAllLimits) {
    const auto value = value_of(after, limit);
    if (value == value_of(before, limit)) continue;
    changes.push_back(fmt::format("{} {}", to_string(limit),
                                  value ? amount_of(limit, *value) : std::string("no limit")));
  }
  return fmt::format("{}", fmt::join(changes, ", "));
}

// A record that cannot be read may be this project's, and would be nobody's without it.
absl::Status refuse_if_unreadable(const Project& project, const Ledger& ledger) {
  for (const auto& [key, why] : ledger.state().invalid) {
    const bool in_projects =
        key.starts_with(records::kInstancePrefix) || key.starts_with(records::kImagePrefix) ||
        key.starts_with(records::kNetworkPrefix) || key.starts_with(records::kGroupPrefix);
    if (!in_projects) continue;
    return with_reason(failed_precondition("project {} may still have {}, which cannot be read; "
                                           "restore it from a backup first",
                                           project.id, key),
                       "RECORD_UNREADABLE");
  }
  return absl::OkStatus();
}

// All that is in it, kind by kind.
absl::Status refuse_if_used(const Project& project, const Ledger& ledger) {
  SW_RETURN_IF_ERROR(refuse_if_unreadable(project, ledger));
  const auto& state = ledger.state();
  const auto in_project = [&project](const auto& resources) {
    return [&](const auto& uid) { return resources.at(uid).project == project.uid; };
  };
  std::string users;
  const auto add = [&users](std::string_view kind, const std::vector<std::string>& ids) {
    if (!ids.empty()) users += fmt::format("{}: {}; ", kind, fmt::join(ids, ", "));
  };
  add("instances", ids_where(ledger.instance_names(), in_project(state.instances)));
  add("images", ids_where(ledger.image_names(), in_project(state.images)));
  add("networks", ids_where(ledger.network_names(), in_project(state.networks)));
  add("groups", ids_where(ledger.group_names(), in_project(state.groups)));
  if (users.empty()) return absl::OkStatus();
  return with_reason(failed_precondition("project {} has {}delete them first", project.id, users),
                     "PROJECT_IN_USE");
}

}  // namespace

absl::StatusOr<Answer> Mutations::apply(const Frame& frame, const CreateProject& create) {
  std::vector<FieldViolation> violations = frame.context.violations;
  if (const Problem problem = check_dns_label(create.id)) {
    add_once(violations, "project_id", *problem);
  }
  if (!violations.empty()) return invalid_fields(violations);
  if (ledger_.project(create.id)) {
    return with_reason(already_exists("project {} exists; choose another id", create.id),
                       "NAME_TAKEN");
  }
  Project project{.uid = ProjectUid(frame.fresh_uid()),
                  .id = create.id,
                  .labels = create.labels,
                  .limits = create.limits,
                  .created_at = frame.now.wall};
  const ProjectUid uid = project.uid;
  record_event(frame.now, event_of(project, "ProjectCreated", limit_changes({}, project.limits)));
  ledger_.put(std::move(project));
  return view_of(ledger_.state().projects.at(uid), ledger_);
}

absl::StatusOr<Answer> Mutations::apply(const Frame& frame, const UpdateProject& update) {
  const Project* found = ledger_.project(update.id);
  const std::string name = project_name(update.id);
  SW_RETURN_IF_ERROR(check_existing(frame, name, found));
  Project project = *found;
  if (update.labels) project.labels = *update.labels;
  for (const Limit limit : update.limits) {
    set_value(project.limits, limit, value_of(update.values, limit));
  }
  std::string changes = limit_changes(found->limits, project.limits);
  if (project.labels != found->labels) changes += changes.empty() ? "labels" : ", labels";
  if (changes.empty()) return view_of(*found, ledger_);
  const ProjectUid uid = project.uid;
  record_event(frame.now, event_of(project, "ProjectUpdated", changes));
  ledger_.put(std::move(project));
  return view_of(ledger_.state().projects.at(uid), ledger_);
}

absl::StatusOr<Answer> Mutations::apply(const Frame& frame, const DeleteProject& deletion) {
  const Project* found = ledger_.project(deletion.id);
  const std::string name = project_name(deletion.id);
  SW_RETURN_IF_ERROR(check_existing(frame, name, found));
  if (deletion.id == kDefaultProject) {
    return with_reason(failed_precondition("the project {} always exists", deletion.id),
                       "DEFAULT_PROJECT");
  }
  SW_RETURN_IF_ERROR(refuse_if_used(*found, ledger_));
  const ProjectView view = view_of(*found, ledger_);
  record_event(frame.now, event_of(view.project, "ProjectDeleted", ""));
  ledger_.erase(view.project.uid);
  return view;
}

}  // namespace stellwerk::controller
