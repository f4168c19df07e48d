// The agent of one host: turns orders into steps on drivers, level-triggered. Sans-I/O.
//
// After a crash it knows nothing: it observes hypervisor, storage and ports anew and plans again.
// Invariants: no step without orders received in this process and a complete observation newer
// than the last step on that instance; at most one step per instance at a time; absence of an
// instance from the orders never leads to a step.
// One thread at a time.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "core/host_messages.h"
#include "core/time.h"
#include "drivers/hypervisor/hypervisor.h"
#include "orchestrator/agent/plan.h"

namespace stellwerk::agent {

struct AgentConfig {
  CellUid cell;
  HostUid host;
  Duration observe_every = std::chrono::seconds(5);
  Duration report_every = std::chrono::seconds(10);
  size_t max_parallel_steps = 4;
  // More domains than this a minute are not destroyed: they wait, and their reason says so.
  size_t max_destroys_per_minute = 60;
  PlanLimits limits;
};

// Inputs.
struct OrdersArrived {
  HostOrders orders;
};
// The host as the drivers see it, taken between `begun` and now. Errors: unknown, not empty.
struct ObservationFinished {
  MonotonicTime begun;
  absl::StatusOr<HostObservation> result;
};
struct StepFinished {
  StepId step;
  absl::Status result;
};
struct DomainChanged {
  hypervisor::DomainEvent event;
};
struct TimePassed {};
using Input =
    std::variant<OrdersArrived, ObservationFinished, StepFinished, DomainChanged, TimePassed>;

// Outputs.
struct RunStep {
  StepId id;
  Step step;
};
struct Observe {  // never two under way
  HostUpkeep upkeep;
};
struct SendStatus {
  HostStatus status;
};
using Output = std::variant<RunStep, Observe, SendStatus>;

struct StepResult {
  std::vector<Output> outputs;
  std::optional<MonotonicTime> wake_at;
};

class Agent {
 public:
  explicit Agent(AgentConfig config);
  ~Agent();
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  StepResult start(Now now);
  StepResult step(std::span<const Input> inputs, Now now);

 private:
  class Body;
  std::unique_ptr<Body> body_;
};

}  // namespace stellwerk::agent
