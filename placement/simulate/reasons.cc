#include "placement/simulate/reasons.h"

#include <algorithm>

#include "placement/simulate/fleet_plan.h"

namespace stellwerk::placement::simulate {
namespace {

// What hosts that take guests have, one by one and together.
struct Found {
  bool vcpus = false;
  bool memory = false;
  bool both = false;
  bool devices = false;
  bool all = false;
};

Found look(const Fleet& fleet, const Ask& ask) {
  const size_t cpu_class = placement::index_of(ask.request.cpu_class);
  Found found;
  for (const HostLoad& host : fleet.hosts()) {
    if (!is_eligible(host, ask)) continue;
    const bool vcpus = host.room.vcpus[cpu_class] >= ask.amounts.vcpus[cpu_class];
    const bool memory = host.room.memory >= ask.amounts.memory;
    found.vcpus = found.vcpus || vcpus;
    found.memory = found.memory || memory;
    if (!vcpus || !memory) continue;
    found.both = true;
    bool devices = !ask.unknown_device;
    for (size_t i = 0; i < ask.amounts.devices.size(); ++i) {
      devices = devices && host.room.devices[i] >= ask.amounts.devices[i];
    }
    found.devices = found.devices || devices;
    if (!fits(host, ask)) continue;
    found.all = true;
    return found;
  }
  return found;
}

}  // namespace

std::string_view to_string(Reason reason) {
  switch (reason) {
    case Reason::kTooLarge:
      return "too-large";
    case Reason::kVcpus:
      return "vcpus";
    case Reason::kMemory:
      return "memory";
    case Reason::kVcpusAndMemory:
      return "vcpus-and-memory";
    case Reason::kFragmented:
      return "fragmented";
    case Reason::kNuma:
      return "numa";
    case Reason::kDevices:
      return "gpus";
    case Reason::kGroup:
      return "group";
    case Reason::kPower:
      return "power";
    case Reason::kFailover:
      return "failover";
    case Reason::kStillWaiting:
      return "still-waiting";
  }
  return "";
}

bool fits_when_empty(const Engine& engine, const Request& request) {
  const Fleet& fleet = engine.fleet();
  const size_t cpu_class = placement::index_of(request.cpu_class);
  const Ask ask = ask_of(fleet, request);
  if (ask.unknown_device) return false;
  return std::ranges::any_of(fleet.hosts(), [&](const HostLoad& host) {
    if (!is_eligible(host, ask)) return false;
    for (size_t i = 0; i < ask.amounts.devices.size(); ++i) {
      if (host.offer.devices[i] < ask.amounts.devices[i]) return false;
    }
    return host.all_vcpus[cpu_class] >= request.vcpus.count() &&
           host.all_memory >= request.memory.count() &&
           host.nodes().size() >= static_cast<size_t>(request.numa_nodes);
  });
}

Reason reason_of_refusal(const Engine& engine, const Request& request) {
  if (!fits_when_empty(engine, request)) return Reason::kTooLarge;
  const Found found = look(engine.fleet(), ask_of(engine.fleet(), request));
  if (!found.vcpus && !found.memory) return Reason::kVcpusAndMemory;
  if (!found.vcpus) return Reason::kVcpus;
  if (!found.memory) return Reason::kMemory;
  if (!found.both) return Reason::kFragmented;
  if (!found.devices) return Reason::kDevices;
  if (!found.all) return Reason::kNuma;
  if (!engine.feasible_hosts(request).empty()) return Reason::kFailover;
  if (request.group.is_nil()) return Reason::kPower;
  Request alone = request;
  alone.group = GroupUid();
  return engine.feasible_hosts(alone).empty() ? Reason::kPower : Reason::kGroup;
}

}  // namespace stellwerk::placement::simulate
