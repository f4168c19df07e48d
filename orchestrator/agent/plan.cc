#include "orchestrator/agent/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/overloaded.h"
#include "orchestrator/agent/pins.h"

namespace stellwerk::agent {
namespace {

using hypervisor::DomainEnd;
using hypervisor::DomainState;

// One decision in the making: collects what to say and at most one step.
class Decision {
 public:
  Decision(const PlanInput& input, const PlanLimits& limits, MonotonicTime now)
      : input_(input), limits_(limits), now_(now) {}

  InstancePlan decide();

 private:
  void decide_running();
  void decide_running_domain(const hypervisor::ObservedDomain& domain);
  bool has_whole_files() const;
  void decide_start();
  void decide_restart();
  void decide_stopped();
  void decide_shutdown(const hypervisor::ObservedDomain& domain);
  void decide_deleted();

  bool refuse_domain();
  bool ran_and_ended() const;
  bool confirm_gone(Phase phase);
  void mark_started();
  void keep_pinned();
  bool remove_left_port();
  bool await_shutdown();

  void say(Phase phase, std::string reason = "", std::string message = "");
  void done(Phase phase);
  // The step, unless an earlier failure asks for patience.
  void act(Phase phase, Step step);

  const Instance& desired() const { return input_.desired; }
  const std::optional<hypervisor::ObservedDomain>& domain() const { return input_.observed.domain; }

  const PlanInput& input_;
  const PlanLimits& limits_;
  const MonotonicTime now_;
  InstancePlan result_;
};

InstancePlan Decision::decide() {
  if (refuse_domain()) return std::move(result_);
  switch (desired().desired) {
    case DesiredState::kRunning:
      decide_running();
      break;
    case DesiredState::kStopped:
      decide_stopped();
      break;
    case DesiredState::kDeleted:
      decide_deleted();
      break;
  }
  keep_pinned();
  return std::move(result_);
}

void Decision::say(Phase phase, std::string reason, std::string message) {
  result_.observed.phase = phase;
  result_.observed.reason = std::move(reason);
  result_.observed.message = std::move(message);
}

void Decision::done(Phase phase) {
  say(phase);
  result_.observed.generation = desired().generation;
}

void Decision::act(Phase phase, Step step) {
  const History& history = input_.history;
  if (history.failures == 0) {
    say(phase);
  } else {
    say(phase, "RetryingAfterError",
        fmt::format("{} (failed {} times)", history.last_error, history.failures));
    if (now_ < history.not_before) {
      result_.wake_at = history.not_before;
      return;
    }
  }
  result_.step = std::move(step);
}

// A domain under this uuid that is not ours, or belongs to newer orders, is left alone.
bool Decision::refuse_domain() {
  if (!domain()) return false;
  const auto& owner = domain()->owner;
  if (!owner || owner->cell != input_.cell) {
    say(Phase::kUnknown, "ForeignDomain",
        fmt::format("a domain {} with this instance's uuid is not this cell's; it is left alone",
                    domain()->name));
    return true;
  }
  if (owner->run > desired().run) {
    say(Phase::kUnknown, "StaleOrders",
        fmt::format("the domain was started for run {} of the instance, the orders name {}",
                    owner->run.value(), desired().run.value()));
    return true;
  }
  return false;
}

bool Decision::remove_left_port() {
  if (input_.observed.ports.empty()) return false;
  const Phase phase =
      desired().desired == DesiredState::kDeleted ? Phase::kDeleting : Phase::kStopping;
  act(phase, RemovePort{desired().uid, input_.observed.ports.front()});
  return true;
}

// A guest that was asked to shut down, and is now wanted again, either ends, and is started anew,
// or has ignored the request for good.
bool Decision::await_shutdown() {
  const auto asked_at = input_.history.shutdown_asked_at;
  if (!asked_at || now_ >= *asked_at + limits_.shutdown_patience) return false;
  say(Phase::kStopping, "WaitingForGuest",
      "the guest was asked to shut down; it is started again as soon as it has");
  result_.wake_at = *asked_at + limits_.shutdown_patience;
  return true;
}

void Decision::decide_running() {
  if (domain()) return decide_running_domain(*domain());
  const auto& end = input_.history.end;
  if (end == DomainEnd::kShutDownByGuest) {
    say(Phase::kStopped, "ShutDownByGuest", "the guest shut itself down");
    result_.final_end = FinalEnd::kShutDownByGuest;
    return;
  }
  if (ran_and_ended()) return decide_restart();
  decide_start();
}

void Decision::decide_running_domain(const hypervisor::ObservedDomain& domain) {
  const InstanceUid uid = desired().uid;
  const bool reboot = domain.owner->reboot_count < desired().reboot.count;
  // Whatever the guest is at: the order began a new run, under which the next process is started.
  if (reboot && desired().reboot.kind == RebootKind::kPowerCycle) {
    return act(Phase::kStarting, DestroyDomain{uid, true});
  }
  switch (domain.state) {
    case DomainState::kRunning: {
      if (reboot && desired().reboot.kind == RebootKind::kReset) {
        return act(Phase::kRunning, RebootDomain{uid, desired().reboot});
      }
      if (await_shutdown()) return;
      if (reboot) return act(Phase::kRunning, RebootDomain{uid, desired().reboot});
      if (input_.unguarded.empty()) {
        done(Phase::kRunning);
      } else {
        say(Phase::kRunning, "WaitingForFirewall", input_.unguarded);
      }
      return mark_started();
    }
    case DomainState::kPaused:
      return act(Phase::kStarting, ResumeDomain{uid});
    case DomainState::kPausedOnError:
      act(Phase::kStarting, ResumeDomain{uid});
      result_.observed.reason = "DiskError";
      result_.observed.message =
          "paused because its disk is full or fails; it is resumed as soon as that is mended";
      return;
    case DomainState::kShuttingDown:
      return say(Phase::kStopping);
    case DomainState::kCrashed:
      return act(Phase::kCrashed, DestroyDomain{uid});
  }
}

// While a guest may still follow an old request to shut down, its end would not be unexpected.
void Decision::mark_started() {
  const auto& files = input_.observed.files;
  if (!files || files->started == desired().run) return;
  if (input_.history.shutdown_asked_at) return;
  if (input_.history.failures > 0 && now_ < input_.history.not_before) {
    result_.wake_at = input_.history.not_before;
    return;
  }
  result_.step = MarkStarted{desired().uid, desired().run};
}

// After everything else: a guest that cannot be moved can still be stopped.
void Decision::keep_pinned() {
  if (result_.step || !domain() || !domain()->pins) return;
  const auto wanted = wanted_pins(desired(), input_.shared_cpus);
  if (!wanted || *wanted == *domain()->pins) return;
  if (wanted->vcpus.size() != domain()->pins->vcpus.size()) return;  // of another size: restarted
  const History& history = input_.history;
  if (history.failures > 0 && now_ < history.not_before) {
    if (!result_.wake_at || history.not_before < *result_.wake_at) {
      result_.wake_at = history.not_before;
    }
    if (!result_.observed.reason.empty()) return;
    result_.observed.reason = "RetryingAfterError";
    result_.observed.message =
        fmt::format("{} (failed {} times)", history.last_error, history.failures);
    return;
  }
  result_.step = PinDomain{desired().uid, *wanted};
}

bool Decision::ran_and_ended() const {
  const auto& files = input_.observed.files;
  return input_.history.end || (files && files->started == desired().run);
}

// A guest may live on although the hypervisor has forgotten it; only a look at the processes tells.
bool Decision::confirm_gone(Phase phase) {
  if (!input_.observed.files || input_.history.confirmed_gone) return false;
  act(phase, DestroyDomain{desired().uid});
  return true;
}

void Decision::decide_restart() {
  if (desired().restart_policy == RestartPolicy::kNever) {
    say(Phase::kCrashed, "EndedUnexpectedly",
        "the guest ended without being asked; its restart policy is never");
    result_.final_end = FinalEnd::kCrashedAndNotRestarted;
    return;
  }
  decide_start();
  if (!result_.step && result_.wake_at) {
    result_.observed.phase = Phase::kCrashed;
    result_.observed.reason = "RestartBackOff";
  }
}

// Also a disk that has been given more bytes since.
bool Decision::has_whole_files() const {
  const auto& files = input_.observed.files;
  if (!files || !files->has_disk || !files->has_seed) return false;
  return !files->disk_size || *files->disk_size >= desired().boot_disk;
}

void Decision::decide_start() {
  if (remove_left_port()) {
    result_.observed.phase = Phase::kPreparing;
    return;
  }
  const auto& files = input_.observed.files;
  if (desired().has_disk && !(files && files->has_disk)) {
    return say(Phase::kStarting, "DiskMissing",
               "the disk that it had is not in this host's storage; put it back, or delete the "
               "instance and create it anew");
  }
  if (!has_whole_files()) {
    return act(Phase::kPreparing, PrepareFiles{desired(), input_.networks});
  }
  // Nobody speaks before the firewall knows who it is.
  if (!input_.unguarded.empty()) {
    return say(Phase::kStarting, "WaitingForFirewall", input_.unguarded);
  }
  if (!input_.in_the_way.empty()) {
    return say(Phase::kStarting, "WaitingForProcessors", input_.in_the_way);
  }
  act(Phase::kStarting, StartDomain{input_.cell, desired(), input_.networks, input_.shared_cpus});
}

void Decision::decide_stopped() {
  if (domain()) return decide_shutdown(*domain());
  if (confirm_gone(Phase::kStopping) || remove_left_port()) return;
  done(Phase::kStopped);
}

void Decision::decide_shutdown(const hypervisor::ObservedDomain& domain) {
  const bool listens =
      domain.state == DomainState::kRunning || domain.state == DomainState::kShuttingDown;
  const auto asked_at = input_.history.shutdown_asked_at;
  const bool out_of_patience = asked_at && now_ >= *asked_at + limits_.shutdown_patience;
  if (desired().stop_hard || !listens || out_of_patience) {
    return act(Phase::kStopping, DestroyDomain{desired().uid});
  }
  if (!asked_at || input_.history.shutdown_refused) {
    return act(Phase::kStopping, RequestShutdown{desired().uid});
  }
  say(Phase::kStopping, "WaitingForGuest", "the guest was asked to shut down");
  result_.wake_at = *asked_at + limits_.shutdown_patience;
}

void Decision::decide_deleted() {
  if (domain()) return act(Phase::kDeleting, DestroyDomain{desired().uid});
  if (confirm_gone(Phase::kDeleting) || remove_left_port()) return;
  if (input_.observed.files) return act(Phase::kDeleting, DeleteFiles{desired().uid});
  done(Phase::kDeleted);
}

}  // namespace

InstancePlan plan(const PlanInput& input, const PlanLimits& limits, MonotonicTime now) {
  return Decision(input, limits, now).decide();
}

InstanceUid instance_of(const Step& step) {
  return std::visit(Overloaded{[](const PrepareFiles& s) { return s.instance.uid; },
                               [](const StartDomain& s) { return s.instance.uid; },
                               [](const auto& s) { return s.instance; }},
                    step);
}

std::string_view name_of(const Step& step) {
  using namespace std::string_view_literals;
  return std::visit(Overloaded{[](const PrepareFiles&) { return "prepare-files"sv; },
                               [](const StartDomain&) { return "start-domain"sv; },
                               [](const PinDomain&) { return "pin-domain"sv; },
                               [](const MarkStarted&) { return "mark-started"sv; },
                               [](const ResumeDomain&) { return "resume-domain"sv; },
                               [](const RequestShutdown&) { return "request-shutdown"sv; },
                               [](const RebootDomain&) { return "reboot-domain"sv; },
                               [](const DestroyDomain&) { return "destroy-domain"sv; },
                               [](const RemovePort&) { return "remove-port"sv; },
                               [](const DeleteFiles&) { return "delete-files"sv; }},
                    step);
}

std::string interface_name(const InstanceUid& instance, size_t port) {
  std::string name = kInterfacePrefix;
  for (size_t i = 0; i < 6; ++i) name += fmt::format("{:02x}", instance.value().bytes()[i]);
  if (port > 0) name += fmt::format("{:x}", port);
  return name;
}

bool is_interface_name(std::string_view name) {
  if (!name.starts_with(kInterfacePrefix)) return false;
  name.remove_prefix(std::string_view(kInterfacePrefix).size());
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return (name.size() == 12 || name.size() == 13) && std::ranges::all_of(name, is_digit);
}

}  // namespace stellwerk::agent
