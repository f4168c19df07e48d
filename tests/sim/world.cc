#include "tests/sim/world.h"

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
  return std::find_if(processes.begin(), processes.end(),
                      [&](const Process& process) { return process.uuid == uuid; });
}

World::World(const Schedule& schedule, EventLog& log, Random random)
    : schedule_(schedule), log_(log), random_(std::move(random)) {
  machine_.uid = HostUid(random_.uuid());
  machine_.id = "host-1";
  machine_.facts = {
      .cores = 4,
      .threads = 8,
      .memory = gibibytes(32),
      .disk = gibibytes(400),
      .disk_type = DiskType::kUnspecified,
      .cpu_model = "simulated",
      .accelerator = "kvm",
      .hypervisor_version = "7.2.0",
      .boot_id = random_.uuid().to_string(),
      .numa = {{0, gibibytes(16), {{{0, 4}}, {{1, 5}}}}, {1, gibibytes(16), {{{2, 6}}, {{3, 7}}}}}};
  machine_.reserve = {.memory = gibibytes(1), .disk = gibibytes(1)};
}

Now World::now() const {
  const Duration since_boot = schedule_.now() - machine_.booted_at;
  const Duration uptime = machine_.booted_at == MonotonicTime{} ? kUptime : Duration{};
  return {.monotonic = {uptime + since_boot}, .wall = kBeginning + schedule_.now().since_start};
}

void World::spawn(Process process) {
  process.pid = next_pid_++;
  log_.add("world: process {} begins: domain {}", process.pid, process.name);
  for (const auto& port : process.ports) {
    machine_.ports.insert(port);
    note_port(port.first);
  }
  machine_.processes.push_back(std::move(process));
}

void World::note_port(const std::string& name) {
  const auto& guards = machine_.guards;
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

void World::end(std::vector<Process>::iterator process, Cause cause, bool leave_port) {
  note_end(*process, cause);
  for (const auto& [name, bridge] : process->ports) {
    if (!leave_port) machine_.ports.erase(name);
  }
  const Uuid uuid = process->uuid;
  machine_.processes.erase(process);
  tell({.uuid = uuid, .ended = end_seen(cause)});
}

void World::panic(Process& process) {
  log_.add("world: the guest of process {} panics", process.pid);
  process.state = hypervisor::DomainState::kCrashed;
  endings_[process.uuid].push_back({schedule_.now(), Cause::kCrash});
  tell({.uuid = process.uuid});
}

void World::cut_power() {
  log_.add("world: power cut");
  for (const Process& process : machine_.processes) note_end(process, Cause::kPowerCut);
  machine_.processes.clear();
  machine_.ports.clear();
  machine_.bridges.clear();
  machine_.guards.reset();
  machine_.powered = false;
}

void World::restore_power() {
  machine_.powered = true;
  machine_.booted_at = schedule_.now();
  machine_.facts.boot_id = random_.uuid().to_string();
  log_.add("world: power is back, boot {}", machine_.facts.boot_id.substr(0, 8));
}

void World::listen(std::function<void(const hypervisor::DomainEvent&)> listener) {
  listener_ = std::move(listener);
}

void World::tell(const hypervisor::DomainEvent& event) const {
  if (listener_) listener_(event);
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
