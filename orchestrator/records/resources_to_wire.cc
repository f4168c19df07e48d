#include "orchestrator/records/wire.h"

namespace stellwerk::records {

void pairs_to_wire(const Labels& pairs, google::protobuf::RepeatedPtrField<wire::Label>& to) {
  for (const auto& [key, value] : pairs) {
    wire::Label* label = to.Add();
    label->set_key(key);
    label->set_value(value);
  }
}

namespace {

template <class Message>
void labels_to_wire(const Labels& labels, Message& to) {
  pairs_to_wire(labels, *to.mutable_labels());
}

void devices_to_wire(const std::vector<DeviceCount>& from,
                     google::protobuf::RepeatedPtrField<wire::DeviceCount>& to) {
  for (const DeviceCount& devices : from) {
    wire::DeviceCount* added = to.Add();
    added->set_device_class(devices.device_class);
    added->set_count(devices.count);
  }
}

void claim_to_wire(const Claim& from, wire::Claim& to) {
  to.set_host(uuid_to_wire(from.host.value()));
  to.set_cpu_class(to_wire(from.cpu_class));
  to.set_vcpus(from.vcpus.count());
  to.set_memory_bytes(from.memory.count());
  to.set_disk_bytes(from.disk.count());
  for (const int32_t cpu : from.cpus) to.add_cpus(cpu);
  for (const int32_t node : from.numa_nodes) to.add_numa_nodes(node);
  to.set_by_node(from.by_node);
  to.set_page_size_bytes(bytes_of(from.page_size).count());
  to.set_pages(from.pages);
  to.set_bandwidth_megabits_per_second(from.bandwidth.count());
  devices_to_wire(from.devices, *to.mutable_devices());
  to.set_power_milliwatts(from.power.count());
}

void backup_to_wire(const Backup& from, wire::Backup& to) {
  to.set_host(uuid_to_wire(from.host.value()));
  for (const int32_t node : from.numa_nodes) to.add_numa_nodes(node);
  to.set_power_milliwatts(from.power.count());
}

void match_to_wire(const LabelMatch& from, wire::LabelMatch& to) {
  to.set_key(from.key);
  if (from.value) to.set_value(*from.value);
}

void wishes_to_wire(const Wishes& from, wire::Wishes& to) {
  to.set_within(from.within);
  to.set_host(optional_uuid_to_wire(from.host.value()));
  for (const LabelMatch& match : from.required_labels) {
    match_to_wire(match, *to.add_required_labels());
  }
  for (const LabelMatch& match : from.forbidden_labels) {
    match_to_wire(match, *to.add_forbidden_labels());
  }
  to.set_cpu_baseline(from.cpu_baseline);
  to.set_preferred_site(from.preferred_site);
}

bool is_empty(const ProjectLimits& limits) {
  return limits == ProjectLimits();
}

void limits_to_wire(const ProjectLimits& from, wire::ProjectLimits& to) {
  if (from.instances) to.set_instances(*from.instances);
  for (const auto& [cpu_class, vcpus] : from.vcpus) {
    wire::VcpuLimit* limit = to.add_vcpus();
    limit->set_cpu_class(to_wire(cpu_class));
    limit->set_vcpus(vcpus.count());
  }
  if (from.memory) to.set_memory_bytes(from.memory->count());
  if (from.disk) to.set_disk_bytes(from.disk->count());
  if (from.addresses) to.set_addresses(*from.addresses);
}

void subnet_to_wire(const Subnet& from, wire::Subnet& to) {
  to.set_address(address_to_wire(from.range.address));
  to.set_prefix_length(from.range.length);
  if (from.gateway) to.set_gateway(address_to_wire(*from.gateway));
  if (from.next) to.set_next(address_to_wire(*from.next));
}

void ingress_to_wire(const IngressRule& from, wire::IngressRule& to) {
  to.set_protocol(to_wire(from.protocol));
  to.set_first_port(from.ports.first);
  to.set_last_port(from.ports.last);
  to.set_from(address_to_wire(from.from.address));
  to.set_prefix_length(from.from.length);
}

void facts_to_wire(const HostFacts& from, wire::HostFacts& to) {
  to.set_cores(from.cores);
  to.set_threads(from.threads);
  to.set_memory_bytes(from.memory.count());
  to.set_disk_bytes(from.disk.count());
  to.set_disk_type(to_wire(from.disk_type));
  to.set_cpu_model(from.cpu_model);
  to.set_accelerator(from.accelerator);
  to.set_hypervisor_version(from.hypervisor_version);
  to.set_boot_id(from.boot_id);
  for (const NumaNode& node : from.numa) {
    wire::NumaNode* added = to.add_numa();
    added->set_id(node.id);
    added->set_memory_bytes(node.memory.count());
    for (const HostCore& core : node.cores) {
      wire::HostCore* threads = added->add_cores();
      for (const int32_t thread : core.threads) threads->add_threads(thread);
    }
    added->set_pages_2mib(node.pages_2mib);
    added->set_pages_1gib(node.pages_1gib);
  }
  to.set_bandwidth_megabits_per_second(from.bandwidth.count());
  devices_to_wire(from.devices, *to.mutable_devices());
  for (const std::string& baseline : from.cpu_baselines) to.add_cpu_baselines(baseline);
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
    case ImageState::kFailed:
      return wire::IMAGE_STATE_FAILED;
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

wire::NetworkState to_wire(NetworkState value) {
  switch (value) {
    case NetworkState::kActive:
      return wire::NETWORK_STATE_ACTIVE;
    case NetworkState::kDeleting:
      return wire::NETWORK_STATE_DELETING;
  }
  return wire::NETWORK_STATE_UNSPECIFIED;
}

wire::IpProtocol to_wire(IpProtocol value) {
  switch (value) {
    case IpProtocol::kAny:
      return wire::IP_PROTOCOL_ANY;
    case IpProtocol::kTcp:
      return wire::IP_PROTOCOL_TCP;
    case IpProtocol::kUdp:
      return wire::IP_PROTOCOL_UDP;
    case IpProtocol::kIcmp:
      return wire::IP_PROTOCOL_ICMP;
  }
  return wire::IP_PROTOCOL_UNSPECIFIED;
}

wire::RebootKind to_wire(RebootKind value) {
  switch (value) {
    case RebootKind::kSoft:
      return wire::REBOOT_KIND_SOFT;
    case RebootKind::kReset:
      return wire::REBOOT_KIND_RESET;
    case RebootKind::kPowerCycle:
      return wire::REBOOT_KIND_POWER_CYCLE;
  }
  return wire::REBOOT_KIND_UNSPECIFIED;
}

void to_wire(const Project& from, wire::Project& to) {
  to.set_uid(uuid_to_wire(from.uid.value()));
  to.set_id(from.id);
  labels_to_wire(from.labels, to);
  to.set_created_at(time_to_wire(from.created_at));
  to.set_changed_at(from.changed_at.value());
  if (!is_empty(from.limits)) limits_to_wire(from.limits, *to.mutable_limits());
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
  to.set_is_public(from.is_public);
  pairs_to_wire(from.properties, *to.mutable_properties());
  to.set_source_url(from.source.url);
  if (from.source.sha256) {
    to.set_source_sha256(std::string(from.source.sha256->begin(), from.source.sha256->end()));
  }
  to.set_failure(from.failure);
}

void to_wire(const Network& from, wire::Network& to) {
  to.set_uid(uuid_to_wire(from.uid.value()));
  to.set_id(from.id);
  to.set_bridge(from.bridge);
  to.set_project(uuid_to_wire(from.project.value()));
  to.set_state(to_wire(from.state));
  to.set_make_bridge(from.make_bridge);
  if (from.v4) subnet_to_wire(*from.v4, *to.mutable_v4());
  if (from.v6) subnet_to_wire(*from.v6, *to.mutable_v6());
  for (const IpAddress& server : from.dns_servers) to.add_dns_servers(address_to_wire(server));
  for (const Route& route : from.routes) {
    wire::Route* added = to.add_routes();
    added->set_to(address_to_wire(route.to.address));
    added->set_prefix_length(route.to.length);
    added->set_via(address_to_wire(route.via));
  }
  to.set_mtu(from.mtu);
  labels_to_wire(from.labels, to);
  to.set_created_at(time_to_wire(from.created_at));
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
  to.mutable_reboot()->set_kind(to_wire(from.reboot.kind));
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
    for (const IpAddress& address : port.addresses) added->add_addresses(address_to_wire(address));
  }
  for (const std::string& key : from.ssh_keys) to.add_ssh_keys(key);
  to.set_has_user_data(from.has_user_data);
  labels_to_wire(from.labels, to);
  claim_to_wire(from.claim, *to.mutable_claim());
  to.set_group(optional_uuid_to_wire(from.group.value()));
  if (from.wishes != Wishes()) wishes_to_wire(from.wishes, *to.mutable_wishes());
  to.set_failover(from.failover);
  if (from.backup) backup_to_wire(*from.backup, *to.mutable_backup());
  for (const IngressRule& rule : from.ingress) ingress_to_wire(rule, *to.add_ingress());
  to.set_delete_protection(from.delete_protection);
  to.set_ever_started(from.ever_started);
  to.set_has_disk(from.has_disk);
  to.set_run(from.run.value());
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
  facts_to_wire(from.facts, *to.mutable_facts());
  to.mutable_reserve()->set_memory_bytes(from.reserve.memory.count());
  to.mutable_reserve()->set_disk_bytes(from.reserve.disk.count());
  to.set_rack(optional_uuid_to_wire(from.rack.value()));
  labels_to_wire(from.labels, to);
  if (from.power != HostPower()) {
    to.mutable_power()->set_idle_milliwatts(from.power.idle.count());
    to.mutable_power()->set_peak_milliwatts(from.power.peak.count());
  }
  to.set_maintenance(from.maintenance);
  to.set_created_at(time_to_wire(from.created_at));
  to.set_changed_at(from.changed_at.value());
}

}  // namespace stellwerk::records
