#include "placement/simulate/fleet_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/validate.h"

namespace stellwerk::placement::simulate {
namespace {

std::vector<NumaNode> nodes_of(const HostShape& shape) {
  std::vector<NumaNode> nodes(static_cast<size_t>(shape.numa_nodes));
  const auto count = static_cast<int64_t>(nodes.size());
  int64_t core = 0;
  for (int64_t n = 0; n < count; ++n) {
    NumaNode& node = nodes[static_cast<size_t>(n)];
    node.id = static_cast<int32_t>(n);
    const int64_t bytes = shape.memory.count();
    node.memory = Bytes(bytes / count + (n < bytes % count ? 1 : 0));
    // The first threads of all cores come before their second ones, as the kernel numbers them.
    for (const int64_t end = shape.cores * (n + 1) / count; core < end; ++core) {
      HostCore one;
      for (int64_t thread = core; thread < shape.threads; thread += shape.cores) {
        one.threads.push_back(static_cast<int32_t>(thread));
      }
      node.cores.push_back(std::move(one));
    }
  }
  return nodes;
}

absl::Status check_number(std::string_view what, int64_t value, int64_t least, int64_t most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return invalid_argument("{}: {} asked; {} to {} are possible", what, value, least, most);
}

absl::Status check_options(const GenerateOptions& options) {
  SW_RETURN_IF_ERROR(check_number("hosts", options.hosts, 1, kMostHosts));
  SW_RETURN_IF_ERROR(check_number("host-vcpus", options.host_vcpus, 1, kMostHostVcpus));
  SW_RETURN_IF_ERROR(
      check_number("host-memory-mib", options.host_memory_mib, 1, kMostHostMemoryMib));
  SW_RETURN_IF_ERROR(check_number("hosts-per-rack", options.hosts_per_rack, 1, kMostHosts));
  SW_RETURN_IF_ERROR(check_number("sites", options.sites, 1, kMostSites));
  SW_RETURN_IF_ERROR(check_number("host-numa-nodes", options.host_numa_nodes, 0,
                                  std::min<int64_t>(kMostNumaNodes, options.host_vcpus)));
  SW_RETURN_IF_ERROR(check_number("host-gpus", options.host_gpus, 0, 64));
  return check_number("oversubscription", options.oversubscription, 1, kMostOversubscription);
}

// "07" of 7 among 24.
std::string padded(int64_t number, int64_t of) {
  const size_t width = std::max<size_t>(2, std::to_string(of).size());
  return fmt::format("{:0{}}", number, width);
}

void add_sites(const GenerateOptions& options, FleetPlan& plan) {
  for (int64_t s = 0; s < options.sites; ++s) {
    const auto number = static_cast<uint64_t>(s + 1);
    const std::string id = fmt::format(
        "dc{}", options.sites < 10 ? std::to_string(s + 1) : padded(s + 1, options.sites));
    plan.topology.sites.push_back({.uid = numbered<SiteUid>(number), .id = id});
    plan.topology.zones.push_back(
        {.uid = numbered<ZoneUid>(number), .site = numbered<SiteUid>(number), .id = id + "/a"});
  }
}

}  // namespace

Host planned_host(size_t place, std::string id, const RackUid& rack, const HostShape& shape) {
  Host host{.uid = numbered<HostUid>(place + 1), .id = std::move(id), .rack = rack};
  host.facts.cores = shape.cores;
  host.facts.threads = shape.threads;
  host.facts.memory = shape.memory;
  host.facts.disk = shape.disk;
  host.facts.numa = nodes_of(shape);
  if (shape.gpus > 0) host.facts.devices.push_back({kGpuClass, shape.gpus});
  host.power = shape.power;
  host.labels = shape.labels;
  return host;
}

absl::StatusOr<FleetPlan> generate_fleet(const GenerateOptions& options) {
  SW_RETURN_IF_ERROR(check_options(options));
  FleetPlan plan{.oversubscription = options.oversubscription};
  add_sites(options, plan);
  const HostShape shape{.cores = options.host_vcpus,
                        .threads = options.host_vcpus,
                        .memory = mebibytes(options.host_memory_mib),
                        .numa_nodes = static_cast<int32_t>(options.host_numa_nodes),
                        .gpus = options.host_gpus};
  const int64_t racks = (options.hosts + options.hosts_per_rack - 1) / options.hosts_per_rack;
  const int64_t most_in_site = (racks + options.sites - 1) / options.sites;
  for (int64_t h = 0; h < options.hosts; ++h) {
    const int64_t rack = h / options.hosts_per_rack;
    if (h % options.hosts_per_rack == 0) {
      const Zone& zone = plan.topology.zones[static_cast<size_t>(rack % options.sites)];
      plan.topology.racks.push_back(
          {.uid = numbered<RackUid>(static_cast<uint64_t>(rack + 1)),
           .zone = zone.uid,
           .id = fmt::format("{}/r{}", zone.id, padded(rack / options.sites + 1, most_in_site))});
    }
    plan.hosts.push_back(planned_host(static_cast<size_t>(h),
                                      fmt::format("host-{}", padded(h + 1, options.hosts)),
                                      plan.topology.racks.back().uid, shape));
  }
  return plan;
}

CpuLimits limits_of(const FleetPlan& plan) {
  int64_t threads_per_core = 1;
  for (const Host& host : plan.hosts) {
    const HostFacts& facts = host.facts;
    threads_per_core = std::max(threads_per_core, (facts.threads + facts.cores - 1) / facts.cores);
  }
  return {.shared_per_core = plan.oversubscription * threads_per_core,
          .shared_per_thread = plan.oversubscription};
}

absl::Status limit_hosts(FleetPlan& plan, int64_t most) {
  const auto there = static_cast<int64_t>(plan.hosts.size());
  if (most < 1 || most > there) {
    return invalid_argument("{} hosts asked, the fleet has {}", most, there);
  }
  plan.hosts.resize(static_cast<size_t>(most));
  return absl::OkStatus();
}

absl::StatusOr<Host> first_host_of(const FleetPlan& plan, const std::string& rack) {
  const auto found = std::ranges::find(plan.topology.racks, rack, &Rack::id);
  if (found == plan.topology.racks.end()) {
    return invalid_argument("there is no rack {} in the fleet", quoted(rack));
  }
  const auto host = std::ranges::find(plan.hosts, found->uid, &Host::rack);
  if (host != plan.hosts.end()) return *host;
  return invalid_argument("no host stands in rack {}, so none is known of its kind", rack);
}

}  // namespace stellwerk::placement::simulate
