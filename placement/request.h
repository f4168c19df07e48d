// What is asked of placement: one instance, or several that are placed together or not at all.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/model.h"
#include "core/status.h"

namespace stellwerk::placement {

struct Request {
  CpuClass cpu_class = CpuClass::kShared;
  VcpuCount vcpus;
  Bytes memory;  // in normal pages, with overhead: core's memory_with_overhead
  Bytes disk;    // of the host's own storage
  DiskType disk_type = DiskType::kUnspecified;
  // The guest sees 1, 2 or 4 NUMA nodes and gets as many of its host's, each with an equal part of
  // vCPUs, memory and pages. Zero: it does not care.
  int32_t numa_nodes = 0;
  PageSize page_size = PageSize::kNormal;
  int64_t pages = 0;            // of that size
  MegabitsPerSecond bandwidth;  // zero: not accounted
  std::vector<DeviceCount> devices;
  std::string pool;  // shared storage of which `pool_bytes` are taken; empty: none
  Bytes pool_bytes;

  Wishes wishes;
  GroupUid group;         // nil: none
  bool failover = false;  // counted in the failover guarantee, where it is on
  // How long it is expected to live, counted from now; none: not known.
  std::optional<Duration> lifetime;
  int64_t count = 1;
};

// Everything that no fleet could make right, all at once: sizes that are zero, negative or absurd,
// contradictions. Fields are named as members ("numa_nodes").
std::vector<FieldViolation> check_request(const Request& request);

inline constexpr int64_t kMostVcpus = 4096;
inline constexpr Bytes kMostMemory = gibibytes(64 * 1024);
inline constexpr Bytes kMostDisk = gibibytes(1024 * 1024);
inline constexpr int64_t kMostInstances = 1000;
inline constexpr int64_t kMostDevices = 64;

// What one instance of the request takes of its host, beside the host's nodes and its power.
Claim claim_of(const Request& request, const HostUid& host);

}  // namespace stellwerk::placement
