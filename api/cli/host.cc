#include <fmt/ranges.h>

#include <memory>

#include "api/cli/commands.h"
#include "api/cli/exit_code.h"
#include "api/cli/format.h"
#include "api/cli/pages.h"
#include "api/cli/places.h"
#include "api/cli/power.h"
#include "api/cli/verbs.h"
#include "core/resource_names.h"
#include "core/validate.h"

namespace stellwerk::cli {
namespace {

using v1::Host;
using v1::Hosts;

struct UpdateOptions {
  std::string id;
  std::vector<std::string> labels;
  std::vector<std::string> unlabels;
  std::string rack;
  std::string power;
  MutationOptions mutation;
};

struct MaintenanceOptions {
  std::string state;
  std::string id;
  MutationOptions mutation;
};

std::string used_of(int64_t used, int64_t total) {
  return fmt::format("{} of {}", to_string(Bytes(used)), to_string(Bytes(total)));
}

std::string vcpus_text(const Host& host) {
  const Host::Use& use = host.use();
  return fmt::format("{} low-performance, {} shared, {} dedicated threads, {} dedicated cores",
                     use.low_performance_vcpus(), use.shared_vcpus(), use.dedicated_threads(),
                     use.dedicated_cores());
}

Cell state_of(const Host& host) {
  const Cell state = state_cell(host.state());
  if (!host.maintenance()) return state;
  return Cell(state.text() + ", maintenance", Style::kBusy);
}

std::string power_of(const Host& host) {
  if (host.idle_watts() == 0 && host.peak_watts() == 0) return "not known";
  return fmt::format("{} idle, {} peak", power_text(host.idle_watts()),
                     power_text(host.peak_watts()));
}

// What guests may ask for beside processors, memory and disk.
void add_capabilities(KeyValues& pairs, const Host& host) {
  for (const Host::NumaNode& node : host.numa_nodes()) {
    if (node.pages_2mib() == 0 && node.pages_1gib() == 0) continue;
    pairs.emplace_back("Huge pages", fmt::format("node {}: {} of 2 MiB, {} of 1 GiB", node.id(),
                                                 node.pages_2mib(), node.pages_1gib()));
  }
  if (host.bandwidth_megabits_per_second() != 0) {
    pairs.emplace_back("Bandwidth",
                       to_string(MegabitsPerSecond(host.bandwidth_megabits_per_second())));
  }
  for (const Host::Devices& devices : host.devices()) {
    pairs.emplace_back("Devices", fmt::format("{} x {}", devices.count(), devices.device_class()));
  }
  if (!host.cpu_baselines().empty()) {
    pairs.emplace_back("CPU baselines", fmt::format("{}", fmt::join(host.cpu_baselines(), ", ")));
  }
}

Columns<Host> host_columns(const Context& context) {
  const WallTime now = context.now().wall;
  return {
      {"NAME", Shown::kAlways, [](const Host& h) { return Cell(id_of(h.name())); }},
      {"STATE", Shown::kAlways, [](const Host& h) { return state_of(h); }},
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
      {"RACK", Shown::kWide, [](const Host& h) { return Cell(path_of(h.rack())); }},
      {"LABELS", Shown::kWide, [](const Host& h) { return Cell(labels_text(h.labels())); }},
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
      {"State", state_of(host)},
      {"Rack", path_of(host.rack())},
      {"Labels", labels_text(host.labels())},
      {"Power", power_of(host)},
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
  add_capabilities(pairs, host);
  for (const Host::Orphan& orphan : host.orphans()) {
    pairs.emplace_back("Orphan", fmt::format("{} (domain {}, was {})", orphan.uid(),
                                             orphan.domain(), former_name(orphan)));
  }
  const KeyValues rest = {
      {"Boot id", host.boot_id()},
      {"Created", time_and_age(host.create_time(), now)},
      {"UID", host.uid()},
      {"Etag", host.etag()},
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

// "idle=120W,peak=600W", one of them or both.
absl::Status read_power(const std::string& text, Host& host, v1::UpdateHostRequest& request) {
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string_view one = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    const size_t equals = one.find('=');
    const std::string_view which = one.substr(0, equals);
    if (equals == one.npos || (which != "idle" && which != "peak")) {
      return usage_error("--power: {} is not idle=POWER or peak=POWER; write idle=120W,peak=600W",
                         stellwerk::quoted(one));
    }
    const auto power = parse_power(one.substr(equals + 1));
    if (!power.ok()) return usage_error("--power: {}", message_of(power.status()));
    const int64_t watts = power->count() / 1'000;
    if (which == "idle") host.set_idle_watts(watts);
    if (which == "peak") host.set_peak_watts(watts);
    request.mutable_update_mask()->add_paths(std::string(which) + "_watts");
  }
  return absl::OkStatus();
}

absl::Status send_update(Context& context, const MutationOptions& options,
                         v1::UpdateHostRequest& request) {
  request.set_request_id(claim_request_id(context, options));
  SW_ASSIGN_OR_RETURN(const Host host, context.client.call(&Hosts::Stub::UpdateHost, request));
  print_details(context, host, host_details(host, context.now().wall));
  return absl::OkStatus();
}

absl::Status update_host(Context& context, const UpdateOptions& options) {
  v1::UpdateHostRequest request;
  Host& host = *request.mutable_host();
  host.set_name(full_name("hosts/", options.id));
  request.set_etag(options.mutation.etag);
  SW_RETURN_IF_ERROR(read_power(options.power, host, request));
  if (!options.rack.empty()) {
    request.mutable_update_mask()->add_paths("rack");
    if (options.rack != "none") host.set_rack(place_name(Place::kRack, options.rack));
  }
  SW_RETURN_IF_ERROR(change_labels(context, options, &Hosts::Stub::GetHost, host, request));
  if (request.update_mask().paths().empty()) {
    return usage_error("nothing to change is given; see stellwerk host update --help");
  }
  return send_update(context, options.mutation, request);
}

absl::Status set_maintenance(Context& context, const MaintenanceOptions& options) {
  v1::UpdateHostRequest request;
  request.mutable_host()->set_name(full_name("hosts/", options.id));
  request.mutable_host()->set_maintenance(options.state == "on");
  request.mutable_update_mask()->add_paths("maintenance");
  request.set_etag(options.mutation.etag);
  return send_update(context, options.mutation, request);
}

void add_update(CLI::App* noun, Command& chosen) {
  CLI::App* verb = add_verb(noun, {"update", "Change where a host stands and what it is for",
                                   "stellwerk host update node3 --rack dc1/a/r07 \\\n"
                                   "      --label gpu=l40s --power idle=120W,peak=600W"});
  auto options = std::make_shared<UpdateOptions>();
  verb->add_option("NAME", options->id, "The host")->required();
  add_labels(verb, options->labels);
  add_repeated(verb, {"--unlabel,--remove-label", "KEY", "A label to take away; may be repeated"},
               options->unlabels);
  verb->add_option("--rack", options->rack, "The rack in which it stands; or none")
      ->type_name("RACK");
  verb->add_option("--power", options->power, "What it draws: idle=120W,peak=600W")
      ->type_name("POWER");
  add_mutation(verb, options, chosen, update_host);
}

void add_maintenance(CLI::App* noun, Command& chosen) {
  CLI::App* verb = add_verb(noun, {"maintenance", "Say whether a host is in maintenance",
                                   "stellwerk host maintenance on node3"});
  auto options = std::make_shared<MaintenanceOptions>();
  verb->add_option("STATE", options->state, "on or off")
      ->required()
      ->check(CLI::IsMember({"on", "off"}));
  verb->add_option("HOST", options->id, "The host")->required();
  add_mutation(verb, options, chosen, set_maintenance);
}

}  // namespace

void add_host_commands(CLI::App& app, Command& chosen) {
  CLI::App* noun = add_noun(app, "host", "Machines that run instances");
  CLI::App* list = add_verb(noun, {"list", "List the hosts", "stellwerk host list -o wide"});
  list->callback([&chosen] { chosen = list_hosts; });
  add_show(noun, chosen, {"show", "Show one host", "stellwerk host show rack1-node3"}, show_host);
  add_update(noun, chosen);
  add_maintenance(noun, chosen);
}

}  // namespace stellwerk::cli
