#include "orchestrator/controller/quota.h"

#include <fmt/format.h>

#include <algorithm>

namespace stellwerk::controller {
namespace {

std::optional<CpuClass> class_of(Limit limit) {
  switch (limit) {
    case Limit::kLowPerformanceVcpus:
      return CpuClass::kLowPerformance;
    case Limit::kSharedVcpus:
      return CpuClass::kShared;
    case Limit::kDedicatedThreads:
      return CpuClass::kDedicatedThread;
    case Limit::kDedicatedCores:
      return CpuClass::kDedicatedCore;
    case Limit::kInstances:
    case Limit::kMemory:
    case Limit::kDisk:
    case Limit::kAddresses:
      return std::nullopt;
  }
  return std::nullopt;
}

template <class Amount>
std::optional<int64_t> count_of(const std::optional<Amount>& amount) {
  return amount ? std::optional(amount->count()) : std::nullopt;
}

std::optional<Bytes> bytes_of(std::optional<int64_t> value) {
  return value ? std::optional(Bytes(*value)) : std::nullopt;
}

bool is_bytes(Limit limit) {
  return limit == Limit::kMemory || limit == Limit::kDisk;
}

struct Excess {
  Limit limit;
  int64_t asked;
  int64_t used;
  int64_t most;
};

// "memory: 2 GiB asked, 1 GiB left of 4 GiB (3 GiB used)"; exact where rounding would hide it.
std::string describe(const Excess& excess) {
  const int64_t left = std::max<int64_t>(0, excess.most - excess.used);
  const bool exact =
      is_bytes(excess.limit) && to_string(Bytes(excess.asked)) == to_string(Bytes(left));
  const auto amount = [&](int64_t value) {
    return exact ? fmt::format("{} bytes", value) : amount_of(excess.limit, value);
  };
  return fmt::format("{}: {} asked, {} left of {} ({} used)", to_string(excess.limit),
                     amount(excess.asked), amount(left), amount(excess.most), amount(excess.used));
}

}  // namespace

ProjectUse use_of(const Instance& instance) {
  ProjectUse use{.instances = 1,
                 .vcpus = {{instance.claim.cpu_class, instance.vcpus}},
                 .memory = instance.memory,
                 .disk = instance.boot_disk};
  for (const Port& port : instance.ports) {
    use.addresses += static_cast<int64_t>(port.addresses.size());
  }
  return use;
}

ProjectUse operator+(ProjectUse a, const ProjectUse& b) {
  a.instances += b.instances;
  for (const auto& [cpu_class, vcpus] : b.vcpus) a.vcpus[cpu_class] += vcpus;
  a.memory += b.memory;
  a.disk += b.disk;
  a.addresses += b.addresses;
  return a;
}

ProjectUse operator-(ProjectUse a, const ProjectUse& b) {
  a.instances -= b.instances;
  for (const auto& [cpu_class, vcpus] : b.vcpus) a.vcpus[cpu_class] -= vcpus;
  std::erase_if(a.vcpus, [](const auto& entry) { return entry.second == VcpuCount(); });
  a.memory -= b.memory;
  a.disk -= b.disk;
  a.addresses -= b.addresses;
  return a;
}

ProjectUse operator*(ProjectUse each, int64_t count) {
  each.instances *= count;
  for (auto& [cpu_class, vcpus] : each.vcpus) vcpus = vcpus * count;
  each.memory = each.memory * count;
  each.disk = each.disk * count;
  each.addresses *= count;
  return each;
}

std::optional<int64_t> value_of(const ProjectLimits& limits, Limit limit) {
  if (const auto cpu_class = class_of(limit)) {
    const auto found = limits.vcpus.find(*cpu_class);
    return found == limits.vcpus.end() ? std::nullopt : std::optional(found->second.count());
  }
  if (limit == Limit::kInstances) return limits.instances;
  if (limit == Limit::kMemory) return count_of(limits.memory);
  return limit == Limit::kDisk ? count_of(limits.disk) : limits.addresses;
}

void set_value(ProjectLimits& limits, Limit limit, std::optional<int64_t> value) {
  if (const auto cpu_class = class_of(limit)) {
    if (value) {
      limits.vcpus[*cpu_class] = VcpuCount(*value);
    } else {
      limits.vcpus.erase(*cpu_class);
    }
  } else if (limit == Limit::kInstances) {
    limits.instances = value;
  } else if (limit == Limit::kMemory) {
    limits.memory = bytes_of(value);
  } else if (limit == Limit::kDisk) {
    limits.disk = bytes_of(value);
  } else {
    limits.addresses = value;
  }
}

int64_t value_of(const ProjectUse& use, Limit limit) {
  if (const auto cpu_class = class_of(limit)) {
    const auto found = use.vcpus.find(*cpu_class);
    return found == use.vcpus.end() ? 0 : found->second.count();
  }
  if (limit == Limit::kInstances) return use.instances;
  if (limit == Limit::kMemory) return use.memory.count();
  return limit == Limit::kDisk ? use.disk.count() : use.addresses;
}

std::string_view to_string(Limit limit) {
  switch (limit) {
    case Limit::kInstances:
      return "instances";
    case Limit::kLowPerformanceVcpus:
      return "low-performance vCPUs";
    case Limit::kSharedVcpus:
      return "shared vCPUs";
    case Limit::kDedicatedThreads:
      return "dedicated threads";
    case Limit::kDedicatedCores:
      return "dedicated cores";
    case Limit::kMemory:
      return "memory";
    case Limit::kDisk:
      return "disk";
    case Limit::kAddresses:
      return "addresses";
  }
  return "invalid";
}

std::string amount_of(Limit limit, int64_t value) {
  return is_bytes(limit) ? to_string(Bytes(value)) : fmt::format("{}", value);
}

absl::Status check_limits(const Project& project, const ProjectUse& used, const ProjectUse& added) {
  std::string exceeded;
  for (const Limit limit : kAllLimits) {
    const auto most = value_of(project.limits, limit);
    const Excess excess{limit, value_of(added, limit), value_of(used, limit), most.value_or(0)};
    // What gives back or asks for nothing is never refused, however far above the limit the use is.
    if (!most || excess.asked <= 0 || excess.asked <= excess.most - excess.used) continue;
    exceeded += describe(excess) + "; ";
  }
  if (exceeded.empty()) return absl::OkStatus();
  return with_reason(
      resource_exhausted("the limits of project {} do not allow it: {}delete what is not needed or "
                         "have the limits raised",
                         project.id, exceeded),
      "QUOTA_EXCEEDED");
}

}  // namespace stellwerk::controller
