#include "orchestrator/controller/views.h"

#include <algorithm>
#include <utility>

#include "placement/processors.h"

namespace stellwerk::controller {

InstanceView view_of(const Instance& instance, const Ledger& ledger, Observed observed) {
  InstanceView view{.instance = instance,
                    .project_id = ledger.project_id(instance.project),
                    .observed = std::move(observed)};
  const auto host = ledger.state().hosts.find(instance.claim.host);
  if (host != ledger.state().hosts.end()) view.host_id = host->second.id;
  const auto host_id = [&ledger](const HostUid& uid) {
    const auto found = ledger.state().hosts.find(uid);
    return found == ledger.state().hosts.end() ? uid.to_string() : found->second.id;
  };
  if (!instance.wishes.host.is_nil()) view.wished_host_id = host_id(instance.wishes.host);
  if (instance.backup) view.backup_host_id = host_id(instance.backup->host);
  const auto group = ledger.state().groups.find(instance.group);
  if (group != ledger.state().groups.end()) view.group_id = group->second.id;
  // An image stays as long as it is used; it is missing where its record is unreadable.
  const auto image = ledger.state().images.find(instance.image);
  const bool known = image != ledger.state().images.end();
  view.image_project_id = known ? ledger.project_id(image->second.project) : view.project_id;
  for (const Port& port : instance.ports) {
    const auto network = ledger.state().networks.find(port.network);
    const bool known = network != ledger.state().networks.end();
    view.ports.push_back({.network_id = known ? network->second.id : port.network.to_string(),
                          .mac = port.mac,
                          .addresses = port.addresses});
  }
  return view;
}

InstanceView view_of(const Instance& instance, const Ledger& ledger, const HostBook& book,
                     MonotonicTime now) {
  return view_of(instance, ledger, book.observed(instance.uid, instance.claim.host, now));
}

ProjectView view_of(const Project& project, const Ledger& ledger) {
  return {.project = project, .use = ledger.use_of_project(project.uid)};
}

ImageView view_of(const Image& image, const Ledger& ledger, const ImportsProgress& imports) {
  ImageView view{.image = image, .project_id = ledger.project_id(image.project)};
  const auto found = imports.find(image.uid);
  if (found != imports.end()) view.progress = found->second;
  return view;
}

NetworkView view_of(const Network& network, std::string project, const Ledger& ledger) {
  // On a network of the cell's a project sees its own ports alone.
  const Project* viewer = ledger.project(project);
  const int64_t ports = network.project.is_nil() && viewer
                            ? ledger.count_ports(network.uid, viewer->uid)
                            : ledger.count_ports(network.uid);
  return {.network = network, .project_id = std::move(project), .ports = ports};
}

namespace {

// The agent knows the project by its uid alone, from the domain. The id is empty when no project
// has it any more.
OrphanReport view_of(OrphanReport orphan, const Ledger& ledger) {
  const auto& projects = ledger.state().projects;
  const std::optional<ProjectUid> uid = ProjectUid::parse(orphan.project_id);
  const auto found = uid ? projects.find(*uid) : projects.end();
  orphan.project_id = found == projects.end() ? "" : found->second.id;
  return orphan;
}

}  // namespace

HostView view_of(const Host& host, const Ledger& ledger, const HostBook& book) {
  HostView view{.host = host};
  const auto rack = ledger.state().racks.find(host.rack);
  if (rack != ledger.state().racks.end()) view.rack_id = rack->second.id;
  if (const placement::HostLoad* load = ledger.fleet().find(host.uid)) {
    view.connected = load->accepting;
    view.foreign = load->foreign;
    view.memory_used = Bytes(load->used.memory);
    view.disk_used = Bytes(load->used.disk);
    for (const CpuClass cpu_class : {CpuClass::kLowPerformance, CpuClass::kShared,
                                     CpuClass::kDedicatedThread, CpuClass::kDedicatedCore}) {
      const int64_t used = load->used.vcpus[placement::index_of(cpu_class)];
      if (used > 0) view.vcpus_used[cpu_class] = VcpuCount(used);
    }
    view.dedicated_cpus = placement::dedicated_cpus(*load);
    view.shared_cpus = placement::shared_cpus(*load);
    view.unpinned = placement::unpinned_vcpus(*load, CpuClass::kDedicatedThread) +
                    placement::unpinned_vcpus(*load, CpuClass::kDedicatedCore);
  }
  const auto& instances = ledger.state().instances;
  view.instances = std::count_if(instances.begin(), instances.end(), [&host](const auto& entry) {
    return entry.second.claim.host == host.uid;
  });
  const HostBook::HostNews& news = book.news(host.uid);
  for (const OrphanReport& orphan : ledger.orphans(host.uid)) {
    view.orphans.push_back(view_of(orphan, ledger));
  }
  view.disk_available = news.disk_available;
  return view;
}

absl::Status missing(std::string_view name) {
  return with_reason(not_found("{} does not exist", name), "NOT_FOUND");
}

}  // namespace stellwerk::controller
