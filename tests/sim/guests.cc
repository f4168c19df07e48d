#include "tests/sim/guests.h"

#include <algorithm>
#include <utility>

namespace stellwerk::sim {

using hypervisor::DomainState;

Guests::Guests(Schedule& schedule, World& world, Mishaps& mishaps, Random random)
    : schedule_(schedule), world_(world), mishaps_(mishaps), random_(std::move(random)) {}

void Guests::end(std::vector<Process>::iterator process, Cause cause) {
  world_.end(process, cause, !process->ports.empty() && mishaps_.port_stays());
}

void Guests::ask_to_shut_down(Process& process) {
  if (process.state != DomainState::kRunning || process.ignores_shutdown) return;
  if (std::exchange(process.shutdown_asked, true)) return;
  const Duration patience =
      random_.between(std::chrono::milliseconds(500), std::chrono::seconds(20));
  schedule_.after(patience, [this, pid = process.pid] {
    auto& processes = world_.machine().processes;
    const auto found = std::find_if(processes.begin(), processes.end(),
                                    [&](const Process& each) { return each.pid == pid; });
    if (found != processes.end()) end(found, Cause::kShutdownAsked);
  });
}

std::vector<Process>::iterator Guests::any_running() {
  auto& processes = world_.machine().processes;
  if (processes.empty()) return processes.end();
  const auto chosen = processes.begin() + static_cast<ptrdiff_t>(random_.below(processes.size()));
  const bool ours_to_move = chosen->state == DomainState::kRunning && !chosen->shutdown_asked;
  return ours_to_move ? chosen : processes.end();
}

void Guests::live_on() {
  const auto nobody = world_.machine().processes.end();
  const auto guest = any_running();
  if (guest == nobody) return;
  if (mishaps_.guest_shuts_down()) return end(guest, Cause::kOwnShutdown);
  if (mishaps_.guest_crashes()) return end(guest, Cause::kCrash);
  if (mishaps_.guest_panics()) return world_.panic(*guest);
  if (mishaps_.disk_fails()) {
    guest->state = DomainState::kPausedOnError;
    return world_.tell({.uuid = guest->uuid});
  }
}

void Guests::start_stranger(const std::optional<CellUid>& cell) {
  Process stranger{.uuid = random_.uuid(),
                   .state = DomainState::kRunning,
                   .vcpus = VcpuCount(1),
                   .memory = mebibytes(256),
                   .stranger = true};
  stranger.name = "stranger-" + brief(stranger.uuid);
  if (cell) {
    stranger.owner = hypervisor::Ownership{.cell = *cell,
                                           .instance = InstanceUid(stranger.uuid),
                                           .run = Generation(1),
                                           .project_id = "default",
                                           .instance_id = "lost"};
  }
  world_.spawn(std::move(stranger));
}

}  // namespace stellwerk::sim
