#include "placement/capacity.h"

#include <algorithm>

#include "placement/processors.h"

namespace stellwerk::placement {
namespace {

int64_t divide_up(int64_t value, int64_t by) {
  return (value + by - 1) / by;
}

constexpr size_t kLow = index_of(CpuClass::kLowPerformance);
constexpr size_t kShared = index_of(CpuClass::kShared);
constexpr size_t kThread = index_of(CpuClass::kDedicatedThread);
constexpr size_t kCore = index_of(CpuClass::kDedicatedCore);

// The processors of a host, or of one of its NUMA nodes, in hardware threads.
struct CpuUse {
  int64_t cores = 0;
  int64_t threads = 0;
  int64_t shared = 0;           // vCPUs of class V and of foreign guests
  int64_t low_performance = 0;  // vCPUs of class L
  int64_t dedicated = 0;        // threads that T and C took away, pinned, counted or kept
  // For those who would pin:
  bool can_pin = false;
  int64_t unclaimed = 0;    // threads that no claim names and no failure needs
  int64_t whole_cores = 0;  // of the largest size, likewise
  int64_t threads_of_largest = 1;
};

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

using Vcpus = std::array<int64_t, kCpuClasses>;

Vcpus most_vcpus(const CpuUse& use, const CpuLimits& limits, int64_t kept_for_shared) {
  Vcpus most{};
  if (use.cores <= 0 || use.threads < use.cores) return most;
  most[kLow] = most_low_performance(use, limits) - use.low_performance;
  most[kShared] = most_shared(use, limits) - use.shared;
  if (use.can_pin) {
    const int64_t kept = std::max(threads_for_shared(use, limits), kept_for_shared);
    const int64_t unshared = use.threads - use.dedicated - kept;
    most[kThread] = std::min(unshared, use.unclaimed);
    most[kCore] = std::min(unshared / use.threads_of_largest, use.whole_cores);
  }
  for (int64_t& count : most) count = std::max<int64_t>(count, 0);
  return most;
}

// Takes out of what may be pinned what failures need: `cores` whole ones and `threads` single
// threads, which break whole cores only when the others do not suffice.
void keep_back(CpuUse& use, int64_t threads, int64_t cores) {
  const int64_t largest = use.threads_of_largest;
  const int64_t loose = use.unclaimed - use.whole_cores * largest;
  use.unclaimed -= threads + cores * largest;
  use.whole_cores -= cores + divide_up(std::max<int64_t>(threads - loose, 0), largest);
}

const NodeAmounts& node_at(const Amounts& amounts, size_t node) {
  static constexpr NodeAmounts kNone;
  return node < amounts.nodes.size() ? amounts.nodes[node] : kNone;
}

CpuUse use_of_node(const HostLoad& host, size_t node, const Amounts& kept) {
  const NodeAmounts& bound = node_at(host.used, node);
  const NodeAmounts& bound_kept = node_at(kept, node);
  const PinRoom pins = pin_room(host, node);
  CpuUse use;
  use.cores = pins.cores;
  use.threads = pins.cores == 0 ? 0 : pins.threads + pins.claimed_threads;
  use.shared = bound.vcpus[kShared] + bound_kept.vcpus[kShared];
  use.low_performance = bound.vcpus[kLow] + bound_kept.vcpus[kLow];
  use.dedicated = pins.claimed_threads;
  use.can_pin = true;
  use.unclaimed = pins.threads;
  use.whole_cores = pins.whole_cores;
  use.threads_of_largest = std::max<int64_t>(pins.threads_of_largest, 1);
  const int64_t threads = bound_kept.vcpus[kThread];
  const int64_t cores = bound_kept.vcpus[kCore];
  use.dedicated += threads + cores * use.threads_of_largest;
  keep_back(use, threads, cores);
  return use;
}

// What may be pinned anywhere on the host. Guests that are bound to nodes need whole threads of
// each, so there may be less than the host's sums say.
void find_pins(const HostLoad& host, const Amounts& kept, const CpuLimits& limits, CpuUse& use) {
  use.can_pin = host.offer.layout != nullptr;
  const PinRoom pins = pin_room(host);
  use.threads_of_largest = std::max<int64_t>(pins.threads_of_largest, 1);
  use.dedicated += pins.claimed_threads;
  int64_t threads = kept.vcpus[kThread];
  int64_t cores = kept.vcpus[kCore];
  use.dedicated += threads + cores * use.threads_of_largest;
  if (host.used.nodes.empty() && kept.nodes.empty()) {
    use.unclaimed = pins.threads;
    use.whole_cores = pins.whole_cores;
    return keep_back(use, threads, cores);
  }
  for (size_t n = 0; n < host.nodes().size(); ++n) {
    const CpuUse node = use_of_node(host, n, kept);
    const int64_t needed = node.cores > 0 ? threads_for_shared(node, limits) : 0;
    const int64_t unshared = std::max<int64_t>(node.threads - node.dedicated - needed, 0);
    use.unclaimed += std::clamp<int64_t>(node.unclaimed, 0, unshared);
    use.whole_cores += std::clamp<int64_t>(node.whole_cores, 0, unshared / use.threads_of_largest);
    threads -= node_at(kept, n).vcpus[kThread];
    cores -= node_at(kept, n).vcpus[kCore];
  }
  keep_back(use, std::max<int64_t>(threads, 0), std::max<int64_t>(cores, 0));
}

CpuUse use_of_host(const HostLoad& host, const Amounts& kept, const CpuLimits& limits) {
  CpuUse use;
  use.cores = host.offer.cores;
  use.threads = host.offer.threads;
  if (use.cores <= 0) return use;
  use.shared = host.used.vcpus[kShared] + host.foreign.vcpus.count() + kept.vcpus[kShared];
  use.low_performance = host.used.vcpus[kLow] + kept.vcpus[kLow];
  const int64_t per_core = divide_up(use.threads, use.cores);
  const int64_t unpinned_threads = host.used.vcpus[kThread] - host.pinned[kThread];
  const int64_t unpinned_cores = host.used.vcpus[kCore] - host.pinned[kCore];
  use.dedicated = unpinned_threads + unpinned_cores * per_core;
  find_pins(host, kept, limits, use);
  return use;
}

int64_t pages_of(const NumaNode& node, PageSize size) {
  return size == PageSize::k2MiB ? node.pages_2mib : node.pages_1gib;
}

Bytes huge_pages(const NumaNode& node) {
  return bytes_of(PageSize::k2MiB) * node.pages_2mib + bytes_of(PageSize::k1GiB) * node.pages_1gib;
}

// In normal pages.
Bytes memory_of(const HostLoad& host) {
  Bytes memory = host.offer.memory - host.reserve.memory - host.foreign.memory;
  for (const NumaNode& node : host.nodes()) memory -= huge_pages(node);
  return memory;
}

int64_t at_or_zero(const std::vector<int64_t>& counts, size_t i) {
  return i < counts.size() ? counts[i] : 0;
}

template <class... Taken>
int64_t left_of(int64_t offered, Taken... taken) {
  return std::max<int64_t>((offered - ... - taken), 0);
}

void compute_nodes(const HostLoad& host, const Amounts& kept, const CpuLimits& limits, Room& room) {
  const std::vector<NumaNode>& nodes = host.nodes();
  room.nodes.resize(nodes.size());
  room.pages = {};
  for (size_t n = 0; n < nodes.size(); ++n) {
    const NodeAmounts& used = node_at(host.used, n);
    const NodeAmounts& kept_here = node_at(kept, n);
    NodeRoom& node = room.nodes[n];
    node.vcpus = most_vcpus(use_of_node(host, n, kept), limits, 0);
    node.memory =
        left_of((nodes[n].memory - huge_pages(nodes[n])).count(), used.memory, kept_here.memory);
    for (const PageSize size : {PageSize::k2MiB, PageSize::k1GiB}) {
      const size_t i = index_of(size);
      node.pages[i] = left_of(pages_of(nodes[n], size), used.pages[i], kept_here.pages[i]);
      room.pages[i] += pages_of(nodes[n], size);
    }
  }
  for (size_t i = 0; i < kHugePageSizes; ++i) {
    room.pages[i] = left_of(room.pages[i], host.used.pages[i], kept.pages[i]);
  }
}

void compute_beside(const HostLoad& host, const Amounts& kept, const CpuLimits& limits,
                    Room& room) {
  room.vcpus = most_vcpus(use_of_host(host, kept, limits), limits, limits.shared_threads_min);
  room.memory = left_of(memory_of(host).count(), host.used.memory, kept.memory);
  const Bytes disk = host.offer.disk - host.reserve.disk - host.images;
  room.disk = left_of(disk.count(), host.used.disk, kept.disk);
  room.bandwidth = left_of(host.offer.bandwidth.count(), host.used.bandwidth, kept.bandwidth);
  room.devices.resize(host.offer.devices.size());
  for (size_t i = 0; i < room.devices.size(); ++i) {
    room.devices[i] = left_of(host.offer.devices[i], at_or_zero(host.used.devices, i),
                              at_or_zero(kept.devices, i));
  }
  compute_nodes(host, kept, limits, room);
}

bool nodes_overcommitted(const HostLoad& host, const Amounts& kept) {
  const std::vector<NumaNode>& nodes = host.nodes();
  std::array<int64_t, kHugePageSizes> pages{};
  for (size_t n = 0; n < std::max(host.used.nodes.size(), kept.nodes.size()); ++n) {
    const NodeAmounts& used = node_at(host.used, n);
    const NodeAmounts& kept_here = node_at(kept, n);
    const int64_t memory = used.memory + kept_here.memory;
    if (n >= nodes.size()) {
      if (memory > 0) return true;
      continue;
    }
    if (memory > (nodes[n].memory - huge_pages(nodes[n])).count()) return true;
    for (const PageSize size : {PageSize::k2MiB, PageSize::k1GiB}) {
      const size_t i = index_of(size);
      if (used.pages[i] + kept_here.pages[i] > pages_of(nodes[n], size)) return true;
    }
  }
  for (const NumaNode& node : nodes) {
    for (const PageSize size : {PageSize::k2MiB, PageSize::k1GiB}) {
      pages[index_of(size)] += pages_of(node, size);
    }
  }
  for (size_t i = 0; i < kHugePageSizes; ++i) {
    if (host.used.pages[i] + kept.pages[i] > pages[i]) return true;
  }
  return false;
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

void compute_room(const HostLoad& host, const CpuLimits& limits, Room& room) {
  compute_beside(host, host.backups.largest, limits, room);
}

void compute_all(HostLoad& host, const CpuLimits& limits) {
  const HostOffer& offer = host.offer;
  host.all_vcpus[kLow] = offer.threads * limits.low_performance_per_thread;
  host.all_vcpus[kShared] =
      std::min(offer.threads * limits.shared_per_thread, offer.cores * limits.shared_per_core);
  host.all_vcpus[kThread] = offer.layout ? offer.threads : 0;
  host.all_vcpus[kCore] = offer.layout ? offer.cores : 0;
  host.all_memory = left_of(memory_of(host).count());
}

Room room_without_backups(const HostLoad& host, const CpuLimits& limits) {
  Room room;
  compute_beside(host, Amounts(), limits, room);
  return room;
}

bool has_room(const Room& room, const Amounts& amounts) {
  for (size_t i = 0; i < kCpuClasses; ++i) {
    if (amounts.vcpus[i] > room.vcpus[i]) return false;
  }
  for (size_t i = 0; i < kHugePageSizes; ++i) {
    if (amounts.pages[i] > room.pages[i]) return false;
  }
  if (amounts.memory > room.memory || amounts.disk > room.disk ||
      amounts.bandwidth > room.bandwidth) {
    return false;
  }
  for (size_t i = 0; i < amounts.devices.size(); ++i) {
    if (amounts.devices[i] > at_or_zero(room.devices, i)) return false;
  }
  for (size_t n = 0; n < amounts.nodes.size(); ++n) {
    static constexpr NodeRoom kNone;
    const NodeRoom& node = n < room.nodes.size() ? room.nodes[n] : kNone;
    if (!has_room(node, amounts.nodes[n])) return false;
  }
  return true;
}

bool has_room(const NodeRoom& room, const NodeAmounts& amounts) {
  for (size_t i = 0; i < kCpuClasses; ++i) {
    if (amounts.vcpus[i] > room.vcpus[i]) return false;
  }
  for (size_t i = 0; i < kHugePageSizes; ++i) {
    if (amounts.pages[i] > room.pages[i]) return false;
  }
  return amounts.memory <= room.memory;
}

bool keeps_pins(const HostLoad& host, const CpuLimits& limits) {
  const Amounts& kept = host.backups.largest;
  if (kept.vcpus[kThread] + kept.vcpus[kCore] == 0) return true;
  const CpuUse cpus = use_of_host(host, kept, limits);
  if (!cpus.can_pin || cpus.unclaimed < 0 || cpus.whole_cores < 0) return false;
  if (cpus.threads - cpus.dedicated < limits.shared_threads_min) return false;
  for (size_t n = 0; n < kept.nodes.size(); ++n) {
    const NodeAmounts& bound = kept.nodes[n];
    if (bound.vcpus[kThread] + bound.vcpus[kCore] == 0) continue;
    if (n >= host.nodes().size()) return false;
    const CpuUse node = use_of_node(host, n, kept);
    const int64_t left = node.threads - node.dedicated;
    if (left < 0 || left < threads_for_shared(node, limits) || node.whole_cores < 0) return false;
  }
  return true;
}

bool is_overcommitted(const HostLoad& host, const CpuLimits& limits) {
  const Amounts& kept = host.backups.largest;
  const CpuUse cpus = use_of_host(host, kept, limits);
  const bool any_vcpus = cpus.shared + cpus.low_performance + cpus.dedicated > 0;
  if (any_vcpus && (cpus.cores <= 0 || cpus.threads < cpus.cores)) return true;
  if (any_vcpus && (cpus.dedicated > cpus.threads || cpus.shared > most_shared(cpus, limits) ||
                    cpus.low_performance > most_low_performance(cpus, limits))) {
    return true;
  }
  if (!keeps_pins(host, limits)) return true;
  const Bytes disk = host.offer.disk - host.reserve.disk - host.images;
  if (host.used.memory + kept.memory > std::max<int64_t>(memory_of(host).count(), 0) ||
      host.used.disk + kept.disk > std::max<int64_t>(disk.count(), 0) ||
      host.used.bandwidth + kept.bandwidth > host.offer.bandwidth.count()) {
    return true;
  }
  for (size_t i = 0; i < std::max(host.used.devices.size(), kept.devices.size()); ++i) {
    const int64_t taken = at_or_zero(host.used.devices, i) + at_or_zero(kept.devices, i);
    if (taken > at_or_zero(host.offer.devices, i)) return true;
  }
  return nodes_overcommitted(host, kept);
}

Bytes free_memory(const HostLoad& host) {
  return Bytes(left_of(memory_of(host).count(), host.used.memory, host.backups.largest.memory));
}

Bytes free_disk(const HostLoad& host) {
  const Bytes disk = host.offer.disk - host.reserve.disk - host.images;
  return Bytes(left_of(disk.count(), host.used.disk, host.backups.largest.disk));
}

VcpuCount free_vcpus(const HostLoad& host, CpuClass cpu_class, const CpuLimits& limits) {
  const CpuUse use = use_of_host(host, host.backups.largest, limits);
  return VcpuCount(most_vcpus(use, limits, limits.shared_threads_min)[index_of(cpu_class)]);
}

bool offers(DiskType offered, DiskType asked) {
  if (asked == DiskType::kUnspecified) return true;
  if (asked == DiskType::kNetwork) return false;
  return speed(offered) >= speed(asked);
}

}  // namespace stellwerk::placement
