// Which of a host's hardware threads dedicated guests have, and which a new one would get.
//
// Threads go by the numbers that the kernel gives them, and only where the host has told its
// topology. Invariants: no thread in two claims; what is chosen is free. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "placement/fleet.h"

namespace stellwerk::placement {

bool is_dedicated(CpuClass cpu_class);

// Without it nothing can be pinned.
bool knows_topology(const HostFacts& facts);

// What a vCPU of class C takes; zero where the topology is not known.
int64_t threads_of_largest_core(const HostFacts& facts);

// Ascending; claimed threads that the host has no more are in neither.
std::vector<int32_t> dedicated_cpus(const HostLoad& host);
std::vector<int32_t> shared_cpus(const HostLoad& host);

// vCPUs of dedicated classes whose claims name no threads, from before claims did. They run among
// the shared guests and are counted by number.
VcpuCount unpinned_vcpus(const HostLoad& host, CpuClass cpu_class);

// Threads that no claim names, whatever else they are needed for.
int64_t unclaimed_threads(const HostLoad& host);
// Cores of the largest size none of whose threads is claimed: others cannot serve class C, whose
// vCPUs have as many threads each.
int64_t free_whole_cores(const HostLoad& host);

struct CpuChoice {
  std::vector<int32_t> cpus;        // vCPU 0 first, as many for each
  std::vector<int32_t> numa_nodes;  // ascending
};

// T takes single threads, of cores that are broken up already before whole ones, so that cores
// stay whole for C, which takes all threads of each. One NUMA node if one has room: the one where
// the fewest whole cores are broken, then the one left with the least room; else the fewest nodes.
// Nothing if there is no room. Only for dedicated classes; limits are not looked at.
std::optional<CpuChoice> choose_cpus(const HostLoad& host, CpuClass cpu_class, VcpuCount vcpus);

}  // namespace stellwerk::placement
