#include "orchestrator/agent/executor.h"

#include "orchestrator/agent/adoption.h"
#include "orchestrator/agent/cloud_init.h"
#include "orchestrator/agent/pins.h"

namespace stellwerk::agent {
namespace {

hypervisor::Ownership owner_of(const CellUid& cell, const Instance& instance) {
  return {.cell = cell,
          .instance = instance.uid,
          .run = instance.run,
          .reboot_count = instance.reboot.count,
          .project_id = instance.project.to_string(),
          .instance_id = instance.id,
          .adoption = adoption_of(instance)};
}

}  // namespace

network::BridgeSpec bridge_of(const Network& network) {
  network::BridgeSpec bridge{.name = network.bridge, .addresses = {}, .mtu = network.mtu};
  for (const auto* subnet : {&network.v4, &network.v6}) {
    if (!*subnet || !(*subnet)->gateway) continue;
    bridge.addresses.push_back({*(*subnet)->gateway, (*subnet)->range.length});
  }
  return bridge;
}

absl::StatusOr<hypervisor::DomainSpec> domain_spec(const StartDomain& step,
                                                   const storage::Storage::Paths& paths) {
  const Instance& instance = step.instance;
  hypervisor::DomainSpec spec{
      .owner = owner_of(step.cell, instance),
      .vcpus = instance.vcpus,
      .memory = instance.memory,
      .firmware = instance.firmware,
      .boot_disk = {.path = paths.disk, .format = paths.disk_format},
      .seed_path = paths.seed,
      .ports = {},
      .console_socket = "",
      .created = {},
      .pins = wanted_pins(instance, step.shared_cpus),
      .memory_nodes = instance.claim.numa_nodes,
  };
  for (size_t i = 0; i < instance.ports.size(); ++i) {
    SW_ASSIGN_OR_RETURN(const Network& network, network_of(instance.ports[i], step.networks));
    spec.ports.push_back({.mac = instance.ports[i].mac,
                          .bridge = network.bridge,
                          .interface_name = interface_name(instance.uid, i),
                          .mtu = network.mtu});
  }
  return spec;
}

absl::Status Executor::run(const Step& step) {
  return std::visit([this](const auto& one) { return run_one(one); }, step);
}

absl::StatusOr<std::string> Executor::user_data_of(const Instance& instance) {
  if (!instance.has_user_data) return std::string();
  return user_data_(instance.uid);
}

absl::Status Executor::run_one(const PrepareFiles& step) {
  const Instance& instance = step.instance;
  SW_RETURN_IF_ERROR(storage_.create_disk({.instance = instance.uid,
                                           .image = instance.image,
                                           .image_format = instance.image_format,
                                           .size = instance.boot_disk}));
  SW_ASSIGN_OR_RETURN(std::string user_data, user_data_of(instance));
  SW_ASSIGN_OR_RETURN(const storage::SeedSpec seed,
                      make_seed(instance, step.networks, std::move(user_data)));
  return storage_.create_seed(seed);
}

absl::Status Executor::run_one(const StartDomain& step) {
  for (const Port& port : step.instance.ports) {
    SW_ASSIGN_OR_RETURN(const Network& network, network_of(port, step.networks));
    const absl::Status ready = network.make_bridge ? network_.ensure_bridge(bridge_of(network))
                                                   : network_.require_bridge(network.bridge);
    if (!ready.ok()) return annotate(ready, fmt::format("network {}", network.id));
  }
  SW_ASSIGN_OR_RETURN(hypervisor::DomainSpec spec,
                      domain_spec(step, storage_.paths(step.instance.uid)));
  if (consoles_ != nullptr) {
    spec.console_socket = consoles_->socket_of(step.instance.uid);
    // The keeper outlives the driver, whose calls may outlive this one.
    spec.created = [consoles = consoles_, uid = step.instance.uid] { consoles->created(uid); };
  }
  return hypervisor_.start(spec);
}

// One that has ended meanwhile has nothing left to move.
absl::Status Executor::run_one(const PinDomain& step) {
  const absl::Status moved = hypervisor_.pin(step.instance, step.pins);
  return absl::IsNotFound(moved) ? absl::OkStatus() : moved;
}

absl::Status Executor::run_one(const MarkStarted& step) {
  return storage_.mark_started(step.instance, step.run);
}

absl::Status Executor::run_one(const ResumeDomain& step) {
  if (consoles_ != nullptr) consoles_->created(step.instance);
  return hypervisor_.resume(step.instance);
}

absl::Status Executor::run_one(const RequestShutdown& step) {
  return hypervisor_.request_shutdown(step.instance);
}

absl::Status Executor::run_one(const RebootDomain& step) {
  return hypervisor_.reboot(step.instance, step.order);
}

absl::Status Executor::run_one(const DestroyDomain& step) {
  return hypervisor_.destroy(step.instance);
}

absl::Status Executor::run_one(const RemovePort& step) {
  return network_.remove_port(step.interface_name);
}

absl::Status Executor::run_one(const DeleteFiles& step) {
  if (consoles_ != nullptr) consoles_->deleted(step.instance);
  return storage_.delete_instance(step.instance);
}

void Executor::keep_up(const HostUpkeep& upkeep, HostObservation& seen) {
  if (upkeep.guards) {
    const auto outcome = firewall_.apply(*upkeep.guards);
    seen.guarding = outcome.status();
    if (outcome.ok()) {
      seen.guards = *upkeep.guards;
      seen.guards_mended = *outcome == firewall::Outcome::kMended;
    }
  }
  for (const Network& network : upkeep.networks_to_remove) {
    // One that guests still hang on stays until the next look.
    if (network_.remove_bridge(network.bridge).ok()) seen.networks_gone.push_back(network.uid);
  }
}

absl::StatusOr<HostObservation> Executor::observe(const HostUpkeep& upkeep) {
  HostObservation seen;
  keep_up(upkeep, seen);
  SW_ASSIGN_OR_RETURN(seen.domains, hypervisor_.list());
  if (consoles_ != nullptr) consoles_->observed(seen.domains);
  SW_ASSIGN_OR_RETURN(seen.storage, storage_.inventory());
  SW_ASSIGN_OR_RETURN(seen.ports, network_.ports(kInterfacePrefix));
  return seen;
}

}  // namespace stellwerk::agent
