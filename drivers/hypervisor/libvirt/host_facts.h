// This host's processors and memory from procfs. libvirt's own figures are not used: its node
// info is wrong under some hypervisors and needs a connection.
// The parsing is pure; the root of procfs is an argument.
#pragma once

#include <string>
#include <string_view>

#include "core/model.h"
#include "core/status.h"

namespace stellwerk::hypervisor {

struct Processors {
  int64_t cores = 0;
  int64_t threads = 0;
  std::string model;
  std::vector<std::string> baselines;  // see core/cpu_baseline.h; of the last processor
  friend bool operator==(const Processors&, const Processors&) = default;
};

// Of /proc/cpuinfo. Where it names no cores, each thread counts as one.
Processors parse_processors(std::string_view cpuinfo);

// MemTotal of /proc/meminfo.
absl::StatusOr<Bytes> parse_total_memory(std::string_view meminfo);

// Processors, memory and boot id; the rest stays empty.
absl::StatusOr<HostFacts> read_host_facts(const std::string& proc_root);

}  // namespace stellwerk::hypervisor
