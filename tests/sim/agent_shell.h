// What the daemon puts around its agent: a queue in front, and the executor behind. One life.
#pragma once

#include <functional>

#include "orchestrator/agent/agent.h"
#include "tests/sim/executor.h"
#include "tests/sim/mailbox.h"
#include "tests/sim/stage.h"

namespace stellwerk::sim {

class AgentShell {
 public:
  AgentShell(const Stage& stage, Life& life, Executor& executor, agent::AgentConfig config,
             std::function<void(HostStatus)> send_status);

  void start();
  void orders_arrive(HostOrders orders);
  void domain_changes(const hypervisor::DomainEvent& event);

 private:
  std::optional<MonotonicTime> carry_out(agent::StepResult result);
  void carry_out(agent::RunStep output);
  void carry_out(agent::Observe observe);
  void carry_out(agent::SendStatus output);
  void destroy_unclaimed(const HostStatus& status);

  const Stage& stage_;
  Life& life_;
  Executor& executor_;
  agent::Agent agent_;
  std::function<void(HostStatus)> send_status_;
  Mailbox<agent::Input, agent::TimePassed> mailbox_;
  Sequence newest_orders_;
  std::vector<Instance> older_instances_;
  bool observing_ = false;
};

}  // namespace stellwerk::sim
