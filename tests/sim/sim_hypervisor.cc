#include "tests/sim/sim_hypervisor.h"

#include <algorithm>
#include <utility>

namespace stellwerk::sim {

using hypervisor::DomainState;

absl::StatusOr<std::vector<hypervisor::ObservedDomain>> SimHypervisor::list() {
  std::vector<hypervisor::ObservedDomain> domains;
  for (const Process& process : world_.machine().processes) {
    const bool ours = process.owner && process.owner->cell == cell_;
    domains.push_back({.uuid = process.uuid,
                       .name = process.name,
                       .owner = ours ? process.owner : std::nullopt,
                       .state = process.state,
                       .vcpus = process.vcpus,
                       .memory = process.memory,
                       .pins = ours ? std::optional(process.pins) : std::nullopt});
  }
  std::sort(domains.begin(), domains.end(),
            [](const auto& a, const auto& b) { return a.uuid < b.uuid; });
  return domains;
}

absl::StatusOr<SimHypervisor::Found> SimHypervisor::find(const InstanceUid& instance) {
  const Found found = world_.machine().find_process(instance.value());
  if (found == world_.machine().processes.end()) {
    return not_found("no domain of instance {} runs", instance.to_string());
  }
  if (!found->owner || found->owner->cell != cell_) {
    return permission_denied("domain {} is not this cell's", found->name);
  }
  return found;
}

absl::Status SimHypervisor::define(const hypervisor::DomainSpec& spec) {
  const InstanceUid instance = spec.owner.instance;
  const auto there = find(instance);
  if (there.ok()) return absl::OkStatus();
  if (there.status().code() != absl::StatusCode::kNotFound) return there.status();
  const auto files = world_.machine().files.find(instance);
  if (files == world_.machine().files.end() || !files->second.disk || !files->second.seed) {
    return failed_precondition("instance {} has no disk or no seed", instance.to_string());
  }
  Process process{.uuid = instance.value(),
                  .name = "stellwerk-" + instance.to_string(),
                  .owner = spec.owner,
                  .state = DomainState::kPaused,
                  .vcpus = spec.vcpus,
                  .memory = spec.memory,
                  .ignores_shutdown = guests_.born_deaf()};
  // As libvirt has it: what is not pinned may run anywhere.
  const std::vector<int32_t> all = {0, 1, 2, 3, 4, 5, 6, 7};
  const auto vcpus = static_cast<size_t>(spec.vcpus.count());
  process.pins =
      spec.pins.value_or(hypervisor::CpuPins{std::vector<std::vector<int32_t>>(vcpus, all), all});
  for (const hypervisor::PortDevice& port : spec.ports) {
    if (world_.machine().ports.contains(port.interface_name)) {
      return already_exists("interface {} is there already", port.interface_name);
    }
    if (!world_.machine().bridges.contains(port.bridge)) {
      return failed_precondition("there is no bridge {}", port.bridge);
    }
    process.ports.emplace_back(port.interface_name, port.bridge);
  }
  world_.spawn(std::move(process));
  return absl::OkStatus();
}

absl::Status SimHypervisor::start(const hypervisor::DomainSpec& spec) {
  SW_RETURN_IF_ERROR(define(spec));
  return resume(spec.owner.instance);
}

absl::Status SimHypervisor::resume(const InstanceUid& instance) {
  SW_ASSIGN_OR_RETURN(const Found found, find(instance));
  if (found->state == DomainState::kPaused || found->state == DomainState::kPausedOnError) {
    found->state = DomainState::kRunning;
    world_.tell({.uuid = found->uuid});
  }
  return absl::OkStatus();
}

absl::Status SimHypervisor::request_shutdown(const InstanceUid& instance) {
  SW_ASSIGN_OR_RETURN(const Found found, find(instance));
  guests_.ask_to_shut_down(*found);
  return absl::OkStatus();
}

absl::Status SimHypervisor::reboot(const InstanceUid& instance, const RebootOrder& order) {
  SW_ASSIGN_OR_RETURN(const Found found, find(instance));
  if (order.kind == RebootKind::kPowerCycle) {
    return invalid_argument("a power cycle is a destroy and a start");
  }
  if (found->owner->reboot_count >= order.count) return absl::OkStatus();
  world_.note_reboot(*found, order.count);
  if (records_reboots_) found->owner->reboot_count = order.count;
  return absl::OkStatus();
}

absl::Status SimHypervisor::pin(const InstanceUid& instance, const hypervisor::CpuPins& pins) {
  SW_ASSIGN_OR_RETURN(const Found found, find(instance));
  found->pins = pins;
  return absl::OkStatus();
}

absl::Status SimHypervisor::destroy(const InstanceUid& instance) {
  const auto found = find(instance);
  if (found.status().code() == absl::StatusCode::kNotFound) return absl::OkStatus();
  if (!found.ok()) return found.status();
  guests_.end(*found, Cause::kDestroyed);
  return absl::OkStatus();
}

absl::StatusOr<HostFacts> SimHypervisor::host_facts() {
  return world_.machine().facts;
}

void SimHypervisor::listen(std::function<void(const hypervisor::DomainEvent&)> listener) {
  world_.listen(std::move(listener));
}

}  // namespace stellwerk::sim
