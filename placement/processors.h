// Which of a host's hardware threads dedicated guests have, and which a new one would get.
//
// Threads go by the numbers that the kernel gives them, and only where the host has told its
// layout. Invariants: no thread in two claims; what is chosen is free. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "placement/fleet.h"

namespace stellwerk::placement {

bool is_dedicated(CpuClass cpu_class);

// Of hosts that have no claims; `nodes` is not empty.
CpuLayout layout_of(std::vector<NumaNode> nodes);

// Of the host, or of the node with this index; all zero where the layout is not known.
PinRoom pin_room(const HostLoad& host);
PinRoom pin_room(const HostLoad& host, size_t node);

// Ascending; claimed threads that the host has no more are in neither.
std::vector<int32_t> dedicated_cpus(const HostLoad& host);
std::vector<int32_t> shared_cpus(const HostLoad& host);

// vCPUs of dedicated classes whose claims name no threads, from before claims did. They run among
// the shared guests and are counted by number.
VcpuCount unpinned_vcpus(const HostLoad& host, CpuClass cpu_class);

struct CpuChoice {
  std::vector<int32_t> cpus;        // vCPU 0 first, as many for each
  std::vector<int32_t> numa_nodes;  // ids, ascending
};

// T takes single threads, of cores that are broken up already before whole ones, so that cores
// stay whole for C, which takes all threads of each. One NUMA node if one has room: the one where
// the fewest whole cores are broken, then the one left with the least room; else the fewest nodes.
// Where that would break a whole core that is kept for a failure, the nodes do not matter.
// Nothing if there is no room. Only for dedicated classes; limits are not looked at.
std::optional<CpuChoice> choose_cpus(const HostLoad& host, CpuClass cpu_class, VcpuCount vcpus);
// An equal part of each of the given nodes, by index.
std::optional<CpuChoice> choose_cpus_on(const HostLoad& host, CpuClass cpu_class, VcpuCount vcpus,
                                        const std::vector<uint32_t>& nodes);

}  // namespace stellwerk::placement
