// The shell around the agent of this host: its thread, a pool for its steps, a thread that looks.
//
// The host says hello to the controller as soon as its drivers can tell what it has, and keeps
// trying until then. Threads: one event loop owns the agent; every public function may be called
// from any thread.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "api/daemon/event_loop.h"
#include "api/daemon/worker_pool.h"
#include "core/host_messages.h"
#include "drivers/hypervisor/hypervisor.h"
#include "orchestrator/agent/agent.h"
#include "orchestrator/agent/executor.h"

namespace stellwerk::daemon {

// The agent's way to its controller.
struct ControllerLink {
  // What to say first; blocks. An error means: not yet.
  std::function<absl::StatusOr<HostHello>()> hello;
  // Both only post.
  std::function<void(HostHello)> connect;
  std::function<void(HostStatus)> report;
};

class AgentRuntime {
 public:
  // The references outlive the runtime.
  struct Parts {
    hypervisor::Hypervisor& hypervisor;
    agent::Executor& executor;
    const Clock& clock;
    // From the step's thread, when it has ended. May be empty.
    std::function<void(std::string_view step, absl::StatusCode, Duration took)> on_step = {};
    // From the looking thread, whenever the firewall was asked. May be empty.
    std::function<void(bool in_force)> on_guarding = {};
  };
  AgentRuntime(agent::AgentConfig config, Parts parts, ControllerLink link);
  // stop().
  ~AgentRuntime();
  AgentRuntime(const AgentRuntime&) = delete;
  AgentRuntime& operator=(const AgentRuntime&) = delete;

  void start();
  void receive(HostOrders orders);
  // For the watchdog: `done` is called when the agent has made one more step.
  void after_a_step(std::function<void()> done) { loop_.after_a_step(std::move(done)); }

  // Starts no further step. False: a step or a look has not come back within `patience`; it may be
  // left behind, for a step that is cut off is carried out again.
  bool stop(Duration patience);

 private:
  using Loop = EventLoop<agent::Input, agent::TimePassed>;

  std::optional<MonotonicTime> carry_out(agent::StepResult result);
  void carry_out_one(agent::RunStep output);
  void carry_out_one(agent::Observe output);
  void carry_out_one(agent::SendStatus output);
  absl::Status greet();
  void log_changes(const HostStatus& status);
  void log_sight(const absl::Status& status);
  void note_guarding(const agent::HostObservation& seen);

  const agent::AgentConfig config_;
  const Parts parts_;
  const ControllerLink link_;

  // Touched by the loop's thread alone.
  agent::Agent agent_;
  std::map<InstanceUid, Observed> logged_;

  // Touched by the looking thread alone.
  bool greeted_ = false;
  std::string sight_trouble_;
  std::string firewall_trouble_;

  Loop loop_;
  WorkerPool steps_;
  WorkerPool eyes_;
};

}  // namespace stellwerk::daemon
