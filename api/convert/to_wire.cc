#include "api/convert/to_wire.h"

#include <map>
#include <set>
#include <string>

#include "api/convert/wire_parts.h"
#include "core/image_url.h"
#include "core/resource_names.h"
#include "core/scs_flavors.h"

namespace stellwerk::convert {
namespace {

v1::Instance::DesiredState wire_of(DesiredState state) {
  switch (state) {
    case DesiredState::kRunning:
      return v1::Instance::RUNNING;
    case DesiredState::kStopped:
      return v1::Instance::STOPPED;
    case DesiredState::kDeleted:
      return v1::Instance::DELETED;
  }
  return v1::Instance::DESIRED_STATE_UNSPECIFIED;
}

v1::Instance::RestartPolicy wire_of(RestartPolicy policy) {
  switch (policy) {
    case RestartPolicy::kOnFailure:
      return v1::Instance::ON_FAILURE;
    case RestartPolicy::kNever:
      return v1::Instance::NEVER;
  }
  return v1::Instance::RESTART_POLICY_UNSPECIFIED;
}

v1::Instance::Phase wire_of(Phase phase) {
  switch (phase) {
    case Phase::kPending:
      return v1::Instance::PHASE_PENDING;
    case Phase::kPreparing:
      return v1::Instance::PHASE_PREPARING;
    case Phase::kStarting:
      return v1::Instance::PHASE_STARTING;
    case Phase::kRunning:
      return v1::Instance::PHASE_RUNNING;
    case Phase::kStopping:
      return v1::Instance::PHASE_STOPPING;
    case Phase::kStopped:
      return v1::Instance::PHASE_STOPPED;
    case Phase::kCrashed:
      return v1::Instance::PHASE_CRASHED;
    case Phase::kDeleting:
    // The record goes in the commit that hears of it; a caller sees no instance then.
    case Phase::kDeleted:
      return v1::Instance::PHASE_DELETING;
    case Phase::kUnknown:
      return v1::Instance::PHASE_UNKNOWN;
  }
  return v1::Instance::PHASE_UNSPECIFIED;
}

v1::Image::State wire_of(ImageState state) {
  switch (state) {
    case ImageState::kImporting:
      return v1::Image::IMPORTING;
    case ImageState::kActive:
      return v1::Image::ACTIVE;
    case ImageState::kDeleting:
      return v1::Image::DELETING;
    case ImageState::kFailed:
      return v1::Image::FAILED;
  }
  return v1::Image::STATE_UNSPECIFIED;
}

v1::Image::Firmware wire_of(Firmware firmware) {
  switch (firmware) {
    case Firmware::kBios:
      return v1::Image::BIOS;
    case Firmware::kUefi:
      return v1::Image::UEFI;
  }
  return v1::Image::FIRMWARE_UNSPECIFIED;
}

v1::Image::Format wire_of(ImageFormat format) {
  switch (format) {
    case ImageFormat::kRaw:
      return v1::Image::RAW;
    case ImageFormat::kQcow2:
      return v1::Image::QCOW2;
  }
  return v1::Image::FORMAT_UNSPECIFIED;
}

v1::Flavor::CpuClass wire_of(CpuClass cpu_class) {
  switch (cpu_class) {
    case CpuClass::kLowPerformance:
      return v1::Flavor::LOW_PERFORMANCE;
    case CpuClass::kShared:
      return v1::Flavor::SHARED;
    case CpuClass::kDedicatedThread:
      return v1::Flavor::DEDICATED_THREAD;
    case CpuClass::kDedicatedCore:
      return v1::Flavor::DEDICATED_CORE;
  }
  return v1::Flavor::CPU_CLASS_UNSPECIFIED;
}

v1::Flavor::DiskType wire_of(DiskType type) {
  switch (type) {
    case DiskType::kUnspecified:
      return v1::Flavor::DISK_TYPE_UNSPECIFIED;
    case DiskType::kNetwork:
      return v1::Flavor::NETWORK;
    case DiskType::kHardDisk:
      return v1::Flavor::HDD;
    case DiskType::kSsd:
      return v1::Flavor::SSD;
    case DiskType::kNvme:
      return v1::Flavor::NVME;
  }
  return v1::Flavor::DISK_TYPE_UNSPECIFIED;
}

void add_timeline(const std::vector<controller::TimelineEntry>& timeline, v1::Instance* wire) {
  for (const controller::TimelineEntry& entry : timeline) {
    auto* item = wire->add_timeline();
    set_time(entry.time, item->mutable_time());
    item->set_type(entry.type);
    item->set_reason(entry.reason);
    item->set_message(entry.message);
    item->set_caller(entry.caller);
  }
}

void set_observed(const controller::InstanceView& view, v1::Instance* wire) {
  const Observed& observed = view.observed;
  wire->set_phase(wire_of(observed.phase));
  wire->set_reason(observed.reason);
  wire->set_message(observed.message);
  wire->set_observed_generation(observed.generation.value());
  if (observed.since != WallTime()) set_time(observed.since, wire->mutable_phase_time());
  if (!view.host_id.empty()) wire->set_host(host_name(view.host_id));
}

v1::IngressRule::Protocol wire_of(IpProtocol protocol) {
  switch (protocol) {
    case IpProtocol::kAny:
      return v1::IngressRule::ANY;
    case IpProtocol::kTcp:
      return v1::IngressRule::TCP;
    case IpProtocol::kUdp:
      return v1::IngressRule::UDP;
    case IpProtocol::kIcmp:
      return v1::IngressRule::ICMP;
  }
  return v1::IngressRule::PROTOCOL_UNSPECIFIED;
}

void set_rule(const IngressRule& rule, v1::IngressRule* wire) {
  wire->set_protocol(wire_of(rule.protocol));
  wire->set_first_port(rule.ports.first);
  wire->set_last_port(rule.ports.last);
  wire->set_source(rule.from.to_string());
}

void set_use(const controller::HostView& view, v1::Host::Use* use) {
  const auto vcpus = [&](CpuClass cpu_class) {
    const auto found = view.vcpus_used.find(cpu_class);
    return found == view.vcpus_used.end() ? 0 : found->second.count();
  };
  use->set_instances(view.instances);
  use->set_memory_bytes(view.memory_used.count());
  use->set_disk_bytes(view.disk_used.count());
  use->set_low_performance_vcpus(vcpus(CpuClass::kLowPerformance));
  use->set_shared_vcpus(vcpus(CpuClass::kShared));
  use->set_dedicated_threads(vcpus(CpuClass::kDedicatedThread));
  use->set_dedicated_cores(vcpus(CpuClass::kDedicatedCore));
}

void set_processors(const controller::HostView& view, v1::Host* wire) {
  for (const NumaNode& node : view.host.facts.numa) {
    auto* item = wire->add_numa_nodes();
    item->set_id(node.id);
    item->set_memory_bytes(node.memory.count());
    item->set_cores(static_cast<int64_t>(node.cores.size()));
    std::set<int32_t> cpus;
    for (const HostCore& core : node.cores) cpus.insert(core.threads.begin(), core.threads.end());
    item->mutable_cpu_ids()->Add(cpus.begin(), cpus.end());
    item->set_pages_2mib(node.pages_2mib);
    item->set_pages_1gib(node.pages_1gib);
  }
  wire->mutable_dedicated_cpu_ids()->Add(view.dedicated_cpus.begin(), view.dedicated_cpus.end());
  wire->mutable_shared_cpu_ids()->Add(view.shared_cpus.begin(), view.shared_cpus.end());
  wire->set_unpinned_dedicated_vcpus(view.unpinned.count());
}

// What operators have entered.
void set_entered(const controller::HostView& view, v1::Host* wire) {
  const Host& host = view.host;
  set_map(host.labels, wire->mutable_labels());
  wire->set_idle_watts(host.power.idle.count() / watts(1).count());
  wire->set_peak_watts(host.power.peak.count() / watts(1).count());
  wire->set_maintenance(host.maintenance);
  const std::string& rack = view.rack_id;
  if (rack.empty()) return;
  wire->set_rack(rack_name(rack));
  wire->set_site(site_name(rack.substr(0, rack.find('/'))));
  wire->set_zone(zone_name(rack.substr(0, rack.rfind('/'))));
}

}  // namespace

v1::Instance to_wire(const controller::InstanceView& view) {
  const Instance& instance = view.instance;
  v1::Instance wire;
  wire.set_name(instance_name(view.project_id, instance.id));
  wire.set_uid(instance.uid.to_string());
  wire.set_generation(instance.generation.value());
  wire.set_etag(etag_of(instance));
  set_time(instance.created_at, wire.mutable_create_time());
  wire.set_desired_state(wire_of(instance.desired));
  // Of one that is gone only its name is known.
  if (!instance.flavor_id.empty()) {
    wire.set_flavor(flavor_name(instance.flavor_id));
    wire.set_image(image_name(view.image_project_id, instance.image_id));
  }
  wire.set_boot_disk_bytes(instance.boot_disk.count());
  for (const controller::PortView& port : view.ports) {
    auto* interface = wire.add_network_interfaces();
    interface->set_network(network_name(view.project_id, port.network_id));
    interface->set_mac_address(mac_to_string(port.mac));
    if (!port.addresses.empty()) interface->set_ip_address(port.addresses.front().to_string());
    for (const IpAddress& address : port.addresses) {
      interface->add_ip_addresses(address.to_string());
    }
  }
  for (const std::string& key : instance.ssh_keys) wire.add_ssh_keys(key);
  for (const IngressRule& rule : instance.ingress) set_rule(rule, wire.add_ingress_rules());
  set_map(instance.labels, wire.mutable_labels());
  wire.set_restart_policy(wire_of(instance.restart_policy));
  set_placing(view, &wire);
  set_observed(view, &wire);
  wire.set_vcpus(instance.vcpus.count());
  wire.set_memory_bytes(instance.memory.count());
  wire.set_has_user_data(instance.has_user_data);
  wire.set_reboot_count(instance.reboot.count);
  for (const int32_t cpu : instance.claim.cpus) wire.add_cpu_ids(cpu);
  for (const int32_t node : instance.claim.numa_nodes) wire.add_numa_nodes(node);
  wire.set_delete_protection(instance.delete_protection);
  add_timeline(view.timeline, &wire);
  return wire;
}

v1::Image to_wire(const controller::ImageView& view) {
  const Image& image = view.image;
  v1::Image wire;
  wire.set_name(image_name(view.project_id, image.id));
  wire.set_uid(image.uid.to_string());
  wire.set_etag(etag_of(image.changed_at));
  set_time(image.created_at, wire.mutable_create_time());
  wire.set_state(wire_of(image.state));
  wire.set_firmware(wire_of(image.firmware));
  wire.set_min_disk_bytes(image.minimum_disk.count());
  wire.set_min_memory_bytes(image.minimum_memory.count());
  wire.set_visibility(image.is_public ? v1::Image::PUBLIC : v1::Image::PRIVATE);
  set_map(image.properties, wire.mutable_properties());
  wire.set_source_url(url_without_query(image.source.url));
  wire.set_failure(image.failure);
  wire.set_received_bytes(view.progress.received.count());
  wire.set_expected_bytes(view.progress.expected.value_or(Bytes()).count());
  set_map(image.labels, wire.mutable_labels());
  // Unknown before all bytes are here; an image in deletion may never have had any.
  if (image.state == ImageState::kActive ||
      (image.state == ImageState::kDeleting && image.file_size > Bytes())) {
    wire.set_format(wire_of(image.format));
    wire.set_size_bytes(image.file_size.count());
    wire.set_virtual_bytes(image.virtual_size.count());
    wire.set_sha256(to_hex(image.sha256));
  }
  return wire;
}

v1::Flavor to_wire(const Flavor& flavor) {
  v1::Flavor wire;
  wire.set_name(flavor_name(flavor.id));
  wire.set_uid(flavor.uid.to_string());
  wire.set_etag(etag_of(flavor.changed_at));
  set_time(flavor.created_at, wire.mutable_create_time());
  wire.set_cpu_class(wire_of(flavor.cpu_class));
  wire.set_vcpus(flavor.vcpus.count());
  wire.set_memory_mib(flavor.memory.count() / mebibytes(1).count());
  if (flavor.disks) {
    wire.mutable_disks()->set_count(static_cast<int32_t>(flavor.disks->count));
    wire.mutable_disks()->set_size_bytes(flavor.disks->size.count());
    wire.mutable_disks()->set_type(wire_of(flavor.disks->type));
  }
  wire.set_builtin(flavor.builtin);
  set_map(scs_extra_specs(flavor), wire.mutable_extra_specs());
  return wire;
}

v1::Host to_wire(const controller::HostView& view) {
  const Host& host = view.host;
  v1::Host wire;
  wire.set_name(host_name(host.id));
  wire.set_uid(host.uid.to_string());
  set_time(host.created_at, wire.mutable_create_time());
  wire.set_state(view.connected ? v1::Host::READY : v1::Host::DISCONNECTED);
  wire.mutable_capacity()->set_cores(host.facts.cores);
  wire.mutable_capacity()->set_threads(host.facts.threads);
  wire.mutable_capacity()->set_memory_bytes(host.facts.memory.count());
  wire.mutable_capacity()->set_disk_bytes(host.facts.disk.count());
  wire.mutable_reserved()->set_memory_bytes(host.reserve.memory.count());
  wire.mutable_reserved()->set_disk_bytes(host.reserve.disk.count());
  set_use(view, wire.mutable_use());
  wire.mutable_foreign()->set_domains(view.foreign.domains);
  wire.mutable_foreign()->set_vcpus(view.foreign.vcpus.count());
  wire.mutable_foreign()->set_memory_bytes(view.foreign.memory.count());
  for (const OrphanReport& orphan : view.orphans) {
    auto* item = wire.add_orphans();
    item->set_uid(orphan.uuid.to_string());
    item->set_domain(orphan.name);
    item->set_project_id(orphan.project_id);
    item->set_instance_id(orphan.instance_id);
  }
  wire.set_cpu_model(host.facts.cpu_model);
  wire.set_accelerator(host.facts.accelerator);
  wire.set_hypervisor_version(host.facts.hypervisor_version);
  wire.set_boot_id(host.facts.boot_id);
  wire.set_disk_available_bytes(view.disk_available.count());
  if (host.facts.disk_type != DiskType::kUnspecified) {
    wire.set_disk_type(std::string(to_string(host.facts.disk_type)));
  }
  wire.set_etag(etag_of(host.changed_at));
  wire.set_bandwidth_megabits_per_second(host.facts.bandwidth.count());
  for (const DeviceCount& devices : host.facts.devices) {
    auto* item = wire.add_devices();
    item->set_device_class(devices.device_class);
    item->set_count(devices.count);
  }
  for (const std::string& baseline : host.facts.cpu_baselines) wire.add_cpu_baselines(baseline);
  set_processors(view, &wire);
  set_entered(view, &wire);
  return wire;
}

v1::Network to_wire(const controller::NetworkView& view) {
  const Network& network = view.network;
  v1::Network wire;
  wire.set_name(network_name(view.project_id.empty() ? "-" : view.project_id, network.id));
  wire.set_uid(network.uid.to_string());
  wire.set_etag(etag_of(network.changed_at));
  if (network.created_at != WallTime()) set_time(network.created_at, wire.mutable_create_time());
  wire.set_state(network.state == NetworkState::kActive ? v1::Network::ACTIVE
                                                        : v1::Network::DELETING);
  if (network.v4) wire.set_ipv4_subnet(network.v4->range.to_string());
  if (network.v6) wire.set_ipv6_subnet(network.v6->range.to_string());
  for (const auto* subnet : {&network.v4, &network.v6}) {
    if (*subnet && (*subnet)->gateway) wire.add_gateways((*subnet)->gateway->to_string());
  }
  wire.set_isolated(wire.gateways().empty());
  for (const IpAddress& server : network.dns_servers) wire.add_dns_servers(server.to_string());
  for (const Route& route : network.routes) {
    auto* added = wire.add_routes();
    added->set_destination(route.to.to_string());
    added->set_next_hop(route.via.to_string());
  }
  wire.set_mtu_bytes(network.mtu);
  set_map(network.labels, wire.mutable_labels());
  wire.set_bridge(network.bridge);
  wire.set_cell_owned(network.project.is_nil());
  wire.set_port_count(view.ports);
  return wire;
}

v1::Event to_wire(const Event& event, Sequence sequence) {
  v1::Event wire;
  set_time(event.time, wire.mutable_time());
  wire.set_type(event.type);
  wire.set_resource(event.resource);
  wire.set_uid(event.uid.to_string());
  wire.set_reason(event.reason);
  wire.set_message(event.message);
  wire.set_sequence(sequence.value());
  return wire;
}

namespace {

template <class Item, class Field>
void fill(const controller::Page<Item>& page, google::protobuf::RepeatedPtrField<Field>* items) {
  for (const Item& item : page.items) *items->Add() = to_wire(item);
}

}  // namespace

v1::ListInstancesResponse to_wire(const controller::Page<controller::InstanceView>& page) {
  v1::ListInstancesResponse response;
  fill(page, response.mutable_instances());
  response.set_next_page_token(page.next_token);
  return response;
}

v1::ListImagesResponse to_wire(const controller::Page<controller::ImageView>& page) {
  v1::ListImagesResponse response;
  fill(page, response.mutable_images());
  response.set_next_page_token(page.next_token);
  return response;
}

v1::ListFlavorsResponse to_wire(const controller::Page<Flavor>& page) {
  v1::ListFlavorsResponse response;
  fill(page, response.mutable_flavors());
  response.set_next_page_token(page.next_token);
  return response;
}

v1::ListHostsResponse to_wire(const controller::Page<controller::HostView>& page) {
  v1::ListHostsResponse response;
  fill(page, response.mutable_hosts());
  response.set_next_page_token(page.next_token);
  return response;
}

v1::ListNetworksResponse to_wire(const controller::Page<controller::NetworkView>& page) {
  v1::ListNetworksResponse response;
  fill(page, response.mutable_networks());
  response.set_next_page_token(page.next_token);
  return response;
}

}  // namespace stellwerk::convert
