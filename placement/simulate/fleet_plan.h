// The fleet that a simulation runs on: written down host by host, or generated. Values, pure.
//
// Identities are numbers that count up, so that hosts of one rack keep the plan's order.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/model.h"
#include "core/status.h"
#include "placement/fleet.h"

namespace stellwerk::placement::simulate {

inline constexpr int64_t kMostHosts = 100'000;
inline constexpr int64_t kMostHostVcpus = 65'536;
inline constexpr int64_t kMostHostMemoryMib = int64_t{64} * 1024 * 1024;
inline constexpr int64_t kMostSites = 64;
inline constexpr int64_t kMostOversubscription = 256;
inline constexpr int32_t kMostNumaNodes = 16;
// The class of devices that the trace's column `gpus` asks for.
inline constexpr char kGpuClass[] = "gpu";

struct HostShape {
  int64_t cores = 0;
  int64_t threads = 0;  // at least as many as cores
  Bytes memory;
  Bytes disk;
  int32_t numa_nodes = 0;  // that cores and memory are spread over; 0: not known
  int64_t gpus = 0;
  HostPower power;
  Labels labels;
};

struct FleetPlan {
  Topology topology;
  std::vector<Host> hosts;  // in the order in which --limit-hosts counts them
  int64_t oversubscription = 1;
};

struct GenerateOptions {
  int64_t hosts = 0;
  int64_t host_vcpus = 0;
  int64_t host_memory_mib = 0;
  int64_t hosts_per_rack = 24;
  int64_t sites = 1;
  int64_t host_numa_nodes = 0;
  int64_t host_gpus = 0;
  int64_t oversubscription = 1;
};

template <class Uid>
Uid numbered(uint64_t number) {
  std::array<uint8_t, 16> bytes{};
  for (size_t i = 0; i < 8; ++i) bytes[15 - i] = static_cast<uint8_t>(number >> (8 * i));
  return Uid(Uuid(bytes));
}

// A host of the plan's at its place in it, counted from 0.
Host planned_host(size_t place, std::string id, const RackUid& rack, const HostShape& shape);

// Racks "dc1/a/r01", … take turns among the sites, so that the first hosts of the plan are spread
// over all of them.
absl::StatusOr<FleetPlan> generate_fleet(const GenerateOptions& options);

// vCPUs of hardware threads alone: however many of them a core has.
CpuLimits limits_of(const FleetPlan& plan);

// Takes all but the first so many hosts away.
absl::Status limit_hosts(FleetPlan& plan, int64_t most);

// What one rack's first host is, for more of its kind; refused where there is no such rack or no
// host in it.
absl::StatusOr<Host> first_host_of(const FleetPlan& plan, const std::string& rack);

}  // namespace stellwerk::placement::simulate
