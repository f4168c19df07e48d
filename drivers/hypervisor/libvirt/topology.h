// A host's NUMA nodes, cores and threads out of libvirt's capabilities, and what takes part in
// none of it out of sysfs. The parsing is pure; the root of sysfs is an argument.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/model.h"
#include "core/status.h"

namespace stellwerk::hypervisor {

// Of virConnectGetCapabilities. Threads that are offline, which libvirt lists without siblings, and
// those of `left_out` are not there; nodes may have no memory or no threads. Empty where no thread
// is left or the host tells no topology. DataLoss where it contradicts itself: a thread in two
// nodes or cores.
absl::StatusOr<std::vector<NumaNode>> parse_topology(std::string_view capabilities,
                                                     const std::vector<int32_t>& left_out);

// The threads that the kernel was told to keep its scheduler away from (isolcpus): whoever set
// them apart has a use for them. Empty where there are none or nobody says.
std::vector<int32_t> isolated_cpus(const std::string& sys_root);

// Whether a guest's memory could come from more than one place.
bool has_several_nodes(const std::string& sys_root);

// Makes cores and threads those of the topology, where it is known.
void count_processors(HostFacts& facts);

}  // namespace stellwerk::hypervisor
