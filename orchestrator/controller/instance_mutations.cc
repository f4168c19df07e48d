// Mutations of instances that are there.
#include <fmt/format.h>

#include <utility>

#include "core/resource_names.h"
#include "orchestrator/controller/frame.h"
#include "orchestrator/controller/life.h"
#include "orchestrator/controller/mutations.h"
#include "orchestrator/controller/views.h"

namespace stellwerk::controller {

absl::StatusOr<Instance> Mutations::changeable(const Frame& frame, const std::string& project,
                                               const std::string& id) const {
  if (!frame.context.violations.empty()) return invalid_fields(frame.context.violations);
  const Instance* instance = ledger_.instance(project, id);
  const std::string name = instance_name(project, id);
  if (!instance) return missing(name);
  SW_RETURN_IF_ERROR(check_etag(frame, name, etag_of(*instance)));
  return *instance;
}

Answer Mutations::put_changed(const Frame& frame, Instance instance, std::string type,
                              std::string message) {
  instance.generation = instance.generation.next();
  const InstanceUid uid = instance.uid;
  record_event(frame.now, {.type = std::move(type),
                           .project_id = frame.project,
                           .resource = instance_name(frame.project, instance.id),
                           .uid = uid.value(),
                           .message = std::move(message)});
  ledger_.put(std::move(instance));
  return view_of(ledger_.state().instances.at(uid), ledger_, book_, frame.now.monotonic);
}

absl::StatusOr<Answer> Mutations::apply(const Frame& frame, const StartInstance& start) {
  SW_ASSIGN_OR_RETURN(Instance instance, changeable(frame, start.project, start.id));
  SW_RETURN_IF_ERROR(refuse_if_deleted(instance));
  if (instance.desired == DesiredState::kRunning) {
    return view_of(instance, ledger_, book_, frame.now.monotonic);
  }
  order_run(instance);
  return put_changed(frame, std::move(instance), "InstanceStartRequested", "");
}

absl::StatusOr<Answer> Mutations::apply(const Frame& frame, const StopInstance& stop) {
  SW_ASSIGN_OR_RETURN(Instance instance, changeable(frame, stop.project, stop.id));
  SW_RETURN_IF_ERROR(refuse_if_deleted(instance));
  if (instance.desired == DesiredState::kStopped && (instance.stop_hard || !stop.hard)) {
    return view_of(instance, ledger_, book_, frame.now.monotonic);
  }
  order_stop(instance, stop.hard);
  return put_changed(frame, std::move(instance), "InstanceStopRequested",
                     stop.hard ? "without asking the guest" : "");
}

absl::StatusOr<Answer> Mutations::apply(const Frame& frame, const RebootInstance& reboot) {
  SW_ASSIGN_OR_RETURN(Instance instance, changeable(frame, reboot.project, reboot.id));
  SW_RETURN_IF_ERROR(refuse_if_deleted(instance));
  SW_RETURN_IF_ERROR(refuse_if_stopped(instance));
  order_reboot(instance, reboot.hard ? RebootKind::kPowerCycle : RebootKind::kSoft);
  return put_changed(frame, std::move(instance), "InstanceRebootRequested",
                     reboot.hard ? "a power cycle, without asking the guest" : "");
}

absl::StatusOr<Answer> Mutations::apply(const Frame& frame, const DeleteInstance& deletion) {
  SW_ASSIGN_OR_RETURN(Instance instance, changeable(frame, deletion.project, deletion.id));
  if (instance.desired == DesiredState::kDeleted) {
    return view_of(instance, ledger_, book_, frame.now.monotonic);
  }
  SW_RETURN_IF_ERROR(refuse_if_protected(instance));
  instance.desired = DesiredState::kDeleted;
  instance.run = instance.run.next();
  return put_changed(frame, std::move(instance), "InstanceDeleteRequested", "");
}

void Mutations::accept_end(const Instance& ended, FinalEnd end, Now now) {
  Instance instance = ended;
  instance.desired = DesiredState::kStopped;
  instance.run = instance.run.next();
  instance.generation = instance.generation.next();
  const std::string project = ledger_.project_id(instance.project);
  const bool by_guest = end == FinalEnd::kShutDownByGuest;
  record_event(now, {.type = "InstanceEnded",
                     .project_id = project,
                     .resource = instance_name(project, instance.id),
                     .uid = instance.uid.value(),
                     .reason = by_guest ? "ShutDownByGuest" : "Crashed",
                     .message = by_guest ? "the guest shut itself down; it stays stopped"
                                         : "the guest ended unexpectedly and its restart policy "
                                           "is never; it stays stopped"});
  ledger_.put(std::move(instance));
}

void Mutations::finish_deletion(const Instance& gone, Now now) {
  const std::string project = ledger_.project_id(gone.project);
  const InstanceUid uid = gone.uid;
  record_event(now, {.type = "InstanceDeleted",
                     .project_id = project,
                     .resource = instance_name(project, gone.id),
                     .uid = uid.value(),
                     .message = "domain, disk and port are gone"});
  ledger_.erase(uid);
  book_.forget(uid);
}

}  // namespace stellwerk::controller
