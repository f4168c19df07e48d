#include "placement/processors.h"

#include <algorithm>
#include <tuple>

namespace stellwerk::placement {
namespace {

// A core with its free threads, never none.
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

size_t largest_core(const HostFacts& facts) {
  size_t largest = 0;
  for (const NumaNode& node : facts.numa) {
    for (const HostCore& core : node.cores) largest = std::max(largest, core.threads.size());
  }
  return largest;
}

FreeCore free_part(const HostCore& core, const HostLoad& host) {
  FreeCore free;
  for (const int32_t thread : core.threads) {
    if (!host.dedicated.contains(thread)) free.threads.push_back(thread);
  }
  free.whole = free.threads.size() == core.threads.size();
  return free;
}

bool taken_before(const FreeCore& a, const FreeCore& b) {
  if (a.whole != b.whole) return b.whole;
  const size_t of_a = a.whole ? 0 : a.threads.size();
  const size_t of_b = b.whole ? 0 : b.threads.size();
  return std::tuple(of_a, a.threads.front()) < std::tuple(of_b, b.threads.front());
}

FreeNode free_node(const NumaNode& node, const HostLoad& host, CpuClass cpu_class) {
  const bool whole_cores = cpu_class == CpuClass::kDedicatedCore;
  const size_t largest = largest_core(host.facts);
  FreeNode free{.id = node.id, .cores = {}};
  for (const HostCore& core : node.cores) {
    FreeCore part = free_part(core, host);
    if (part.threads.empty()) continue;
    if (whole_cores && (!part.whole || part.threads.size() != largest)) continue;
    free.room += whole_cores ? 1 : static_cast<int64_t>(part.threads.size());
    free.cores.push_back(std::move(part));
  }
  std::sort(free.cores.begin(), free.cores.end(), taken_before);
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
  for (const NumaNode& node : host.facts.numa) {
    for (const HostCore& core : node.cores) {
      for (const int32_t thread : core.threads) {
        if (host.dedicated.contains(thread) == dedicated) cpus.push_back(thread);
      }
    }
  }
  std::sort(cpus.begin(), cpus.end());
  return cpus;
}

}  // namespace

bool is_dedicated(CpuClass cpu_class) {
  return cpu_class == CpuClass::kDedicatedThread || cpu_class == CpuClass::kDedicatedCore;
}

bool knows_topology(const HostFacts& facts) {
  return !facts.numa.empty();
}

int64_t threads_of_largest_core(const HostFacts& facts) {
  return static_cast<int64_t>(largest_core(facts));
}

std::vector<int32_t> dedicated_cpus(const HostLoad& host) {
  return cpus_where(host, true);
}

std::vector<int32_t> shared_cpus(const HostLoad& host) {
  return cpus_where(host, false);
}

VcpuCount unpinned_vcpus(const HostLoad& host, CpuClass cpu_class) {
  const auto of = [cpu_class](const std::map<CpuClass, VcpuCount>& counts) {
    const auto found = counts.find(cpu_class);
    return found == counts.end() ? VcpuCount() : found->second;
  };
  return of(host.vcpus_used) - of(host.vcpus_pinned);
}

int64_t unclaimed_threads(const HostLoad& host) {
  return static_cast<int64_t>(shared_cpus(host).size());
}

int64_t free_whole_cores(const HostLoad& host) {
  int64_t count = 0;
  for (const NumaNode& node : host.facts.numa) {
    count += free_node(node, host, CpuClass::kDedicatedCore).room;
  }
  return count;
}

std::optional<CpuChoice> choose_cpus(const HostLoad& host, CpuClass cpu_class, VcpuCount vcpus) {
  Nodes nodes;
  for (const NumaNode& node : host.facts.numa) {
    FreeNode free = free_node(node, host, cpu_class);
    if (free.room > 0) nodes.push_back(std::move(free));
  }
  CpuChoice choice;
  int64_t left = vcpus.count();
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

}  // namespace stellwerk::placement
