#include "drivers/hypervisor/libvirt/topology.h"

#include <algorithm>
#include <map>
#include <pugixml.hpp>
#include <set>

#include "core/cpu_list.h"
#include "drivers/hypervisor/libvirt/kernel_file.h"

namespace stellwerk::hypervisor {
namespace {

struct Thread {
  int32_t id = 0;
  std::vector<int32_t> siblings;
};

std::string read_or_empty(const std::string& path) {
  return read_kernel_file(path).value_or("");
}

std::optional<int32_t> number_of(pugi::xml_node node, const char* attribute) {
  const auto list = parse_cpu_list(node.attribute(attribute).value());
  if (!list || list->size() != 1) return std::nullopt;
  return list->front();
}

absl::StatusOr<std::vector<Thread>> read_threads(pugi::xml_node cell,
                                                 const std::vector<int32_t>& left_out) {
  std::vector<Thread> threads;
  for (const pugi::xml_node node : cell.child("cpus").children("cpu")) {
    const pugi::xml_attribute siblings = node.attribute("siblings");
    if (!siblings) continue;  // offline
    const auto id = number_of(node, "id");
    auto list = parse_cpu_list(siblings.value());
    if (!id || !list || std::ranges::find(*list, *id) == list->end()) {
      return data_loss("capabilities: processor '{}' with the siblings '{}' makes no sense",
                       node.attribute("id").value(), siblings.value());
    }
    if (std::ranges::find(left_out, *id) == left_out.end()) {
      threads.push_back({*id, *std::move(list)});
    }
  }
  return threads;
}

Bytes memory_of(pugi::xml_node cell) {
  const pugi::xml_node memory = cell.child("memory");
  if (std::string_view(memory.attribute("unit").value()) != "KiB") return Bytes();
  return kibibytes(std::max<int64_t>(memory.text().as_llong(), 0));
}

// Threads that name each other are a core's; those of them that are left out are not.
std::vector<HostCore> cores_of(const std::vector<Thread>& threads) {
  std::map<std::vector<int32_t>, HostCore> by_siblings;
  for (const Thread& thread : threads) by_siblings[thread.siblings].threads.push_back(thread.id);
  std::vector<HostCore> cores;
  for (auto& [siblings, core] : by_siblings) {
    std::sort(core.threads.begin(), core.threads.end());
    cores.push_back(std::move(core));
  }
  std::sort(cores.begin(), cores.end(), [](const HostCore& a, const HostCore& b) {
    return a.threads.front() < b.threads.front();
  });
  return cores;
}

// Sibling lists must part the threads: where two cores claim one thread, both would be "whole".
absl::Status check_apart(const std::vector<Thread>& threads, std::set<int32_t>& seen) {
  std::map<int32_t, std::vector<int32_t>> core_of;
  for (const Thread& thread : threads) {
    if (!seen.insert(thread.id).second) {
      return data_loss("capabilities: processor {} is there twice", thread.id);
    }
    for (const int32_t sibling : thread.siblings) {
      const auto known = core_of.emplace(sibling, thread.siblings).first;
      if (known->second == thread.siblings) continue;
      return data_loss("capabilities: processor {} belongs to the cores {} and {}", sibling,
                       cpu_list_text(known->second), cpu_list_text(thread.siblings));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<NumaNode>> parse_topology(std::string_view capabilities,
                                                     const std::vector<int32_t>& left_out) {
  pugi::xml_document document;
  const auto parsed = document.load_buffer(capabilities.data(), capabilities.size());
  if (!parsed) return data_loss("capabilities: {}", parsed.description());
  const pugi::xml_node cells =
      document.child("capabilities").child("host").child("topology").child("cells");
  std::vector<NumaNode> nodes;
  std::set<int32_t> seen;
  std::set<int32_t> ids;
  for (const pugi::xml_node cell : cells.children("cell")) {
    const auto id = number_of(cell, "id");
    if (!id || !ids.insert(*id).second) {
      return data_loss("capabilities: a NUMA node has the id '{}'", cell.attribute("id").value());
    }
    SW_ASSIGN_OR_RETURN(const std::vector<Thread> threads, read_threads(cell, left_out));
    SW_RETURN_IF_ERROR(check_apart(threads, seen));
    nodes.push_back({.id = *id, .memory = memory_of(cell), .cores = cores_of(threads)});
  }
  std::sort(nodes.begin(), nodes.end(),
            [](const NumaNode& a, const NumaNode& b) { return a.id < b.id; });
  if (seen.empty()) nodes.clear();
  return nodes;
}

std::vector<int32_t> isolated_cpus(const std::string& sys_root) {
  const std::string text = read_or_empty(sys_root + "/devices/system/cpu/isolated");
  return parse_cpu_list(text).value_or(std::vector<int32_t>());
}

bool has_several_nodes(const std::string& sys_root) {
  const std::string text = read_or_empty(sys_root + "/devices/system/node/online");
  const auto nodes = parse_cpu_list(text);
  return nodes && nodes->size() > 1;
}

void count_processors(HostFacts& facts) {
  if (facts.numa.empty()) return;
  facts.cores = 0;
  facts.threads = 0;
  for (const NumaNode& node : facts.numa) {
    facts.cores += static_cast<int64_t>(node.cores.size());
    for (const HostCore& core : node.cores) {
      facts.threads += static_cast<int64_t>(core.threads.size());
    }
  }
}

}  // namespace stellwerk::hypervisor
