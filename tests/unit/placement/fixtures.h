// Hosts, requests and generators that the placement tests share.
#pragma once

#include <rapidcheck.h>

#include <string>
#include <utility>
#include <vector>

#include "placement/capacity.h"
#include "placement/engine.h"

namespace stellwerk::placement {

inline HostUid host_uid(uint8_t number) {
  std::array<uint8_t, 16> bytes{};
  bytes.back() = number;
  return HostUid(Uuid(bytes));
}

// Cores in nodes of as many cores as given, after each other. The first threads of all cores come
// first, then the second ones of those cores that have two.
inline std::vector<NumaNode> topology(int64_t cores, int64_t threads, int64_t cores_per_node) {
  std::vector<NumaNode> nodes;
  for (int64_t core = 0; core < cores; ++core) {
    if (core % cores_per_node == 0) {
      nodes.push_back({.id = static_cast<int32_t>(nodes.size()), .memory = gibibytes(8)});
    }
    HostCore one{{static_cast<int32_t>(core)}};
    if (core < threads - cores) one.threads.push_back(static_cast<int32_t>(cores + core));
    nodes.back().cores.push_back(std::move(one));
  }
  return nodes;
}

// 4 cores with 2 threads each, 16 GiB, 100 GB of SSD, nothing reserved, nothing used.
inline HostLoad plain_host(uint8_t number) {
  HostLoad host;
  host.uid = host_uid(number);
  host.id = "host-" + std::to_string(number);
  host.facts.cores = 4;
  host.facts.threads = 8;
  host.facts.numa = topology(4, 8, 4);
  host.facts.memory = gibibytes(16);
  host.facts.disk = gigabytes(100);
  host.facts.disk_type = DiskType::kSsd;
  host.accepting = true;
  return host;
}

// 2 shared vCPUs, 4 GiB, 20 GB.
inline Request plain_request() {
  Request request;
  request.cpu_class = CpuClass::kShared;
  request.vcpus = VcpuCount(2);
  request.memory = gibibytes(4);
  request.disk = gigabytes(20);
  return request;
}

inline Fleet fleet_of(std::vector<HostLoad> hosts) {
  Fleet fleet;
  fleet.hosts = std::move(hosts);
  return fleet;
}

inline Claim claim_on(const HostLoad& host, const Request& request) {
  return {.host = host.uid,
          .cpu_class = request.cpu_class,
          .vcpus = request.vcpus,
          .memory = request.memory,
          .disk = request.disk};
}

inline CpuClass any_cpu_class() {
  return *rc::gen::element(CpuClass::kLowPerformance, CpuClass::kShared, CpuClass::kDedicatedThread,
                           CpuClass::kDedicatedCore);
}

inline Request any_request() {
  Request request;
  request.cpu_class = any_cpu_class();
  request.vcpus = VcpuCount(*rc::gen::inRange(1, 12));
  request.memory = mebibytes(*rc::gen::inRange(64, 8192));
  request.disk = gigabytes(*rc::gen::inRange(0, 60));
  request.disk_type = static_cast<DiskType>(*rc::gen::inRange(0, 5));
  return request;
}

inline CpuLimits any_limits() {
  return {.shared_per_core = *rc::gen::inRange(1, 6),
          .shared_per_thread = *rc::gen::inRange(1, 4),
          .low_performance_per_thread = *rc::gen::inRange(1, 20),
          .shared_threads_min = *rc::gen::inRange(1, 3)};
}

// Also odd hosts: as many threads as cores, more threads on some cores than on others, several
// nodes, a topology that nobody knows.
inline HostLoad any_host(uint8_t number) {
  HostLoad host = plain_host(number);
  host.facts.cores = *rc::gen::inRange(1, 9);
  host.facts.threads = host.facts.cores + *rc::gen::inRange<int64_t>(0, host.facts.cores + 1);
  host.facts.numa = topology(host.facts.cores, host.facts.threads, *rc::gen::inRange(1, 9));
  if (*rc::gen::inRange(0, 8) == 0) host.facts.numa.clear();
  host.facts.memory = gibibytes(*rc::gen::inRange(1, 33));
  host.facts.disk = gigabytes(*rc::gen::inRange(0, 200));
  host.facts.disk_type = *rc::gen::element(DiskType::kUnspecified, DiskType::kHardDisk,
                                           DiskType::kSsd, DiskType::kNvme);
  host.reserve.memory = mebibytes(*rc::gen::inRange(0, 2048));
  host.reserve.disk = gigabytes(*rc::gen::inRange(0, 10));
  host.foreign.vcpus = VcpuCount(*rc::gen::inRange(0, 5));
  host.foreign.memory = mebibytes(*rc::gen::inRange(0, 2048));
  host.accepting = *rc::gen::weightedElement<bool>({{9, true}, {1, false}});
  return host;
}

inline Fleet any_fleet() {
  Fleet fleet;
  fleet.cpu_limits = any_limits();
  const int count = *rc::gen::inRange(1, 5);
  for (int i = 1; i <= count; ++i) fleet.hosts.push_back(any_host(static_cast<uint8_t>(i)));
  return fleet;
}

}  // namespace stellwerk::placement
