#include "tests/sim/agent_shell.h"

#include <algorithm>
#include <utility>

#include "tests/sim/invariants.h"

namespace stellwerk::sim {

AgentShell::AgentShell(const Stage& stage, Life& life, Executor& executor,
                       agent::AgentConfig config, std::function<void(HostStatus)> send_status)
    : stage_(stage),
      life_(life),
      executor_(executor),
      agent_(std::move(config)),
      send_status_(std::move(send_status)),
      mailbox_(stage, life, [this](std::span<const agent::Input> inputs) {
        return carry_out(agent_.step(inputs, stage_.world.now()));
      }) {}

void AgentShell::start() {
  mailbox_.wake(carry_out(agent_.start(stage_.world.now())));
}

void AgentShell::orders_arrive(HostOrders orders) {
  newest_orders_ = std::max(newest_orders_, orders.sequence);
  if (stage_.bug == Bug::kStaleOrders) {
    std::swap(orders.instances, older_instances_);
    if (stage_.delays.chance(700)) orders.instances = older_instances_;
  }
  mailbox_.post(agent::OrdersArrived{std::move(orders)});
}

void AgentShell::domain_changes(const hypervisor::DomainEvent& event) {
  life_.after(stage_.delays.between(Duration(100), std::chrono::milliseconds(30)),
              [this, event] { mailbox_.post(agent::DomainChanged{event}); });
}

std::optional<MonotonicTime> AgentShell::carry_out(agent::StepResult result) {
  for (agent::Output& output : result.outputs) {
    std::visit([this](auto& value) { carry_out(std::move(value)); }, output);
  }
  return result.wake_at;
}

void AgentShell::carry_out(agent::RunStep output) {
  stage_.invariants.step_begins(output.step, newest_orders_);
  executor_.run(output.step, [this, id = output.id](absl::Status result) {
    mailbox_.post(agent::StepFinished{id, std::move(result)});
  });
}

void AgentShell::carry_out(agent::Observe observe) {
  if (std::exchange(observing_, true)) {
    stage_.invariants.fail("an observation begins while another is under way");
  }
  const MonotonicTime begun = stage_.world.now().monotonic;
  executor_.observe(observe.upkeep, [this, begun](absl::StatusOr<agent::HostObservation> result) {
    observing_ = false;
    mailbox_.post(agent::ObservationFinished{begun, std::move(result)});
  });
}

void AgentShell::carry_out(agent::SendStatus output) {
  if (stage_.bug == Bug::kDestroyUnclaimed) destroy_unclaimed(output.status);
  send_status_(std::move(output.status));
}

void AgentShell::destroy_unclaimed(const HostStatus& status) {
  for (const OrphanReport& orphan : status.orphans) {
    executor_.run(agent::DestroyDomain{InstanceUid(orphan.uuid)}, [](absl::Status) {});
  }
}

}  // namespace stellwerk::sim
