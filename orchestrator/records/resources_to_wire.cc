#include "orchestrator/records/wire.h"

namespace stellwerk::records {
namespace {

template <class Message>
void labels_to_wire(const Labels& labels, Message& to) {
  for (const auto& [key, value] : labels) {
    wire::Label* label = to.add_labels();
    label->set_key(key);
    label->set_value(value);
  }
}

void claim_to_wire(const Claim& from, wire::Claim& to) {
  to.set_host(uuid_to_wire(from.host.value()));
  to.set_cpu_class(to_wire(from.cpu_class));
  to.set_vcpus(from.vcpus.count());
  to.set_memory_bytes(from.memory.count());
  to.set_disk_bytes(from.disk.count());
}

}  // namespace

wire::CpuClass to_wire(CpuClass value) {
  switch (value) {
    case CpuClass::kLowPerformance:
      return wire::CPU_CLASS_LOW_PERFORMANCE;
    case CpuClass::kShared:
      return wire::CPU_CLASS_SHARED;
    case CpuClass::kDedicatedThread:
      return wire::CPU_CLASS_DEDICATED_THREAD;
    case CpuClass::kDedicatedCore:
      return wire::CPU_CLASS_DEDICATED_CORE;
  }
  return wire::CPU_CLASS_UNSPECIFIED;
}

wire::DiskType to_wire(DiskType value) {
  switch (value) {
    case DiskType::kUnspecified:
      return wire::DISK_TYPE_ANY;
    case DiskType::kNetwork:
      return wire::DISK_TYPE_NETWORK;
    case DiskType::kHardDisk:
      return wire::DISK_TYPE_HARD_DISK;
    case DiskType::kSsd:
      return wire::DISK_TYPE_SSD;
    case DiskType::kNvme:
      return wire::DISK_TYPE_NVME;
  }
  return wire::DISK_TYPE_UNSPECIFIED;
}

wire::ImageFormat to_wire(ImageFormat value) {
  switch (value) {
    case ImageFormat::kRaw:
      return wire::IMAGE_FORMAT_RAW;
    case ImageFormat::kQcow2:
      return wire::IMAGE_FORMAT_QCOW2;
  }
  return wire::IMAGE_FORMAT_UNSPECIFIED;
}

wire::Firmware to_wire(Firmware value) {
  switch (value) {
    case Firmware::kBios:
      return wire::FIRMWARE_BIOS;
    case Firmware::kUefi:
      return wire::FIRMWARE_UEFI;
  }
  return wire::FIRMWARE_UNSPECIFIED;
}

wire::ImageState to_wire(ImageState value) {
  switch (value) {
    case ImageState::kImporting:
      return wire::IMAGE_STATE_IMPORTING;
    case ImageState::kActive:
      return wire::IMAGE_STATE_ACTIVE;
    case ImageState::kDeleting:
      return wire::IMAGE_STATE_DELETING;
  }
  return wire::IMAGE_STATE_UNSPECIFIED;
}

wire::DesiredState to_wire(DesiredState value) {
  switch (value) {
    case DesiredState::kRunning:
      return wire::DESIRED_STATE_RUNNING;
    case DesiredState::kStopped:
      return wire::DESIRED_STATE_STOPPED;
    case DesiredState::kDeleted:
      return wire::DESIRED_STATE_DELETED;
  }
  return wire::DESIRED_STATE_UNSPECIFIED;
}

wire::RestartPolicy to_wire(RestartPolicy value) {
  switch (value) {
    case RestartPolicy::kOnFailure:
      return wire::RESTART_POLICY_ON_FAILURE;
    case RestartPolicy::kNever:
      return wire::RESTART_POLICY_NEVER;
  }
  return wire::RESTART_POLICY_UNSPECIFIED;
}

wire::Phase to_wire(Phase value) {
  switch (value) {
    case Phase::kPending:
      return wire::PHASE_PENDING;
    case Phase::kPreparing:
      return wire::PHASE_PREPARING;
    case Phase::kStarting:
      return wire::PHASE_STARTING;
    case Phase::kRunning:
      return wire::PHASE_RUNNING;
    case Phase::kStopping:
      return wire::PHASE_STOPPING;
    case Phase::kStopped:
      return wire::PHASE_STOPPED;
    case Phase::kCrashed:
      return wire::PHASE_CRASHED;
    case Phase::kDeleting:
      return wire::PHASE_DELETING;
    case Phase::kDeleted:
      return wire::PHASE_DELETED;
    case Phase::kUnknown:
      return wire::PHASE_UNKNOWN;
  }
  return wire::PHASE_UNSPECIFIED;
}

void to_wire(const Project& from, wire::Project& to) {
  to.set_uid(uuid_to_wire(from.uid.value()));
  to.set_id(from.id);
  labels_to_wire(from.labels, to);
  to.set_created_at(time_to_wire(from.created_at));
  to.set_changed_at(from.changed_at.value());
}

void to_wire(const Flavor& from, wire::Flavor& to) {
  to.set_uid(uuid_to_wire(from.uid.value()));
  to.set_id(from.id);
  to.set_cpu_class(to_wire(from.cpu_class));
  to.set_vcpus(from.vcpus.count());
  to.set_memory_bytes(from.memory.count());
  if (from.disks) {
    wire::FlavorDisks* disks = to.mutable_disks();
    disks->set_count(from.disks->count);
    disks->set_size_bytes(from.disks->size.count());
    disks->set_type(to_wire(from.disks->type));
  }
  to.set_builtin(from.builtin);
  to.set_created_at(time_to_wire(from.created_at));
  to.set_changed_at(from.changed_at.value());
}

void to_wire(const Image& from, wire::Image& to) {
  to.set_uid(uuid_to_wire(from.uid.value()));
  to.set_project(uuid_to_wire(from.project.value()));
  to.set_id(from.id);
  to.set_state(to_wire(from.state));
  to.set_firmware(to_wire(from.firmware));
  to.set_minimum_disk_bytes(from.minimum_disk.count());
  to.set_minimum_memory_bytes(from.minimum_memory.count());
  to.set_format(to_wire(from.format));
  to.set_file_size_bytes(from.file_size.count());
  to.set_virtual_size_bytes(from.virtual_size.count());
  to.set_sha256(std::string(from.sha256.begin(), from.sha256.end()));
  labels_to_wire(from.labels, to);
  to.set_created_at(time_to_wire(from.created_at));
  to.set_changed_at(from.changed_at.value());
}

void to_wire(const Network& from, wire::Network& to) {
  to.set_uid(uuid_to_wire(from.uid.value()));
  to.set_id(from.id);
  to.set_bridge(from.bridge);
  to.set_subnet(from.subnet);
  to.set_prefix_length(from.prefix_length);
  to.set_gateway(from.gateway);
  for (const uint32_t server : from.dns_servers) to.add_dns_servers(server);
  to.set_next_address(from.next_address);
  to.set_next_mac(from.next_mac);
  to.set_changed_at(from.changed_at.value());
}

void to_wire(const Instance& from, wire::Instance& to) {
  to.set_uid(uuid_to_wire(from.uid.value()));
  to.set_project(uuid_to_wire(from.project.value()));
  to.set_id(from.id);
  to.set_generation(from.generation.value());
  to.set_desired(to_wire(from.desired));
  to.set_stop_hard(from.stop_hard);
  to.mutable_reboot()->set_count(from.reboot.count);
  to.mutable_reboot()->set_hard(from.reboot.hard);
  to.set_restart_policy(to_wire(from.restart_policy));
  to.set_flavor(uuid_to_wire(from.flavor.value()));
  to.set_flavor_id(from.flavor_id);
  to.set_vcpus(from.vcpus.count());
  to.set_memory_bytes(from.memory.count());
  to.set_image(uuid_to_wire(from.image.value()));
  to.set_image_id(from.image_id);
  to.set_image_format(to_wire(from.image_format));
  to.set_firmware(to_wire(from.firmware));
  to.set_boot_disk_bytes(from.boot_disk.count());
  for (const Port& port : from.ports) {
    wire::Port* added = to.add_ports();
    added->set_network(uuid_to_wire(port.network.value()));
    added->set_mac(port.mac);
    added->set_address(port.address);
  }
  for (const std::string& key : from.ssh_keys) to.add_ssh_keys(key);
  to.set_has_user_data(from.has_user_data);
  labels_to_wire(from.labels, to);
  claim_to_wire(from.claim, *to.mutable_claim());
  to.set_created_at(time_to_wire(from.created_at));
  to.set_changed_at(from.changed_at.value());
}

void to_wire(const Observed& from, wire::Observed& to) {
  to.set_phase(to_wire(from.phase));
  to.set_reason(from.reason);
  to.set_message(from.message);
  to.set_generation(from.generation.value());
  to.set_since(time_to_wire(from.since));
}

void to_wire(const Host& from, wire::Host& to) {
  to.set_uid(uuid_to_wire(from.uid.value()));
  to.set_id(from.id);
  wire::HostFacts* facts = to.mutable_facts();
  facts->set_cores(from.facts.cores);
  facts->set_threads(from.facts.threads);
  facts->set_memory_bytes(from.facts.memory.count());
  facts->set_disk_bytes(from.facts.disk.count());
  facts->set_disk_type(to_wire(from.facts.disk_type));
  facts->set_cpu_model(from.facts.cpu_model);
  facts->set_accelerator(from.facts.accelerator);
  facts->set_hypervisor_version(from.facts.hypervisor_version);
  facts->set_boot_id(from.facts.boot_id);
  to.mutable_reserve()->set_memory_bytes(from.reserve.memory.count());
  to.mutable_reserve()->set_disk_bytes(from.reserve.disk.count());
  to.set_created_at(time_to_wire(from.created_at));
  to.set_changed_at(from.changed_at.value());
}

}  // namespace stellwerk::records
