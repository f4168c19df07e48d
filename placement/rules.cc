#include "placement/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "placement/capacity.h"
#include "placement/processors.h"

namespace stellwerk::placement {
namespace {

struct Accepting {
  static bool holds(const HostLoad& host, const Ask&) { return host.accepting; }
  static std::string words(const HostLoad&, const Ask&) { return "its agent is not connected"; }
};

struct Fenced {
  static bool holds(const HostLoad& host, const Ask&) { return !host.fenced; }
  static std::string words(const HostLoad&, const Ask&) {
    return "it is fenced; it comes back after a reboot";
  }
};

struct Maintenance {
  static bool holds(const HostLoad& host, const Ask&) { return !host.maintenance; }
  static std::string words(const HostLoad&, const Ask&) { return "it is in maintenance"; }
};

struct HostLabels {
  static bool holds(const HostLoad& host, const Ask& ask) {
    const Wishes& wishes = ask.request.wishes;
    if (wishes.required_labels.empty() && wishes.forbidden_labels.empty()) return true;
    const auto has = [&](const LabelMatch& match) { return has_label(host.labels, match); };
    return std::all_of(wishes.required_labels.begin(), wishes.required_labels.end(), has) &&
           std::none_of(wishes.forbidden_labels.begin(), wishes.forbidden_labels.end(), has);
  }
  static std::string words(const HostLoad& host, const Ask& ask) {
    for (const LabelMatch& wanted : ask.request.wishes.required_labels) {
      if (!has_label(host.labels, wanted))
        return fmt::format("it has no label {}", to_string(wanted));
    }
    for (const LabelMatch& unwanted : ask.request.wishes.forbidden_labels) {
      if (has_label(host.labels, unwanted))
        return fmt::format("it has label {}", to_string(unwanted));
    }
    return "";
  }
};

struct CpuBaseline {
  static bool holds(const HostLoad& host, const Ask& ask) {
    const std::string& wanted = ask.request.wishes.cpu_baseline;
    if (wanted.empty()) return true;
    const auto& offered = host.offer.cpu_baselines;
    return std::find(offered.begin(), offered.end(), wanted) != offered.end();
  }
  static std::string words(const HostLoad& host, const Ask& ask) {
    const auto& offered = host.offer.cpu_baselines;
    return fmt::format(
        "{} asked, it has {}", ask.request.wishes.cpu_baseline,
        offered.empty() ? "none that is known" : fmt::format("{}", fmt::join(offered, ", ")));
  }
};

struct DiskKind {
  static bool holds(const HostLoad& host, const Ask& ask) {
    return offers(host.offer.disk_type, ask.request.disk_type);
  }
  static std::string words(const HostLoad& host, const Ask& ask) {
    return fmt::format("{} asked, its disk is declared {}", to_string(ask.request.disk_type),
                       to_string(host.offer.disk_type));
  }
};

struct CpuTopology {
  static bool holds(const HostLoad& host, const Ask& ask) {
    const bool needed = is_dedicated(ask.request.cpu_class) || ask.request.numa_nodes > 0;
    return !needed || host.offer.layout != nullptr;
  }
  static std::string words(const HostLoad&, const Ask& ask) {
    if (ask.request.numa_nodes > 0) return "NUMA nodes asked; which ones it has is not known";
    return fmt::format(
        "{} vCPUs asked; which cores and threads it has is not known, so none can be "
        "given to one guest alone",
        to_string(ask.request.cpu_class));
  }
};

struct Cpu {
  static bool holds(const HostLoad& host, const Ask& ask) {
    return ask.request.vcpus.count() <= host.room.vcpus[index_of(ask.request.cpu_class)];
  }
  static std::string words(const HostLoad& host, const Ask& ask) {
    return fmt::format("{} {} vCPUs asked, {} more fit on {} cores with {} threads",
                       ask.request.vcpus.count(), to_string(ask.request.cpu_class),
                       host.room.vcpus[index_of(ask.request.cpu_class)], host.offer.cores,
                       host.offer.threads);
  }
};

struct Memory {
  static bool holds(const HostLoad& host, const Ask& ask) {
    return ask.amounts.memory <= host.room.memory;
  }
  static std::string words(const HostLoad& host, const Ask& ask) {
    return fmt::format("{} asked, {} free of {}", to_string(ask.request.memory),
                       to_string(Bytes(host.room.memory)), to_string(host.offer.memory));
  }
};

struct LocalDisk {
  static bool holds(const HostLoad& host, const Ask& ask) {
    return ask.amounts.disk <= host.room.disk;
  }
  static std::string words(const HostLoad& host, const Ask& ask) {
    return fmt::format("{} asked, {} free of {}", to_string(ask.request.disk),
                       to_string(Bytes(host.room.disk)), to_string(host.offer.disk));
  }
};

struct Bandwidth {
  static bool holds(const HostLoad& host, const Ask& ask) {
    return ask.amounts.bandwidth <= host.room.bandwidth;
  }
  static std::string words(const HostLoad& host, const Ask& ask) {
    return fmt::format("{} asked, {} free of {}", to_string(ask.request.bandwidth),
                       to_string(MegabitsPerSecond(host.room.bandwidth)),
                       to_string(host.offer.bandwidth));
  }
};

struct HugePages {
  static bool holds(const HostLoad& host, const Ask& ask) {
    const PageSize size = ask.request.page_size;
    return size == PageSize::kNormal || ask.request.pages <= host.room.pages[index_of(size)];
  }
  static std::string words(const HostLoad& host, const Ask& ask) {
    return fmt::format("{} pages of {} asked, {} free", ask.request.pages,
                       to_string(ask.request.page_size),
                       host.room.pages[index_of(ask.request.page_size)]);
  }
};

int64_t devices_free(const HostLoad& host, size_t device_class) {
  return device_class < host.room.devices.size() ? host.room.devices[device_class] : 0;
}

struct Devices {
  static bool holds(const HostLoad& host, const Ask& ask) {
    if (ask.request.devices.empty()) return true;
    if (ask.unknown_device) return false;
    for (size_t i = 0; i < ask.amounts.devices.size(); ++i) {
      if (ask.amounts.devices[i] > devices_free(host, i)) return false;
    }
    return true;
  }
  static std::string words(const HostLoad& host, const Ask& ask) {
    if (ask.unknown_device) return fmt::format("no host has any {}", *ask.unknown_device);
    // Classes of the request stand in the order of the fleet's.
    size_t asked = 0;
    for (size_t i = 0; i < ask.amounts.devices.size(); ++i) {
      if (ask.amounts.devices[i] == 0) continue;
      if (ask.amounts.devices[i] > devices_free(host, i)) {
        return fmt::format("{} of {} asked, {} free", ask.amounts.devices[i],
                           ask.request.devices[asked].device_class, devices_free(host, i));
      }
      ++asked;
    }
    return "";
  }
};

int64_t nodes_with_room(const HostLoad& host, const Ask& ask) {
  return std::count_if(host.room.nodes.begin(), host.room.nodes.end(),
                       [&](const NodeRoom& node) { return has_room(node, ask.share); });
}

struct Numa {
  static bool holds(const HostLoad& host, const Ask& ask) {
    return ask.request.numa_nodes == 0 || nodes_with_room(host, ask) >= ask.request.numa_nodes;
  }
  static std::string words(const HostLoad& host, const Ask& ask) {
    const int64_t room = nodes_with_room(host, ask);
    return fmt::format("{} NUMA nodes asked with {} vCPUs and {} each, {} of its {} have room",
                       ask.request.numa_nodes, ask.share.vcpus[index_of(ask.request.cpu_class)],
                       to_string(Bytes(ask.share.memory)), room, host.room.nodes.size());
  }
};

template <class... Each>
struct All {
  static bool hold(const HostLoad& host, const Ask& ask) { return (Each::holds(host, ask) && ...); }
};

// What fails most often comes first; the order does not change the answer.
using RulesOfRoom = All<Memory, Cpu, LocalDisk, Bandwidth, HugePages, Devices, Numa>;
using OtherRules =
    All<Accepting, Fenced, Maintenance, DiskKind, HostLabels, CpuBaseline, CpuTopology>;

template <class Each>
constexpr Rule rule(std::string_view name, std::string_view advice) {
  return {name, Each::holds, Each::words, advice};
}

constexpr Rule kRules[] = {
    rule<Accepting>("accepting", "try again when a host has connected"),
    rule<Fenced>("fenced", "try again when a host is back"),
    rule<Maintenance>("maintenance", "try again when a host is out of maintenance"),
    rule<HostLabels>("labels", "ask for other labels"),
    rule<CpuBaseline>("cpu-baseline", "ask for an older CPU baseline"),
    rule<DiskKind>("disk-type", "choose a flavor without this disk type"),
    rule<CpuTopology>("topology", "choose a flavor of a shared class without NUMA nodes"),
    rule<Cpu>("cpu", "ask for fewer vCPUs or another class of flavor"),
    rule<Memory>("memory", "ask for less memory or another flavor"),
    rule<LocalDisk>("disk", "ask for a smaller disk or another flavor"),
    rule<Bandwidth>("bandwidth", "ask for less bandwidth"),
    rule<HugePages>("huge-pages", "ask for fewer huge pages or for normal ones"),
    rule<Devices>("devices", "ask for fewer or other devices"),
    rule<Numa>("numa", "ask for fewer or smaller NUMA nodes"),
};

}  // namespace

std::span<const Rule> rules() {
  return kRules;
}

Ask ask_of(const Fleet& fleet, const Request& request) {
  Ask ask{.request = request, .amounts = {}, .share = {}};
  ask.amounts.vcpus[index_of(request.cpu_class)] = request.vcpus.count();
  ask.amounts.memory = request.memory.count();
  ask.amounts.disk = request.disk.count();
  ask.amounts.bandwidth = request.bandwidth.count();
  if (request.page_size != PageSize::kNormal) {
    ask.amounts.pages[index_of(request.page_size)] = request.pages;
  }
  if (!request.devices.empty()) ask.amounts.devices.resize(fleet.device_classes().size());
  std::sort(
      ask.request.devices.begin(), ask.request.devices.end(),
      [](const DeviceCount& a, const DeviceCount& b) { return a.device_class < b.device_class; });
  for (const DeviceCount& device : request.devices) {
    const uint32_t number = fleet.device_class(device.device_class);
    if (number == Fleet::kNone) {
      ask.unknown_device = device.device_class;
    } else {
      ask.amounts.devices[number] = device.count;
    }
  }
  if (request.numa_nodes > 0) ask.share = share_of_node(ask.amounts, request.numa_nodes);
  return ask;
}

bool fits(const HostLoad& host, const Ask& ask) {
  return has_room_for(host, ask) && is_eligible(host, ask);
}

bool has_room_for(const HostLoad& host, const Ask& ask) {
  return RulesOfRoom::hold(host, ask);
}

bool is_eligible(const HostLoad& host, const Ask& ask) {
  return OtherRules::hold(host, ask);
}

const Rule* first_failed(const HostLoad& host, const Ask& ask) {
  for (const Rule& rule : kRules) {
    if (!rule.holds(host, ask)) return &rule;
  }
  return nullptr;
}

int64_t slots_of(const HostLoad& host, const Ask& ask) {
  if (!fits(host, ask)) return 0;
  const size_t cpu_class = index_of(ask.request.cpu_class);
  int64_t slots = host.room.vcpus[cpu_class] / ask.request.vcpus.count();
  const auto limit = [&slots](int64_t room, int64_t asked) {
    if (asked > 0) slots = std::min(slots, room / asked);
  };
  limit(host.room.memory, ask.amounts.memory);
  limit(host.room.disk, ask.amounts.disk);
  limit(host.room.bandwidth, ask.amounts.bandwidth);
  for (size_t i = 0; i < kHugePageSizes; ++i) limit(host.room.pages[i], ask.amounts.pages[i]);
  for (size_t i = 0; i < ask.amounts.devices.size(); ++i) {
    limit(devices_free(host, i), ask.amounts.devices[i]);
  }
  return slots;
}

std::optional<std::vector<uint32_t>> choose_nodes(const HostLoad& host, const Ask& ask) {
  const auto wanted = static_cast<size_t>(ask.request.numa_nodes);
  const size_t cpu_class = index_of(ask.request.cpu_class);
  std::vector<uint32_t> nodes;
  for (uint32_t i = 0; i < host.room.nodes.size(); ++i) {
    if (has_room(host.room.nodes[i], ask.share)) nodes.push_back(i);
  }
  if (nodes.size() < wanted) return std::nullopt;
  std::sort(nodes.begin(), nodes.end(), [&](uint32_t a, uint32_t b) {
    const auto left = [&](uint32_t node) {
      const NodeRoom& room = host.room.nodes[node];
      return std::tuple(room.memory, room.vcpus[cpu_class], node);
    };
    return left(a) < left(b);
  });
  nodes.resize(wanted);
  std::sort(nodes.begin(), nodes.end());
  return nodes;
}

}  // namespace stellwerk::placement
