#include "orchestrator/records/wire.h"

namespace stellwerk::records {

Labels pairs_from_wire(const google::protobuf::RepeatedPtrField<wire::Label>& from) {
  Labels pairs;
  for (const wire::Label& label : from) pairs.emplace(label.key(), label.value());
  return pairs;
}

namespace {

template <class Message>
Labels labels_from_wire(const Message& from) {
  return pairs_from_wire(from.labels());
}

ProjectLimits limits_from_wire(const wire::ProjectLimits& from) {
  ProjectLimits limits;
  if (from.has_instances()) limits.instances = from.instances();
  for (const wire::VcpuLimit& limit : from.vcpus()) {
    limits.vcpus.emplace(enum_from_wire<CpuClass>(limit.cpu_class()), VcpuCount(limit.vcpus()));
  }
  if (from.has_memory_bytes()) limits.memory = Bytes(from.memory_bytes());
  if (from.has_disk_bytes()) limits.disk = Bytes(from.disk_bytes());
  if (from.has_addresses()) limits.addresses = from.addresses();
  return limits;
}

IpPrefix prefix_from_wire(const std::string& address, uint32_t length) {
  return {address_from_wire(address).value_or(IpAddress()), static_cast<uint8_t>(length)};
}

std::vector<IpAddress> addresses_from_wire(
    const google::protobuf::RepeatedPtrField<std::string>& from) {
  std::vector<IpAddress> addresses;
  for (const std::string& bytes : from) {
    addresses.push_back(address_from_wire(bytes).value_or(IpAddress()));
  }
  return addresses;
}

Subnet subnet_from_wire(const wire::Subnet& from) {
  return {.range = prefix_from_wire(from.address(), from.prefix_length()),
          .gateway = address_from_wire(from.gateway()),
          .next = address_from_wire(from.next())};
}

IngressRule ingress_from_wire(const wire::IngressRule& from) {
  return {.protocol = enum_from_wire<IpProtocol>(from.protocol()),
          .ports = {.first = static_cast<uint16_t>(from.first_port()),
                    .last = static_cast<uint16_t>(from.last_port())},
          .from = prefix_from_wire(from.from(), from.prefix_length())};
}

NumaNode numa_from_wire(const wire::NumaNode& from) {
  NumaNode node{.id = from.id(),
                .memory = Bytes(from.memory_bytes()),
                .cores = {},
                .pages_2mib = from.pages_2mib(),
                .pages_1gib = from.pages_1gib()};
  for (const wire::HostCore& core : from.cores()) {
    node.cores.push_back({.threads = {core.threads().begin(), core.threads().end()}});
  }
  return node;
}

std::vector<DeviceCount> devices_from_wire(
    const google::protobuf::RepeatedPtrField<wire::DeviceCount>& from) {
  std::vector<DeviceCount> devices;
  for (const wire::DeviceCount& counted : from) {
    devices.push_back({.device_class = counted.device_class(), .count = counted.count()});
  }
  return devices;
}

// What is no size of pages reads as normal, and shows when it is written again.
PageSize page_size_from_wire(int64_t bytes) {
  for (const PageSize size : {PageSize::k2MiB, PageSize::k1GiB}) {
    if (bytes_of(size) == Bytes(bytes)) return size;
  }
  return PageSize::kNormal;
}

std::vector<LabelMatch> matches_from_wire(
    const google::protobuf::RepeatedPtrField<wire::LabelMatch>& from) {
  std::vector<LabelMatch> matches;
  for (const wire::LabelMatch& match : from) {
    matches.push_back({.key = match.key(), .value = std::nullopt});
    if (match.has_value()) matches.back().value = match.value();
  }
  return matches;
}

Wishes wishes_from_wire(const wire::Wishes& from) {
  return {.within = from.within(),
          .host = uid_from_wire<HostUid>(from.host()),
          .required_labels = matches_from_wire(from.required_labels()),
          .forbidden_labels = matches_from_wire(from.forbidden_labels()),
          .cpu_baseline = from.cpu_baseline(),
          .preferred_site = from.preferred_site()};
}

Backup backup_from_wire(const wire::Backup& from) {
  return {.host = uid_from_wire<HostUid>(from.host()),
          .numa_nodes = {from.numa_nodes().begin(), from.numa_nodes().end()},
          .power = Milliwatts(from.power_milliwatts())};
}

Claim claim_from_wire(const wire::Claim& from) {
  return {.host = uid_from_wire<HostUid>(from.host()),
          .cpu_class = enum_from_wire<CpuClass>(from.cpu_class()),
          .vcpus = VcpuCount(from.vcpus()),
          .memory = Bytes(from.memory_bytes()),
          .disk = Bytes(from.disk_bytes()),
          .cpus = {from.cpus().begin(), from.cpus().end()},
          .numa_nodes = {from.numa_nodes().begin(), from.numa_nodes().end()},
          .by_node = from.by_node(),
          .page_size = page_size_from_wire(from.page_size_bytes()),
          .pages = from.pages(),
          .bandwidth = MegabitsPerSecond(from.bandwidth_megabits_per_second()),
          .devices = devices_from_wire(from.devices()),
          .power = Milliwatts(from.power_milliwatts())};
}

Port port_from_wire(const wire::Port& from) {
  return {.network = uid_from_wire<NetworkUid>(from.network()),
          .mac = from.mac(),
          .addresses = addresses_from_wire(from.addresses())};
}

HostFacts facts_from_wire(const wire::HostFacts& from) {
  HostFacts to{.cores = from.cores(),
               .threads = from.threads(),
               .memory = Bytes(from.memory_bytes()),
               .disk = Bytes(from.disk_bytes()),
               .disk_type = enum_from_wire<DiskType>(from.disk_type()),
               .cpu_model = from.cpu_model(),
               .accelerator = from.accelerator(),
               .hypervisor_version = from.hypervisor_version(),
               .boot_id = from.boot_id(),
               .numa = {},
               .bandwidth = MegabitsPerSecond(from.bandwidth_megabits_per_second()),
               .devices = devices_from_wire(from.devices()),
               .cpu_baselines = {from.cpu_baselines().begin(), from.cpu_baselines().end()}};
  for (const wire::NumaNode& node : from.numa()) to.numa.push_back(numa_from_wire(node));
  return to;
}

}  // namespace

Project from_wire(const wire::Project& from) {
  return {.uid = uid_from_wire<ProjectUid>(from.uid()),
          .id = from.id(),
          .labels = labels_from_wire(from),
          .limits = limits_from_wire(from.limits()),
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
  std::optional<Sha256> expected;
  if (!from.source_sha256().empty()) expected = array_from_wire<32>(from.source_sha256());
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
          .is_public = from.is_public(),
          .properties = pairs_from_wire(from.properties()),
          .source = {.url = from.source_url(), .sha256 = expected},
          .failure = from.failure(),
          .created_at = time_from_wire(from.created_at()),
          .changed_at = Sequence(from.changed_at())};
}

Network from_wire(const wire::Network& from) {
  Network to{.uid = uid_from_wire<NetworkUid>(from.uid()),
             .project = uid_from_wire<ProjectUid>(from.project()),
             .id = from.id(),
             .state = enum_from_wire<NetworkState>(from.state()),
             .bridge = from.bridge(),
             .make_bridge = from.make_bridge(),
             .v4 = {},
             .v6 = {},
             .dns_servers = addresses_from_wire(from.dns_servers()),
             .routes = {},
             .mtu = from.mtu(),
             .labels = labels_from_wire(from),
             .next_mac = from.next_mac(),
             .created_at = time_from_wire(from.created_at()),
             .changed_at = Sequence(from.changed_at())};
  if (from.has_v4()) to.v4 = subnet_from_wire(from.v4());
  if (from.has_v6()) to.v6 = subnet_from_wire(from.v6());
  for (const wire::Route& route : from.routes()) {
    to.routes.push_back({.to = prefix_from_wire(route.to(), route.prefix_length()),
                         .via = address_from_wire(route.via()).value_or(IpAddress())});
  }
  return to;
}

Instance from_wire(const wire::Instance& from) {
  Instance to{.uid = uid_from_wire<InstanceUid>(from.uid()),
              .project = uid_from_wire<ProjectUid>(from.project()),
              .id = from.id(),
              .generation = Generation(from.generation()),
              .desired = enum_from_wire<DesiredState>(from.desired()),
              .stop_hard = from.stop_hard(),
              .reboot = {.count = from.reboot().count(),
                         .kind = enum_from_wire<RebootKind>(from.reboot().kind())},
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
              .group = uid_from_wire<GroupUid>(from.group()),
              .wishes = wishes_from_wire(from.wishes()),
              .failover = from.failover(),
              .backup = {},
              .ingress = {},
              .delete_protection = from.delete_protection(),
              .has_disk = from.has_disk(),
              .ever_started = from.ever_started(),
              .created_at = time_from_wire(from.created_at()),
              .changed_at = Sequence(from.changed_at()),
              .run = Generation(from.run())};
  for (const wire::Port& port : from.ports()) to.ports.push_back(port_from_wire(port));
  for (const wire::IngressRule& rule : from.ingress()) {
    to.ingress.push_back(ingress_from_wire(rule));
  }
  if (from.has_backup()) to.backup = backup_from_wire(from.backup());
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
          .rack = uid_from_wire<RackUid>(from.rack()),
          .labels = labels_from_wire(from),
          .power = {.idle = Milliwatts(from.power().idle_milliwatts()),
                    .peak = Milliwatts(from.power().peak_milliwatts())},
          .maintenance = from.maintenance(),
          .created_at = time_from_wire(from.created_at()),
          .changed_at = Sequence(from.changed_at())};
}

}  // namespace stellwerk::records
