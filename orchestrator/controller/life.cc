#include "orchestrator/controller/life.h"

namespace stellwerk::controller {

void order_run(Instance& instance) {
  instance.desired = DesiredState::kRunning;
  instance.stop_hard = false;
  instance.ever_started = true;
  instance.run = instance.run.next();
}

void order_stop(Instance& instance, bool hard) {
  instance.desired = DesiredState::kStopped;
  instance.stop_hard = hard;
  instance.run = instance.run.next();
}

void order_reboot(Instance& instance, RebootKind kind) {
  ++instance.reboot.count;
  instance.reboot.kind = kind;
  instance.run = instance.run.next();
}

absl::Status refuse_if_deleted(const Instance& instance) {
  if (instance.desired != DesiredState::kDeleted) return absl::OkStatus();
  return with_reason(
      failed_precondition("instance {} is being deleted and cannot be changed", instance.id),
      "BEING_DELETED");
}

absl::Status refuse_if_stopped(const Instance& instance) {
  if (instance.desired == DesiredState::kRunning) return absl::OkStatus();
  return with_reason(failed_precondition("instance {} is stopped; start it instead", instance.id),
                     "NOT_RUNNING");
}

absl::Status refuse_if_protected(const Instance& instance) {
  if (!instance.delete_protection) return absl::OkStatus();
  return with_reason(
      failed_precondition("instance {} is protected against deletion; take the protection away "
                          "first: stellwerk instance update {} --delete-protection off",
                          instance.id, instance.id),
      "DELETE_PROTECTED");
}

}  // namespace stellwerk::controller
