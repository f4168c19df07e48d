#include "api/daemon/agent_runtime.h"

#include <spdlog/spdlog.h>

#include "api/daemon/one_line.h"
#include "core/failpoint.h"

namespace stellwerk::daemon {

AgentRuntime::AgentRuntime(agent::AgentConfig config, Parts parts, ControllerLink link)
    : config_(config),
      parts_(parts),
      link_(std::move(link)),
      agent_(std::move(config)),
      loop_(parts.clock,
            [this](std::span<const agent::Input> inputs) {
              failpoint("agent.step");
              return carry_out(agent_.step(inputs, parts_.clock.now()));
            }),
      steps_({.name = "sw-step",
              .threads = config_.max_parallel_steps,
              .max_waiting = config_.max_parallel_steps}),
      eyes_({.name = "sw-observe", .threads = 1, .max_waiting = 1}) {}

AgentRuntime::~AgentRuntime() {
  stop(Duration::zero());
}

void AgentRuntime::start() {
  parts_.hypervisor.listen(
      [this](const hypervisor::DomainEvent& event) { loop_.post(agent::DomainChanged{event}); });
  loop_.start([this] { return carry_out(agent_.start(parts_.clock.now())); });
}

bool AgentRuntime::stop(Duration patience) {
  parts_.hypervisor.listen({});
  loop_.stop();
  const bool steps_idle = steps_.stop(patience);
  const bool eyes_idle = eyes_.stop(patience);
  return steps_idle && eyes_idle;
}

void AgentRuntime::receive(HostOrders orders) {
  loop_.post(agent::OrdersArrived{std::move(orders)});
}

std::optional<MonotonicTime> AgentRuntime::carry_out(agent::StepResult result) {
  for (agent::Output& output : result.outputs) {
    std::visit([this](auto& one) { carry_out_one(std::move(one)); }, output);
  }
  return result.wake_at;
}

void AgentRuntime::carry_out_one(agent::RunStep output) {
  const agent::StepId id = output.id;
  const auto run = [this, output = std::move(output)] {
    const std::string instance = agent::instance_of(output.step).to_string();
    const MonotonicTime begun = parts_.clock.now().monotonic;
    spdlog::debug("step begins step={} instance={} host={}", agent::name_of(output.step), instance,
                  config_.host.to_string());
    absl::Status result = parts_.executor.run(output.step);
    const Duration took = parts_.clock.now().monotonic - begun;
    if (parts_.on_step) parts_.on_step(agent::name_of(output.step), result.code(), took);
    spdlog::log(result.ok() ? spdlog::level::info : spdlog::level::warn,
                "step ended step={} instance={} host={} took_ms={} outcome=\"{}\"",
                agent::name_of(output.step), instance, config_.host.to_string(),
                std::chrono::duration_cast<std::chrono::milliseconds>(took).count(),
                one_line(describe(result)));
    loop_.post(agent::StepFinished{output.id, std::move(result)});
  };
  if (steps_.try_run(run)) return;
  loop_.deliver(agent::StepFinished{id, unavailable("too many steps wait on this host")});
}

absl::Status AgentRuntime::greet() {
  auto hello = link_.hello();
  if (!hello.ok()) return hello.status();
  greeted_ = true;
  spdlog::info("host ready host={} id={} accelerator={} threads={} memory=\"{}\" disk=\"{}\"",
               hello->host.to_string(), hello->id, hello->facts.accelerator, hello->facts.threads,
               to_string(hello->facts.memory), to_string(hello->facts.disk));
  link_.connect(*std::move(hello));
  return absl::OkStatus();
}

// Looks come every few seconds; a driver that is away is told of when its answer changes.
void AgentRuntime::log_sight(const absl::Status& status) {
  std::string trouble = status.ok() ? "" : one_line(describe(status));
  if (trouble == sight_trouble_) return;
  if (status.ok()) {
    spdlog::info("host well again host={}", config_.host.to_string());
  } else {
    spdlog::warn("host in trouble host={} error=\"{}\"", config_.host.to_string(), trouble);
  }
  sight_trouble_ = std::move(trouble);
}

// As above. Guests that run go on under the rules before, others wait: nobody else would tell.
void AgentRuntime::note_guarding(const agent::HostObservation& seen) {
  const std::string host = config_.host.to_string();
  const bool in_force = seen.guarding.ok();
  if (parts_.on_guarding) parts_.on_guarding(in_force);
  if (seen.guards_mended) {
    spdlog::warn("firewall mended: somebody had changed or removed its table host={}", host);
  }
  std::string trouble = in_force ? "" : one_line(describe(seen.guarding));
  if (trouble == firewall_trouble_) return;
  if (in_force) {
    spdlog::info("firewall well again host={}", host);
  } else {
    spdlog::error("firewall in trouble, guests wait for it host={} error=\"{}\"", host, trouble);
  }
  firewall_trouble_ = std::move(trouble);
}

void AgentRuntime::carry_out_one(agent::Observe observe) {
  const auto look = [this, upkeep = std::move(observe.upkeep)] {
    const absl::Status hello = greeted_ ? absl::OkStatus() : greet();
    const MonotonicTime begun = parts_.clock.now().monotonic;
    auto seen = parts_.executor.observe(upkeep);
    log_sight(seen.ok() ? hello : seen.status());
    if (seen.ok() && upkeep.guards) note_guarding(*seen);
    loop_.post(agent::ObservationFinished{begun, std::move(seen)});
  };
  if (eyes_.try_run(look)) return;
  loop_.deliver(agent::ObservationFinished{parts_.clock.now().monotonic,
                                           unavailable("the last look has not come back")});
}

void AgentRuntime::carry_out_one(agent::SendStatus output) {
  log_changes(output.status);
  link_.report(std::move(output.status));
}

void AgentRuntime::log_changes(const HostStatus& status) {
  std::map<InstanceUid, Observed> now;
  for (const InstanceReport& report : status.instances) {
    const Observed& observed = now[report.instance] = report.observed;
    const auto before = logged_.find(report.instance);
    if (before != logged_.end() && before->second.phase == observed.phase &&
        before->second.reason == observed.reason) {
      continue;
    }
    spdlog::info("phase instance={} host={} phase={} reason={} generation={} message=\"{}\"",
                 report.instance.to_string(), status.host.to_string(), to_string(observed.phase),
                 observed.reason, observed.generation.value(), one_line(observed.message));
  }
  logged_ = std::move(now);
}

}  // namespace stellwerk::daemon
