#include <memory>

#include "api/cli/commands.h"
#include "api/cli/format.h"
#include "api/cli/pages.h"
#include "api/cli/verbs.h"
#include "core/resource_names.h"

namespace stellwerk::cli {
namespace {

using v1::Host;
using v1::Hosts;

std::string used_of(int64_t used, int64_t total) {
  return fmt::format("{} of {}", to_string(Bytes(used)), to_string(Bytes(total)));
}

std::string vcpus_text(const Host& host) {
  const Host::Use& use = host.use();
  return fmt::format("{} low-performance, {} shared, {} dedicated threads, {} dedicated cores",
                     use.low_performance_vcpus(), use.shared_vcpus(), use.dedicated_threads(),
                     use.dedicated_cores());
}

Columns<Host> host_columns(const Context& context) {
  const WallTime now = context.now().wall;
  return {
      {"NAME", Shown::kAlways, [](const Host& h) { return Cell(id_of(h.name())); }},
      {"STATE", Shown::kAlways, [](const Host& h) { return state_cell(h.state()); }},
      {"INSTANCES", Shown::kAlways,
       [](const Host& h) { return Cell(std::to_string(h.use().instances())); }},
      {"THREADS", Shown::kAlways,
       [](const Host& h) { return Cell(std::to_string(h.capacity().threads())); }},
      {"MEMORY", Shown::kAlways,
       [](const Host& h) {
         return Cell(used_of(h.use().memory_bytes(), h.capacity().memory_bytes()));
       }},
      {"DISK", Shown::kAlways,
       [](const Host& h) {
         return Cell(used_of(h.use().disk_bytes(), h.capacity().disk_bytes()));
       }},
      {"ACCEL", Shown::kAlways, [](const Host& h) { return Cell(h.accelerator()); }},
      {"FOREIGN", Shown::kWide,
       [](const Host& h) { return Cell(std::to_string(h.foreign().domains())); }},
      {"ORPHANS", Shown::kWide,
       [](const Host& h) { return Cell(std::to_string(h.orphans_size())); }},
      {"DISK TYPE", Shown::kWide, [](const Host& h) { return Cell(h.disk_type()); }},
      {"HYPERVISOR", Shown::kWide, [](const Host& h) { return Cell(h.hypervisor_version()); }},
      {"AGE", Shown::kWide, [now](const Host& h) { return Cell(age(h.create_time(), now)); }},
      {"UID", Shown::kWide, [](const Host& h) { return Cell(h.uid()); }},
  };
}

std::string former_name(const Host::Orphan& orphan) {
  if (orphan.project_id().empty()) {
    return fmt::format("instance {} of an unknown project", orphan.instance_id());
  }
  return instance_name(orphan.project_id(), orphan.instance_id());
}

void add_processors(KeyValues& pairs, const Host& host) {
  for (const Host::NumaNode& node : host.numa_nodes()) {
    pairs.emplace_back(
        "NUMA node", fmt::format("{}: {} cores, CPUs {}, {}", node.id(), node.cores(),
                                 cpus_text(node.cpu_ids()), to_string(Bytes(node.memory_bytes()))));
  }
  if (host.numa_nodes_size() == 0) {
    pairs.emplace_back("NUMA node", "not known: no dedicated vCPUs can be booked");
  } else {
    const std::string dedicated = cpus_text(host.dedicated_cpu_ids());
    pairs.emplace_back("Dedicated CPUs", dedicated.empty() ? "none" : dedicated);
    pairs.emplace_back("Shared CPUs", cpus_text(host.shared_cpu_ids()));
  }
  if (host.unpinned_dedicated_vcpus() > 0) {
    pairs.emplace_back("Not pinned", fmt::format("{} dedicated vCPUs, booked before CPUs were "
                                                 "chosen; book their instances anew",
                                                 host.unpinned_dedicated_vcpus()));
  }
}

KeyValues host_details(const Host& host, WallTime now) {
  KeyValues pairs = {
      {"Name", id_of(host.name())},
      {"State", state_cell(host.state())},
      {"Processor", host.cpu_model()},
      {"Cores", std::to_string(host.capacity().cores())},
      {"Threads", std::to_string(host.capacity().threads())},
      {"Accelerator", host.accelerator()},
      {"Hypervisor", host.hypervisor_version()},
      {"Memory", used_of(host.use().memory_bytes(), host.capacity().memory_bytes())},
      {"Memory reserved", bytes_text(host.reserved().memory_bytes())},
      {"Disk", used_of(host.use().disk_bytes(), host.capacity().disk_bytes())},
      {"Disk reserved", bytes_text(host.reserved().disk_bytes())},
      {"Disk available", bytes_text(host.disk_available_bytes())},
      {"Disk type", host.disk_type()},
      {"Instances", std::to_string(host.use().instances())},
      {"vCPUs in use", vcpus_text(host)},
      {"Foreign and orphans",
       fmt::format("{} domains, {} vCPUs, {}", host.foreign().domains() + host.orphans_size(),
                   host.foreign().vcpus(), to_string(Bytes(host.foreign().memory_bytes())))},
  };
  add_processors(pairs, host);
  for (const Host::Orphan& orphan : host.orphans()) {
    pairs.emplace_back("Orphan", fmt::format("{} (domain {}, was {})", orphan.uid(),
                                             orphan.domain(), former_name(orphan)));
  }
  const KeyValues rest = {
      {"Boot id", host.boot_id()},
      {"Created", time_and_age(host.create_time(), now)},
      {"UID", host.uid()},
  };
  pairs.insert(pairs.end(), rest.begin(), rest.end());
  return pairs;
}

absl::Status list_hosts(Context& context) {
  SW_ASSIGN_OR_RETURN(const std::vector<Host> hosts,
                      collect(context, &Hosts::Stub::ListHosts, v1::ListHostsRequest(),
                              &v1::ListHostsResponse::mutable_hosts));
  print_list(context, hosts, host_columns(context));
  return absl::OkStatus();
}

absl::Status show_host(Context& context, const std::string& id) {
  SW_ASSIGN_OR_RETURN(const Host host,
                      get(context, &Hosts::Stub::GetHost, full_name("hosts/", id)));
  print_details(context, host, host_details(host, context.now().wall));
  return absl::OkStatus();
}

}  // namespace

void add_host_commands(CLI::App& app, Command& chosen) {
  CLI::App* noun = add_noun(app, "host", "Machines that run instances");
  CLI::App* list = add_verb(noun, {"list", "List the hosts", "stellwerk host list -o wide"});
  list->callback([&chosen] { chosen = list_hosts; });
  add_show(noun, chosen, {"show", "Show one host", "stellwerk host show rack1-node3"}, show_host);
}

}  // namespace stellwerk::cli
