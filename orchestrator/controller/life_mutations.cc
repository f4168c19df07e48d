// Mutations of an instance's life: update, rename, reset, resize.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "core/resource_names.h"
#include "core/validate.h"
#include "orchestrator/controller/claims.h"
#include "orchestrator/controller/failover_guard.h"
#include "orchestrator/controller/frame.h"
#include "orchestrator/controller/life.h"
#include "orchestrator/controller/mutations.h"
#include "orchestrator/controller/resize.h"
#include "orchestrator/controller/views.h"

namespace stellwerk::controller {
namespace {

// Whoever grows a disk under a guest that may still write, loses data.
absl::Status refuse_unless_stopped(const Instance& instance, const Observed& observed) {
  const bool carried_out =
      observed.phase == Phase::kStopped && observed.generation == instance.generation;
  if (instance.desired == DesiredState::kStopped && carried_out) return absl::OkStatus();
  if (instance.desired == DesiredState::kStopped) {
    return with_reason(
        failed_precondition("instance {} is not seen to be stopped yet (it is {}); wait for it",
                            instance.id, to_string(observed.phase)),
        "NOT_STOPPED");
  }
  return with_reason(
      failed_precondition("instance {} is not stopped; stop it first, resize it, and "
                          "start it again",
                          instance.id),
      "NOT_STOPPED");
}

std::string changes_between(const Instance& before, const Instance& after, bool user_data) {
  std::vector<std::string> changes;
  if (before.labels != after.labels) changes.push_back("labels");
  if (before.restart_policy != after.restart_policy) {
    changes.push_back(fmt::format("restart policy {}", to_string(after.restart_policy)));
  }
  if (before.desired != after.desired) {
    changes.push_back(fmt::format("desired {}", to_string(after.desired)));
  }
  if (before.delete_protection != after.delete_protection) {
    changes.push_back(fmt::format("delete protection {}", after.delete_protection ? "on" : "off"));
  }
  if (before.ingress != after.ingress) {
    changes.push_back(fmt::format("{} ingress rules", after.ingress.size()));
  }
  if (user_data) changes.push_back("user-data");
  return fmt::format("{}", fmt::join(changes, ", "));
}

std::string size_change(const Instance& before, const Instance& after) {
  std::vector<std::string> changes = {
      fmt::format("flavor {} instead of {}", after.flavor_id, before.flavor_id)};
  if (before.boot_disk != after.boot_disk) {
    changes.push_back(fmt::format("boot disk {} instead of {}", to_string(after.boot_disk),
                                  to_string(before.boot_disk)));
  }
  return fmt::format("{}", fmt::join(changes, ", "));
}

}  // namespace

absl::Status Mutations::change_user_data(Instance& instance, const std::string& user_data) {
  if (instance.ever_started) {
    return with_reason(
        failed_precondition("instance {} has been started before and may have read its user-data; "
                            "make a new instance with the other one",
                            instance.id),
        "USER_DATA_READ");
  }
  instance.has_user_data = !user_data.empty();
  return absl::OkStatus();
}

absl::StatusOr<Answer> Mutations::apply(const Frame& frame, const UpdateInstance& update) {
  SW_ASSIGN_OR_RETURN(const Instance before, changeable(frame, update.project, update.id));
  SW_RETURN_IF_ERROR(refuse_if_deleted(before));
  Instance instance = before;
  if (update.user_data) SW_RETURN_IF_ERROR(change_user_data(instance, *update.user_data));
  const bool new_user_data = update.user_data && (before.has_user_data || instance.has_user_data);
  if (update.labels) instance.labels = *update.labels;
  if (update.restart_policy) instance.restart_policy = *update.restart_policy;
  if (update.delete_protection) instance.delete_protection = *update.delete_protection;
  if (update.ingress) instance.ingress = *update.ingress;
  if (update.desired && *update.desired != before.desired) {
    *update.desired == DesiredState::kRunning ? order_run(instance) : order_stop(instance, false);
  }
  const std::string changes = changes_between(before, instance, new_user_data);
  if (changes.empty()) return view_of(before, ledger_, book_, frame.now.monotonic);
  if (new_user_data) ledger_.put_user_data(instance.uid, *update.user_data);
  return put_changed(frame, std::move(instance), "InstanceUpdated", changes);
}

absl::StatusOr<Answer> Mutations::apply(const Frame& frame, const RenameInstance& rename) {
  SW_ASSIGN_OR_RETURN(Instance instance, changeable(frame, rename.project, rename.id));
  SW_RETURN_IF_ERROR(refuse_if_deleted(instance));
  if (const Problem problem = check_dns_label(rename.new_id)) {
    return invalid_fields({{"new_instance_id", *problem}});
  }
  if (rename.new_id == rename.id) return view_of(instance, ledger_, book_, frame.now.monotonic);
  if (ledger_.instance(rename.project, rename.new_id)) {
    return with_reason(already_exists("instance {} exists; choose another id", rename.new_id),
                       "NAME_TAKEN");
  }
  instance.id = rename.new_id;
  return put_changed(frame, std::move(instance), "InstanceRenamed",
                     fmt::format("was {}", rename.id));
}

absl::StatusOr<Answer> Mutations::apply(const Frame& frame, const ResetInstance& reset) {
  SW_ASSIGN_OR_RETURN(Instance instance, changeable(frame, reset.project, reset.id));
  SW_RETURN_IF_ERROR(refuse_if_deleted(instance));
  SW_RETURN_IF_ERROR(refuse_if_stopped(instance));
  order_reboot(instance, RebootKind::kReset);
  return put_changed(frame, std::move(instance), "InstanceResetRequested", "");
}

absl::StatusOr<Answer> Mutations::apply(const Frame& frame, const ResizeInstance& resize) {
  SW_ASSIGN_OR_RETURN(const Instance before, changeable(frame, resize.project, resize.id));
  SW_RETURN_IF_ERROR(refuse_if_deleted(before));
  const Observed observed = book_.observed(before.uid, before.claim.host, frame.now.monotonic);
  SW_RETURN_IF_ERROR(refuse_unless_stopped(before, observed));
  SW_ASSIGN_OR_RETURN(const NewSize size, check_resize(resize, before, ledger_));
  Instance instance = before;
  instance.flavor = size.flavor->uid;
  instance.flavor_id = size.flavor->id;
  instance.vcpus = size.flavor->vcpus;
  instance.memory = size.flavor->memory;
  instance.boot_disk = size.boot_disk;
  instance.claim.cpu_class = size.flavor->cpu_class;
  const bool same = instance.flavor == before.flavor && use_of(instance) == use_of(before);
  if (same) return view_of(before, ledger_, book_, frame.now.monotonic);
  SW_RETURN_IF_ERROR(check_quota(before.project, use_of(instance) - use_of(before)));
  SW_ASSIGN_OR_RETURN(placement::Placement placement,
                      place_again(ledger_.engine(), before, {*size.flavor, size.boot_disk}));
  instance.claim = std::move(placement.claim);
  instance.backup = std::move(placement.backup);
  // Of a smaller one room can be kept where there was none for the larger.
  const bool has_backup = instance.backup.has_value();
  if (has_backup != before.backup.has_value()) {
    record_event(frame.now, protection_event(ledger_, before, has_backup));
  }
  const std::string change = size_change(before, instance);
  return put_changed(frame, std::move(instance), "InstanceResized", change);
}

absl::Status Mutations::check_quota(const ProjectUid& project, const ProjectUse& added) const {
  const auto found = ledger_.state().projects.find(project);
  // A record that cannot be read limits nothing that anybody could name.
  if (found == ledger_.state().projects.end()) return absl::OkStatus();
  return check_limits(found->second, ledger_.use_of_project(project), added);
}

}  // namespace stellwerk::controller
