#include "tests/sim/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace stellwerk::sim {
namespace {

using hypervisor::DomainEnd;

// 2026-01-01T00:00:00Z: an arbitrary beginning, the same in every run.
constexpr WallTime kBeginning{std::chrono::sys_days{std::chrono::January / 1 / 2026}};
// A machine that has been up for a while, so that no code relies on small numbers.
constexpr Duration kUptime = std::chrono::hours(30);

DomainEnd end_seen(Cause cause) {
  switch (cause) {
    case Cause::kOwnShutdown:
    case Cause::kShutdownAsked:
      return DomainEnd::kShutDownByGuest;
    case Cause::kCrash:
    case Cause::kPowerCut:
      return DomainEnd::kCrashed;
    case Cause::kDestroyed:
      return DomainEnd::kDestroyed;
  }
  return DomainEnd::kCrashed;
}

}  // namespace

std::string_view to_string(Cause cause) {
  switch (cause) {
    case Cause::kOwnShutdown:
      return "its own shutdown";
    case Cause::kShutdownAsked:
      return "the shutdown that was asked for";
    case Cause::kCrash:
      return "a crash";
    case Cause::kDestroyed:
      return "destruction";
    case Cause::kPowerCut:
      return "a power cut";
  }
  return "";
}

std::vector<Process>::iterator Machine::find_process(const Uuid& uuid) {
  return std::ranges::find(processes, uuid, &Process::uuid);
}

std::vector<Process>::const_iterator Machine::find_process(const Uuid& uuid) const {
  return std::ranges::find(processes, uuid, &Process::uuid);
}

Now Machine::now(const Schedule& schedule) const {
  const Duration since_boot = schedule.now() - booted_at;
  const Duration uptime = booted_at == MonotonicTime{} ? kUptime : Duration{};
  return {.monotonic = {uptime + since_boot}, .wall = kBeginning + schedule.now().since_start};
}

void Machine::tell(const hypervisor::DomainEvent& event) const {
  if (listener) listener(event);
}

World::World(const Schedule& schedule, EventLog& log, Random random,
             const std::vector<Bytes>& memories)
    : schedule_(schedule), log_(log), random_(std::move(random)) {
  for (const Bytes memory : memories) {
    const Bytes half(memory.count() / 2);
    Machine machine;
    machine.uid = HostUid(random_.uuid());
    machine.id = fmt::format("host-{}", machines_.size() + 1);
    machine.facts = {.cores = 4,
                     .threads = 8,
                     .memory = memory,
                     .disk = gibibytes(400),
                     .disk_type = DiskType::kUnspecified,
                     .cpu_model = "simulated",
                     .accelerator = "kvm",
                     .hypervisor_version = "7.2.0",
                     .boot_id = random_.uuid().to_string(),
                     .numa = {{0, half, {{{0, 4}}, {{1, 5}}}}, {1, half, {{{2, 6}}, {{3, 7}}}}}};
    machine.reserve = {.memory = gibibytes(1), .disk = gibibytes(1)};
    machines_.push_back(std::move(machine));
  }
}

const Machine* World::find(const HostUid& uid) const {
  const auto found = std::ranges::find(machines_, uid, &Machine::uid);
  return found == machines_.end() ? nullptr : &*found;
}

void World::spawn(Machine& machine, Process process) {
  process.pid = next_pid_++;
  log_.add("world: process {} begins on {}: domain {}", process.pid, machine.id, process.name);
  for (const auto& port : process.ports) {
    machine.ports.insert(port);
    note_port(machine, port.first);
  }
  machine.processes.push_back(std::move(process));
}

void World::note_port(const Machine& machine, const std::string& name) {
  const auto& guards = machine.guards;
  const bool guarded =
      guards && std::ranges::find(guards->ports, name, &firewall::GuardedPort::interface_name) !=
                    guards->ports.end();
  if (!guarded && !unguarded_) unguarded_ = name;
}

void World::note_end(const Process& process, Cause cause) {
  log_.add("world: process {} ends by {}", process.pid, to_string(cause));
  const bool made_to = cause == Cause::kDestroyed || cause == Cause::kShutdownAsked;
  if (process.stranger && made_to && !trespass_) trespass_ = process.name;
  // A guest that had panicked has ended before.
  if (process.state == hypervisor::DomainState::kCrashed) return;
  endings_[process.uuid].push_back({schedule_.now(), cause});
}

void World::end(Machine& machine, std::vector<Process>::iterator process, Cause cause,
                bool leave_port) {
  note_end(*process, cause);
  for (const auto& [name, bridge] : process->ports) {
    if (!leave_port) machine.ports.erase(name);
  }
  const Uuid uuid = process->uuid;
  machine.processes.erase(process);
  machine.tell({.uuid = uuid, .ended = end_seen(cause)});
}

void World::panic(const Machine& machine, Process& process) {
  log_.add("world: the guest of process {} panics", process.pid);
  process.state = hypervisor::DomainState::kCrashed;
  endings_[process.uuid].push_back({schedule_.now(), Cause::kCrash});
  machine.tell({.uuid = process.uuid});
}

void World::cut_power(Machine& machine) {
  log_.add("world: power cut of {}", machine.id);
  for (const Process& process : machine.processes) note_end(process, Cause::kPowerCut);
  machine.processes.clear();
  machine.ports.clear();
  machine.bridges.clear();
  machine.guards.reset();
  machine.powered = false;
}

void World::restore_power(Machine& machine) {
  machine.powered = true;
  machine.booted_at = schedule_.now();
  machine.facts.boot_id = random_.uuid().to_string();
  log_.add("world: power of {} is back, boot {}", machine.id, machine.facts.boot_id.substr(0, 8));
}

void World::note_reboot(const Process& process, uint64_t count) {
  log_.add("world: process {} is rebooted by order {}", process.pid, count);
  if (!reboots_.emplace(process.pid, count).second && !double_reboot_) {
    double_reboot_ = process.name + " by order " + std::to_string(count);
  }
}

const std::vector<Ending>& World::endings(const Uuid& uuid) const {
  static const std::vector<Ending> kNone;
  const auto found = endings_.find(uuid);
  return found == endings_.end() ? kNone : found->second;
}

}  // namespace stellwerk::sim
