#include "api/cli/instance_view.h"

#include <fmt/ranges.h>

#include "api/cli/format.h"
#include "api/cli/instance_ports.h"
#include "api/cli/places.h"

namespace stellwerk::cli {
namespace {

using v1::Instance;

std::string ips(const Instance& instance) {
  std::string line;
  for (const Instance::NetworkInterface& interface : instance.network_interfaces()) {
    for (const std::string& address : interface.ip_addresses()) {
      line += (line.empty() ? "" : ",") + address;
    }
  }
  return line;
}

std::string first_mac(const Instance& instance) {
  return instance.network_interfaces_size() == 0 ? ""
                                                 : instance.network_interfaces(0).mac_address();
}

std::string desired_name(const Instance& instance) {
  const std::string& name = Instance::DesiredState_Name(instance.desired_state());
  return name.empty() ? std::to_string(instance.desired_state()) : name;
}

std::string policy_name(const Instance& instance) {
  return instance.restart_policy() == Instance::NEVER ? "never" : "on-failure";
}

void add_processors(KeyValues& pairs, const Instance& instance) {
  if (instance.cpu_ids_size() == 0) return;
  pairs.emplace_back("Own CPUs", fmt::format("{} (NUMA {} {})", cpus_text(instance.cpu_ids()),
                                             instance.numa_nodes_size() == 1 ? "node" : "nodes",
                                             cpus_text(instance.numa_nodes())));
}

void add_network(KeyValues& pairs, const Instance& instance) {
  if (instance.network_interfaces_size() == 0) pairs.emplace_back("Network", "none");
  for (const Instance::NetworkInterface& interface : instance.network_interfaces()) {
    pairs.emplace_back("Network", id_of(interface.network()));
    for (const std::string& address : interface.ip_addresses()) {
      pairs.emplace_back("IP address", address);
    }
    pairs.emplace_back("MAC address", interface.mac_address());
  }
  for (const v1::IngressRule& rule : instance.ingress_rules()) {
    pairs.emplace_back("Allowed", ingress_text(rule));
  }
}

// "protected" or "not protected"; nothing of those that did not ask for it.
Cell failover_cell(const Instance& instance) {
  if (!instance.failover_protected()) return Cell("");
  return instance.backup().protected_() ? Cell("protected", Style::kGood)
                                        : Cell("not protected", Style::kBad);
}

void add_placing(KeyValues& pairs, const Instance& instance) {
  const Instance::Wishes& wishes = instance.wishes();
  const std::pair<const char*, std::string> lines[] = {
      {"Group", id_of(instance.group())},
      {"Within", path_of(wishes.within())},
      {"Only on host", id_of(wishes.host())},
      {"Labels of hosts", fmt::format("{}", fmt::join(wishes.required_labels(), ", "))},
      {"None of hosts", fmt::format("{}", fmt::join(wishes.forbidden_labels(), ", "))},
      {"CPU baseline", wishes.cpu_baseline()},
      {"Prefers site", path_of(wishes.preferred_site())},
  };
  for (const auto& [name, value] : lines) {
    if (!value.empty()) pairs.emplace_back(name, value);
  }
  if (!instance.failover_protected()) return;
  pairs.emplace_back("Failover", failover_cell(instance));
  if (!instance.backup().host().empty())
    pairs.emplace_back("Backup host", id_of(instance.backup().host()));
}

}  // namespace

Columns<Instance> instance_columns(const Context& context) {
  const WallTime now = context.now().wall;
  Columns<Instance> columns;
  if (context.project == "-") {
    columns.push_back(
        {"PROJECT", Shown::kAlways, [](const Instance& i) { return Cell(project_of(i.name())); }});
  }
  const Columns<Instance> rest = {
      {"NAME", Shown::kAlways, [](const Instance& i) { return Cell(id_of(i.name())); }},
      {"PHASE", Shown::kAlways, [](const Instance& i) { return phase_cell(i.phase()); }},
      {"REASON", Shown::kAlways, [](const Instance& i) { return Cell(i.reason()); }},
      {"FLAVOR", Shown::kAlways, [](const Instance& i) { return Cell(id_of(i.flavor())); }},
      {"IMAGE", Shown::kAlways, [](const Instance& i) { return Cell(id_of(i.image())); }},
      {"IP", Shown::kAlways, [](const Instance& i) { return Cell(ips(i)); }},
      {"AGE", Shown::kAlways, [now](const Instance& i) { return Cell(age(i.create_time(), now)); }},
      {"DESIRED", Shown::kWide, [](const Instance& i) { return Cell(desired_name(i)); }},
      {"HOST", Shown::kWide, [](const Instance& i) { return Cell(id_of(i.host())); }},
      {"GROUP", Shown::kWide, [](const Instance& i) { return Cell(id_of(i.group())); }},
      {"FAILOVER", Shown::kWide, failover_cell},
      {"MAC", Shown::kWide, [](const Instance& i) { return Cell(first_mac(i)); }},
      {"VCPUS", Shown::kWide, [](const Instance& i) { return Cell(std::to_string(i.vcpus())); }},
      {"MEMORY", Shown::kWide,
       [](const Instance& i) { return Cell(bytes_text(i.memory_bytes())); }},
      {"DISK", Shown::kWide,
       [](const Instance& i) { return Cell(bytes_text(i.boot_disk_bytes())); }},
      {"ETAG", Shown::kWide, [](const Instance& i) { return Cell(i.etag()); }},
      {"UID", Shown::kWide, [](const Instance& i) { return Cell(i.uid()); }},
  };
  columns.insert(columns.end(), rest.begin(), rest.end());
  return columns;
}

KeyValues instance_details(const Instance& instance, WallTime now) {
  KeyValues pairs = {
      {"Name", id_of(instance.name())},
      {"Project", project_of(instance.name())},
      {"Phase", phase_cell(instance.phase())},
      {"Since", time_and_age(instance.phase_time(), now)},
      {"Reason", instance.reason()},
      {"Message", instance.message()},
      {"Desired", desired_name(instance)},
      {"Generation",
       fmt::format("{} (carried out: {})", instance.generation(), instance.observed_generation())},
      {"Host", id_of(instance.host())},
      {"Flavor", id_of(instance.flavor())},
      {"vCPUs", std::to_string(instance.vcpus())},
      {"Memory", bytes_text(instance.memory_bytes())},
      {"Image", id_of(instance.image())},
      {"Boot disk", bytes_text(instance.boot_disk_bytes())},
  };
  add_processors(pairs, instance);
  add_placing(pairs, instance);
  add_network(pairs, instance);
  for (const std::string& key : instance.ssh_keys()) pairs.emplace_back("SSH key", key);
  const KeyValues rest = {
      {"User data", instance.has_user_data() ? "yes" : "no"},
      {"Labels", labels_text(instance.labels())},
      {"Restart policy", policy_name(instance)},
      {"Protected", instance.delete_protection() ? "against deletion" : ""},
      {"Reboots", std::to_string(instance.reboot_count())},
      {"Created", time_and_age(instance.create_time(), now)},
      {"UID", instance.uid()},
      {"Etag", instance.etag()},
  };
  pairs.insert(pairs.end(), rest.begin(), rest.end());
  return pairs;
}

}  // namespace stellwerk::cli
