#include "placement/capacity.h"

#include <algorithm>

#include "placement/processors.h"

namespace stellwerk::placement {
namespace {

int64_t used(const HostLoad& host, CpuClass cpu_class) {
  const auto found = host.vcpus_used.find(cpu_class);
  return found == host.vcpus_used.end() ? 0 : found->second.count();
}

int64_t divide_up(int64_t value, int64_t by) {
  return (value + by - 1) / by;
}

template <class Amount>
Amount at_least_zero(Amount amount) {
  return std::max(amount, Amount());
}

// A host's processors, in hardware threads.
struct CpuUse {
  int64_t cores;
  int64_t threads;
  int64_t threads_per_core;
  int64_t shared;           // vCPUs of class V and of foreign guests
  int64_t low_performance;  // vCPUs of class L
  int64_t dedicated;        // threads that T and C took away, pinned or not
};

CpuUse cpu_use(const HostLoad& host) {
  CpuUse use{};
  use.cores = host.facts.cores;
  use.threads = host.facts.threads;
  use.threads_per_core = divide_up(use.threads, use.cores);
  use.shared = used(host, CpuClass::kShared) + host.foreign.vcpus.count();
  use.low_performance = used(host, CpuClass::kLowPerformance);
  const bool known = knows_topology(host.facts);
  const auto by_number = [&](CpuClass cpu_class) {
    return known ? unpinned_vcpus(host, cpu_class).count() : used(host, cpu_class);
  };
  use.dedicated = by_number(CpuClass::kDedicatedThread) +
                  by_number(CpuClass::kDedicatedCore) * use.threads_per_core;
  // Most hosts have none, and this is asked of every host for every placement.
  if (known && !host.dedicated.empty()) {
    use.dedicated += static_cast<int64_t>(dedicated_cpus(host).size());
  }
  return use;
}

// The fewest whole threads on which today's shared guests keep every limit.
int64_t threads_for_shared(const CpuUse& use, const CpuLimits& limits) {
  const int64_t per_thread = limits.shared_per_thread;
  const int64_t low = limits.low_performance_per_thread;
  const int64_t by_thread =
      divide_up(use.shared * low + use.low_performance * per_thread, per_thread * low);
  const int64_t by_core = divide_up(use.shared * use.threads, limits.shared_per_core * use.cores);
  return std::max(by_thread, by_core);
}

int64_t most_shared(const CpuUse& use, const CpuLimits& limits) {
  const int64_t threads = use.threads - use.dedicated;
  const int64_t per_thread = limits.shared_per_thread;
  const int64_t low = limits.low_performance_per_thread;
  const int64_t by_thread = (threads * per_thread * low - use.low_performance * per_thread) / low;
  const int64_t by_core = limits.shared_per_core * threads * use.cores / use.threads;
  return std::min(by_thread, by_core);
}

int64_t most_low_performance(const CpuUse& use, const CpuLimits& limits) {
  // Guests of others came and took what V was promised: nothing may make it worse.
  if (use.shared > most_shared(use, limits)) return 0;
  const int64_t threads = use.threads - use.dedicated;
  const int64_t per_thread = limits.shared_per_thread;
  const int64_t low = limits.low_performance_per_thread;
  return (threads * per_thread * low - use.shared * low) / per_thread;
}

int speed(DiskType type) {
  switch (type) {
    case DiskType::kUnspecified:
      return 0;
    case DiskType::kNetwork:
      return 0;
    case DiskType::kHardDisk:
      return 1;
    case DiskType::kSsd:
      return 2;
    case DiskType::kNvme:
      return 3;
  }
  return 0;
}

}  // namespace

Bytes free_memory(const HostLoad& host) {
  return at_least_zero(host.facts.memory - host.reserve.memory - host.foreign.memory -
                       host.memory_used);
}

Bytes free_disk(const HostLoad& host) {
  return at_least_zero(host.facts.disk - host.reserve.disk - host.images - host.disk_used);
}

VcpuCount free_vcpus(const HostLoad& host, CpuClass cpu_class, const CpuLimits& limits) {
  if (host.facts.cores <= 0 || host.facts.threads < host.facts.cores) return VcpuCount();
  if (is_dedicated(cpu_class) && !knows_topology(host.facts)) return VcpuCount();
  const CpuUse use = cpu_use(host);
  const int64_t kept = std::max(threads_for_shared(use, limits), limits.shared_threads_min);
  const int64_t unshared = use.threads - use.dedicated - kept;
  switch (cpu_class) {
    case CpuClass::kLowPerformance:
      return at_least_zero(VcpuCount(most_low_performance(use, limits) - use.low_performance));
    case CpuClass::kShared:
      return at_least_zero(VcpuCount(most_shared(use, limits) - use.shared));
    case CpuClass::kDedicatedThread:
      return at_least_zero(VcpuCount(std::min(unshared, unclaimed_threads(host))));
    case CpuClass::kDedicatedCore:
      return at_least_zero(
          VcpuCount(std::min(unshared / std::max<int64_t>(threads_of_largest_core(host.facts), 1),
                             free_whole_cores(host))));
  }
  return VcpuCount();
}

bool offers(DiskType offered, DiskType asked) {
  if (asked == DiskType::kUnspecified) return true;
  if (asked == DiskType::kNetwork) return false;
  return speed(offered) >= speed(asked);
}

}  // namespace stellwerk::placement
