#include "placement/processors.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace stellwerk::placement {
namespace {

// A core with its free threads, never none. Whole: all of them, and as many as the largest core
// has; smaller cores serve class T as well as those that are broken up.
struct FreeCore {
  std::vector<int32_t> threads;
  bool whole = false;
};

// What one vCPU takes is a unit: a thread, or a whole core.
struct FreeNode {
  int32_t id = 0;
  std::vector<FreeCore> cores;  // in the order in which they are taken
  int64_t room = 0;             // units
};

size_t largest_core(const std::vector<NumaNode>& nodes) {
  size_t largest = 0;
  for (const NumaNode& node : nodes) {
    for (const HostCore& core : node.cores) largest = std::max(largest, core.threads.size());
  }
  return largest;
}

FreeCore free_part(const HostCore& core, const HostLoad& host, size_t largest) {
  FreeCore free;
  for (const int32_t thread : core.threads) {
    if (!host.dedicated.contains(thread)) free.threads.push_back(thread);
  }
  free.whole = free.threads.size() == largest;
  return free;
}

bool taken_before(const FreeCore& a, const FreeCore& b) {
  if (a.whole != b.whole) return b.whole;
  const size_t of_a = a.whole ? 0 : a.threads.size();
  const size_t of_b = b.whole ? 0 : b.threads.size();
  return std::tuple(of_a, a.threads.front()) < std::tuple(of_b, b.threads.front());
}

// At most what the node has room for beside guests that are bound to it and what is kept there.
FreeNode free_node(const HostLoad& host, size_t index, CpuClass cpu_class) {
  const NumaNode& node = host.nodes()[index];
  const bool whole_cores = cpu_class == CpuClass::kDedicatedCore;
  const auto largest = static_cast<size_t>(host.offer.layout->unclaimed.threads_of_largest);
  FreeNode free{.id = node.id, .cores = {}};
  for (const HostCore& core : node.cores) {
    FreeCore part = free_part(core, host, largest);
    if (part.threads.empty()) continue;
    if (whole_cores && !part.whole) continue;
    free.room += whole_cores ? 1 : static_cast<int64_t>(part.threads.size());
    free.cores.push_back(std::move(part));
  }
  std::sort(free.cores.begin(), free.cores.end(), taken_before);
  free.room = std::min(free.room, host.room.nodes[index].vcpus[index_of(cpu_class)]);
  return free;
}

// How many whole cores lose a thread if so many threads are taken.
int64_t broken_by(const FreeNode& node, int64_t threads) {
  int64_t broken = 0;
  for (const FreeCore& core : node.cores) {
    if (threads <= 0) break;
    if (core.whole) ++broken;
    threads -= static_cast<int64_t>(core.threads.size());
  }
  return broken;
}

void take(const FreeNode& node, CpuClass cpu_class, int64_t units, CpuChoice& choice) {
  choice.numa_nodes.push_back(node.id);
  for (const FreeCore& core : node.cores) {
    if (units == 0) return;
    if (cpu_class == CpuClass::kDedicatedCore) {
      choice.cpus.insert(choice.cpus.end(), core.threads.begin(), core.threads.end());
      --units;
      continue;
    }
    const auto count = std::min(units, static_cast<int64_t>(core.threads.size()));
    choice.cpus.insert(choice.cpus.end(), core.threads.begin(), core.threads.begin() + count);
    units -= count;
  }
}

using Nodes = std::vector<FreeNode>;

Nodes::iterator tightest(Nodes& nodes, CpuClass cpu_class, int64_t units) {
  const auto score = [&](const FreeNode& node) {
    const int64_t broken = cpu_class == CpuClass::kDedicatedThread ? broken_by(node, units) : 0;
    return std::tuple(node.room < units, broken, node.room - units, node.id);
  };
  const auto best =
      std::min_element(nodes.begin(), nodes.end(),
                       [&](const FreeNode& a, const FreeNode& b) { return score(a) < score(b); });
  return best == nodes.end() || best->room < units ? nodes.end() : best;
}

Nodes::iterator roomiest(Nodes& nodes) {
  return std::min_element(nodes.begin(), nodes.end(), [](const FreeNode& a, const FreeNode& b) {
    return std::tuple(-a.room, a.id) < std::tuple(-b.room, b.id);
  });
}

std::vector<int32_t> cpus_where(const HostLoad& host, bool dedicated) {
  std::vector<int32_t> cpus;
  for (const NumaNode& node : host.nodes()) {
    for (const HostCore& core : node.cores) {
      for (const int32_t thread : core.threads) {
        if (host.dedicated.contains(thread) == dedicated) cpus.push_back(thread);
      }
    }
  }
  std::sort(cpus.begin(), cpus.end());
  return cpus;
}

using Claimed = std::map<int32_t, int64_t>;

void count_core(const HostCore& core, const Claimed& claimed, int64_t largest, PinRoom& room) {
  int64_t taken = 0;
  for (const int32_t thread : core.threads) taken += claimed.contains(thread) ? 1 : 0;
  const auto size = static_cast<int64_t>(core.threads.size());
  ++room.cores;
  room.threads += size - taken;
  room.claimed_threads += taken;
  if (taken == 0 && size == largest) ++room.whole_cores;
}

PinRoom count(const NumaNode& node, const Claimed& claimed, int64_t largest) {
  PinRoom room{.threads_of_largest = largest};
  for (const HostCore& core : node.cores) count_core(core, claimed, largest, room);
  return room;
}

PinRoom sum(const PinRoom& a, const PinRoom& b) {
  return {.cores = a.cores + b.cores,
          .threads = a.threads + b.threads,
          .claimed_threads = a.claimed_threads + b.claimed_threads,
          .whole_cores = a.whole_cores + b.whole_cores,
          .threads_of_largest = std::max(a.threads_of_largest, b.threads_of_largest)};
}

Nodes free_nodes(const HostLoad& host, CpuClass cpu_class) {
  Nodes nodes;
  for (size_t node = 0; node < host.nodes().size(); ++node) {
    FreeNode free = free_node(host, node, cpu_class);
    if (free.room > 0) nodes.push_back(std::move(free));
  }
  return nodes;
}

std::optional<CpuChoice> choose_by_node(const HostLoad& host, CpuClass cpu_class, int64_t vcpus) {
  Nodes nodes = free_nodes(host, cpu_class);
  CpuChoice choice;
  int64_t left = vcpus;
  while (left > 0) {
    auto node = tightest(nodes, cpu_class, left);
    if (node == nodes.end()) node = roomiest(nodes);
    if (node == nodes.end()) return std::nullopt;
    const int64_t units = std::min(left, node->room);
    take(*node, cpu_class, units, choice);
    left -= units;
    nodes.erase(node);
  }
  std::sort(choice.numa_nodes.begin(), choice.numa_nodes.end());
  return choice;
}

// Threads of the node that no whole core loses if they are taken.
int64_t loose_room(const HostLoad& host, size_t node) {
  const auto& room = host.room.nodes[node].vcpus;
  return room[index_of(CpuClass::kDedicatedThread)] -
         room[index_of(CpuClass::kDedicatedCore)] * host.offer.layout->unclaimed.threads_of_largest;
}

// Single threads with as few whole cores broken as there can be, wherever they are.
std::optional<CpuChoice> choose_loose_threads(const HostLoad& host, int64_t vcpus) {
  std::vector<int64_t> shares(host.nodes().size());
  int64_t left = vcpus;
  const auto take_up_to = [&](size_t node, int64_t most) {
    const int64_t more = std::clamp<int64_t>(most - shares[node], 0, left);
    shares[node] += more;
    left -= more;
  };
  Nodes nodes;
  for (size_t i = 0; i < shares.size(); ++i) {
    nodes.push_back(free_node(host, i, CpuClass::kDedicatedThread));
    take_up_to(i, std::min(loose_room(host, i), nodes[i].room));
  }
  for (size_t i = 0; i < shares.size(); ++i) take_up_to(i, nodes[i].room);
  if (left > 0) return std::nullopt;
  CpuChoice choice;
  for (size_t i = 0; i < shares.size(); ++i) {
    if (shares[i] > 0) take(nodes[i], CpuClass::kDedicatedThread, shares[i], choice);
  }
  std::sort(choice.numa_nodes.begin(), choice.numa_nodes.end());
  return choice;
}

int64_t cores_for(int64_t threads, int64_t largest) {
  return (std::max<int64_t>(threads, 0) + largest - 1) / largest;
}

// What the node has left of threads and whole cores, beside what is bound to it, when the choice
// has been taken.
PinRoom left_on_node(const HostLoad& host, size_t index, const Claimed& claimed) {
  const int64_t largest = host.offer.layout->unclaimed.threads_of_largest;
  const NodeRoom& room = host.room.nodes[index];
  const PinRoom before = pin_room(host, index);
  PinRoom left = count(host.nodes()[index], claimed, largest);
  const int64_t loose = left.threads - left.whole_cores * largest;
  if (index < host.backups.largest.nodes.size()) {
    const auto& bound = host.backups.largest.nodes[index].vcpus;
    left.whole_cores -= bound[index_of(CpuClass::kDedicatedCore)];
    left.whole_cores -= cores_for(bound[index_of(CpuClass::kDedicatedThread)] - loose, largest);
  }
  left.threads += room.vcpus[index_of(CpuClass::kDedicatedThread)] - before.threads;
  left.whole_cores =
      std::clamp<int64_t>(left.whole_cores, 0, std::max<int64_t>(left.threads, 0) / largest);
  return left;
}

// Whether what is kept for failures can still be pinned beside these.
bool leaves_what_is_kept(const HostLoad& host, const CpuChoice& choice) {
  const Amounts& kept = host.backups.largest;
  int64_t kept_threads = kept.vcpus[index_of(CpuClass::kDedicatedThread)];
  int64_t kept_cores = kept.vcpus[index_of(CpuClass::kDedicatedCore)];
  if (kept_threads == 0 && kept_cores == 0) return true;
  for (const NodeAmounts& bound : kept.nodes) {
    kept_threads -= bound.vcpus[index_of(CpuClass::kDedicatedThread)];
    kept_cores -= bound.vcpus[index_of(CpuClass::kDedicatedCore)];
  }
  Claimed claimed = host.dedicated;
  for (const int32_t cpu : choice.cpus) ++claimed[cpu];
  const int64_t largest = host.offer.layout->unclaimed.threads_of_largest;
  PinRoom left;
  for (size_t i = 0; i < host.nodes().size(); ++i) left = sum(left, left_on_node(host, i, claimed));
  const int64_t loose = left.threads - left.whole_cores * largest;
  return left.whole_cores >=
         std::max<int64_t>(kept_cores, 0) + cores_for(kept_threads - loose, largest);
}

}  // namespace

bool is_dedicated(CpuClass cpu_class) {
  return cpu_class == CpuClass::kDedicatedThread || cpu_class == CpuClass::kDedicatedCore;
}

CpuLayout layout_of(std::vector<NumaNode> nodes) {
  CpuLayout layout{.nodes = std::move(nodes)};
  const auto largest = static_cast<int64_t>(largest_core(layout.nodes));
  for (const NumaNode& node : layout.nodes) {
    layout.unclaimed_of_node.push_back(count(node, {}, largest));
    layout.unclaimed = sum(layout.unclaimed, layout.unclaimed_of_node.back());
  }
  return layout;
}

// Most hosts have no dedicated guest, and this is asked at every change.
PinRoom pin_room(const HostLoad& host) {
  if (!host.offer.layout) return {};
  if (host.dedicated.empty()) return host.offer.layout->unclaimed;
  PinRoom room;
  for (size_t node = 0; node < host.nodes().size(); ++node) {
    room = sum(room, pin_room(host, node));
  }
  return room;
}

PinRoom pin_room(const HostLoad& host, size_t node) {
  const CpuLayout& layout = *host.offer.layout;
  if (host.dedicated.empty()) return layout.unclaimed_of_node[node];
  return count(layout.nodes[node], host.dedicated, layout.unclaimed.threads_of_largest);
}

std::vector<int32_t> dedicated_cpus(const HostLoad& host) {
  return cpus_where(host, true);
}

std::vector<int32_t> shared_cpus(const HostLoad& host) {
  return cpus_where(host, false);
}

VcpuCount unpinned_vcpus(const HostLoad& host, CpuClass cpu_class) {
  const size_t i = index_of(cpu_class);
  return VcpuCount(host.used.vcpus[i] - host.pinned[i]);
}

std::optional<CpuChoice> choose_cpus(const HostLoad& host, CpuClass cpu_class, VcpuCount vcpus) {
  std::optional<CpuChoice> choice = choose_by_node(host, cpu_class, vcpus.count());
  if (!choice || cpu_class != CpuClass::kDedicatedThread) return choice;
  if (leaves_what_is_kept(host, *choice)) return choice;
  return choose_loose_threads(host, vcpus.count());
}

std::optional<CpuChoice> choose_cpus_on(const HostLoad& host, CpuClass cpu_class, VcpuCount vcpus,
                                        const std::vector<uint32_t>& nodes) {
  CpuChoice choice;
  const int64_t each = vcpus.count() / static_cast<int64_t>(nodes.size());
  for (const uint32_t node : nodes) {
    const FreeNode free = free_node(host, node, cpu_class);
    if (free.room < each) return std::nullopt;
    take(free, cpu_class, each, choice);
  }
  std::sort(choice.numa_nodes.begin(), choice.numa_nodes.end());
  return choice;
}

}  // namespace stellwerk::placement
