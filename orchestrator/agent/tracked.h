// What one process of the agent knows of one instance: what was done to it and how that went, what
// its guest did, and what was last reported. Soft; forgotten with the process.
//
// Invariants: one step at a time; an end of the domain that we asked for is never counted against
// the guest; each failure lengthens the wait before the next step.
// Owned by the agent, on its thread.
#pragma once

#include <optional>
#include <string>

#include "core/time.h"
#include "orchestrator/agent/plan.h"

namespace stellwerk::agent {

struct Tracked {
  History history;
  Observed reported;
  std::optional<FinalEnd> final_end;
  std::optional<StepId> step;  // under way
  MonotonicTime last_step_finished;
  // What an event said of the domain's end, until an observation tells whether it is gone.
  std::optional<hypervisor::DomainEnd> told_end;
  MonotonicTime told_end_at;
  bool seen_running = false;     // in the last observation
  bool present = false;          // its domain, when it was last planned for
  bool recalled = false;         // what an earlier process may have asked of the guest
  bool wanted = false;           // desired running
  bool has_disk = false;         // in the last observation
  bool paused_on_error = false;  // in the last observation
  bool failed_to_pin = false;    // that was the last failure
  // When the end of the guest before was asked for, should the start that is under way fail.
  std::optional<MonotonicTime> asked_before_start;

  // New orders to run or stop: failures and ends of before are forgotten, a request to shut down
  // that the guest may still follow is not.
  void begin_run(Generation run, const PlanLimits& limits, MonotonicTime now);

  // What an observation begun at `begun` says of the domain.
  void note_seen(const InstanceObservation& seen, MonotonicTime begun, const PlanLimits& limits,
                 MonotonicTime now);
  // What the hypervisor tells; `under_way` is the step at work, if any.
  void note_told_end(hypervisor::DomainEnd end, const Step* under_way, MonotonicTime now);
  // What this process finds running although an earlier one may have asked it to shut down.
  void recall_shutdown(const Instance& instance, const InstanceObservation& seen,
                       MonotonicTime now);

  void note_taken(StepId id, const Step& taken, MonotonicTime now);
  void note_success(const Step& taken, const PlanLimits& limits, MonotonicTime now);
  void note_failure(const Step& taken, const absl::Status& why, const PlanLimits& limits,
                    MonotonicTime now);

  // Whether the words differ from those reported before. `since` and what was carried out follow
  // from what was reported before.
  bool set_reported(Observed observed, WallTime now);

 private:
  void note_asked(MonotonicTime now);
  void note_end(hypervisor::DomainEnd end, const PlanLimits& limits, MonotonicTime now);
  void count_failure(std::string error, const PlanLimits& limits, MonotonicTime now);
};

}  // namespace stellwerk::agent
