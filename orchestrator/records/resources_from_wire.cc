#include "orchestrator/records/wire.h"

namespace stellwerk::records {
namespace {

template <class Uid>
Uid uid_from_wire(const std::string& bytes) {
  return Uid(uuid_from_wire(bytes));
}

template <class Message>
Labels labels_from_wire(const Message& from) {
  Labels labels;
  for (const wire::Label& label : from.labels()) labels.emplace(label.key(), label.value());
  return labels;
}

Claim claim_from_wire(const wire::Claim& from) {
  return {.host = uid_from_wire<HostUid>(from.host()),
          .cpu_class = enum_from_wire<CpuClass>(from.cpu_class()),
          .vcpus = VcpuCount(from.vcpus()),
          .memory = Bytes(from.memory_bytes()),
          .disk = Bytes(from.disk_bytes())};
}

Port port_from_wire(const wire::Port& from) {
  return {.network = uid_from_wire<NetworkUid>(from.network()),
          .mac = from.mac(),
          .address = from.address()};
}

HostFacts facts_from_wire(const wire::HostFacts& from) {
  return {.cores = from.cores(),
          .threads = from.threads(),
          .memory = Bytes(from.memory_bytes()),
          .disk = Bytes(from.disk_bytes()),
          .disk_type = enum_from_wire<DiskType>(from.disk_type()),
          .cpu_model = from.cpu_model(),
          .accelerator = from.accelerator(),
          .hypervisor_version = from.hypervisor_version(),
          .boot_id = from.boot_id()};
}

}  // namespace

Project from_wire(const wire::Project& from) {
  return {.uid = uid_from_wire<ProjectUid>(from.uid()),
          .id = from.id(),
          .labels = labels_from_wire(from),
          .created_at = time_from_wire(from.created_at()),
          .changed_at = Sequence(from.changed_at())};
}

Flavor from_wire(const wire::Flavor& from) {
  std::optional<FlavorDisks> disks;
  if (from.has_disks()) {
    disks = FlavorDisks{.count = from.disks().count(),
                        .size = Bytes(from.disks().size_bytes()),
                        .type = enum_from_wire<DiskType>(from.disks().type())};
  }
  return {.uid = uid_from_wire<FlavorUid>(from.uid()),
          .id = from.id(),
          .cpu_class = enum_from_wire<CpuClass>(from.cpu_class()),
          .vcpus = VcpuCount(from.vcpus()),
          .memory = Bytes(from.memory_bytes()),
          .disks = disks,
          .builtin = from.builtin(),
          .created_at = time_from_wire(from.created_at()),
          .changed_at = Sequence(from.changed_at())};
}

Image from_wire(const wire::Image& from) {
  return {.uid = uid_from_wire<ImageUid>(from.uid()),
          .project = uid_from_wire<ProjectUid>(from.project()),
          .id = from.id(),
          .state = enum_from_wire<ImageState>(from.state()),
          .firmware = enum_from_wire<Firmware>(from.firmware()),
          .minimum_disk = Bytes(from.minimum_disk_bytes()),
          .minimum_memory = Bytes(from.minimum_memory_bytes()),
          .format = enum_from_wire<ImageFormat>(from.format()),
          .file_size = Bytes(from.file_size_bytes()),
          .virtual_size = Bytes(from.virtual_size_bytes()),
          .sha256 = array_from_wire<32>(from.sha256()),
          .labels = labels_from_wire(from),
          .created_at = time_from_wire(from.created_at()),
          .changed_at = Sequence(from.changed_at())};
}

Network from_wire(const wire::Network& from) {
  return {.uid = uid_from_wire<NetworkUid>(from.uid()),
          .id = from.id(),
          .bridge = from.bridge(),
          .subnet = from.subnet(),
          .prefix_length = static_cast<uint8_t>(from.prefix_length()),
          .gateway = from.gateway(),
          .dns_servers = {from.dns_servers().begin(), from.dns_servers().end()},
          .next_address = from.next_address(),
          .next_mac = from.next_mac(),
          .changed_at = Sequence(from.changed_at())};
}

Instance from_wire(const wire::Instance& from) {
  Instance to{.uid = uid_from_wire<InstanceUid>(from.uid()),
              .project = uid_from_wire<ProjectUid>(from.project()),
              .id = from.id(),
              .generation = Generation(from.generation()),
              .desired = enum_from_wire<DesiredState>(from.desired()),
              .stop_hard = from.stop_hard(),
              .reboot = {.count = from.reboot().count(), .hard = from.reboot().hard()},
              .restart_policy = enum_from_wire<RestartPolicy>(from.restart_policy()),
              .flavor = uid_from_wire<FlavorUid>(from.flavor()),
              .flavor_id = from.flavor_id(),
              .vcpus = VcpuCount(from.vcpus()),
              .memory = Bytes(from.memory_bytes()),
              .image = uid_from_wire<ImageUid>(from.image()),
              .image_id = from.image_id(),
              .image_format = enum_from_wire<ImageFormat>(from.image_format()),
              .firmware = enum_from_wire<Firmware>(from.firmware()),
              .boot_disk = Bytes(from.boot_disk_bytes()),
              .ports = {},
              .ssh_keys = {from.ssh_keys().begin(), from.ssh_keys().end()},
              .has_user_data = from.has_user_data(),
              .labels = labels_from_wire(from),
              .claim = claim_from_wire(from.claim()),
              .created_at = time_from_wire(from.created_at()),
              .changed_at = Sequence(from.changed_at())};
  for (const wire::Port& port : from.ports()) to.ports.push_back(port_from_wire(port));
  return to;
}

Observed from_wire(const wire::Observed& from) {
  return {.phase = enum_from_wire<Phase>(from.phase()),
          .reason = from.reason(),
          .message = from.message(),
          .generation = Generation(from.generation()),
          .since = time_from_wire(from.since())};
}

Host from_wire(const wire::Host& from) {
  return {.uid = uid_from_wire<HostUid>(from.uid()),
          .id = from.id(),
          .facts = facts_from_wire(from.facts()),
          .reserve = {.memory = Bytes(from.reserve().memory_bytes()),
                      .disk = Bytes(from.reserve().disk_bytes())},
          .created_at = time_from_wire(from.created_at()),
          .changed_at = Sequence(from.changed_at())};
}

}  // namespace stellwerk::records
