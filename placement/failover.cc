#include "placement/failover.h"

#include <algorithm>

#include "placement/capacity.h"
#include "placement/power.h"
#include "placement/score.h"

namespace stellwerk::placement {
namespace {

constexpr int64_t kParts = 1024;

int64_t beyond(int64_t needed, int64_t kept) {
  return std::max<int64_t>(needed - kept, 0);
}

// What `needed` is more than what is kept already.
template <class Counts>
void take_off(Counts& needed, const Counts& kept) {
  for (size_t i = 0; i < needed.size(); ++i) {
    needed[i] = beyond(needed[i], i < kept.size() ? kept[i] : 0);
  }
}

Amounts more_than_kept(Amounts needed, const Amounts& kept) {
  take_off(needed.vcpus, kept.vcpus);
  take_off(needed.pages, kept.pages);
  take_off(needed.devices, kept.devices);
  needed.memory = beyond(needed.memory, kept.memory);
  needed.disk = beyond(needed.disk, kept.disk);
  needed.bandwidth = beyond(needed.bandwidth, kept.bandwidth);
  needed.power = beyond(needed.power, kept.power);
  for (size_t i = 0; i < std::min(needed.nodes.size(), kept.nodes.size()); ++i) {
    take_off(needed.nodes[i].vcpus, kept.nodes[i].vcpus);
    take_off(needed.nodes[i].pages, kept.nodes[i].pages);
    needed.nodes[i].memory = beyond(needed.nodes[i].memory, kept.nodes[i].memory);
  }
  return needed;
}

int64_t parts(int64_t amount, int64_t of) {
  return amount <= 0 || of <= 0 ? 0 : (amount * kParts + of - 1) / of;
}

int32_t cost_of(const HostLoad& host, size_t cpu_class, int64_t vcpus, int64_t memory) {
  const int64_t cost = parts(vcpus, host.all_vcpus[cpu_class]) + parts(memory, host.all_memory);
  return static_cast<int32_t>(std::min<int64_t>(cost, INT32_MAX / 4));
}

// The nodes on which the least has to be kept in addition.
std::optional<std::vector<uint32_t>> backup_nodes(const HostLoad& host,
                                                  const Reserve::FromDomain* kept, const Ask& ask) {
  struct Choice {
    int64_t cost = 0;
    uint32_t node = 0;
  };
  const auto at = [](const RareVector<NodeAmounts>& nodes, size_t i) {
    return i < nodes.size() ? nodes[i] : NodeAmounts();
  };
  std::vector<Choice> choices;
  for (uint32_t i = 0; i < host.room.nodes.size(); ++i) {
    NodeAmounts more = kept == nullptr ? NodeAmounts() : at(kept->sum.nodes, i);
    for (size_t c = 0; c < kCpuClasses; ++c) more.vcpus[c] += ask.share.vcpus[c];
    for (size_t p = 0; p < kHugePageSizes; ++p) more.pages[p] += ask.share.pages[p];
    more.memory += ask.share.memory;
    const NodeAmounts largest = at(host.backups.largest.nodes, i);
    take_off(more.vcpus, largest.vcpus);
    take_off(more.pages, largest.pages);
    more.memory = beyond(more.memory, largest.memory);
    if (has_room(host.room.nodes[i], more)) choices.push_back({more.memory, i});
  }
  const auto wanted = static_cast<size_t>(ask.request.numa_nodes);
  if (choices.size() < wanted) return std::nullopt;
  std::stable_sort(choices.begin(), choices.end(),
                   [](const Choice& a, const Choice& b) { return a.cost < b.cost; });
  std::vector<uint32_t> nodes;
  for (size_t i = 0; i < wanted; ++i) nodes.push_back(choices[i].node);
  std::sort(nodes.begin(), nodes.end());
  return nodes;
}

// Whether all that is dedicated can be pinned if so much is kept for one domain.
bool could_pin(HostLoad host, const Amounts& needed, const CpuLimits& limits) {
  raise_to(host.backups.largest, needed);
  return keeps_pins(host, limits);
}

}  // namespace

std::optional<BackupOffer> offer_backup(const Fleet& fleet, uint32_t index, uint32_t lost,
                                        const Ask& ask) {
  const HostLoad& host = fleet.hosts()[index];
  if (!is_eligible(host, ask) || ask.unknown_device) return std::nullopt;
  const Reserve::FromDomain* kept = host.backups.find(lost);
  if (kept == nullptr && host.backups.is_full()) return std::nullopt;
  BackupOffer offer{.amounts = ask.amounts, .nodes = {}};
  const Request& request = ask.request;
  offer.amounts.power =
      power_of(host, request.cpu_class, request.vcpus, fleet.cpu_limits()).count();
  if (request.numa_nodes > 0) {
    std::optional<std::vector<uint32_t>> nodes = backup_nodes(host, kept, ask);
    if (!nodes) return std::nullopt;
    offer.nodes = *std::move(nodes);
    offer.amounts.nodes.resize(host.room.nodes.size());
    for (const uint32_t node : offer.nodes) offer.amounts.nodes[node] = ask.share;
  }
  Amounts needed = offer.amounts;
  if (kept != nullptr) add(needed, kept->sum);
  if (request.numa_nodes > 0 && !could_pin(host, needed, fleet.cpu_limits())) return std::nullopt;
  const Amounts more = more_than_kept(std::move(needed), host.backups.largest);
  if (!has_room(host.room, more)) return std::nullopt;
  if (!may_draw(fleet.racks()[host.rack], fleet.feeds(), Milliwatts(more.power))) {
    return std::nullopt;
  }
  const size_t cpu_class = placement::index_of(request.cpu_class);
  offer.cost = cost_of(host, cpu_class, more.vcpus[cpu_class], more.memory);
  return offer;
}

// Most guests ask for nothing but vCPUs, memory and disk, and are compared without making amounts.
std::optional<int32_t> backup_cost(const Fleet& fleet, uint32_t index, uint32_t lost,
                                   const Ask& ask) {
  const Request& request = ask.request;
  if (request.numa_nodes > 0 || request.page_size != PageSize::kNormal ||
      !request.devices.empty()) {
    const std::optional<BackupOffer> offer = offer_backup(fleet, index, lost, ask);
    return offer ? std::optional(offer->cost) : std::nullopt;
  }
  const HostLoad& host = fleet.hosts()[index];
  if (!is_eligible(host, ask)) return std::nullopt;
  const Reserve::FromDomain* entry = host.backups.find(lost);
  if (entry == nullptr && host.backups.is_full()) return std::nullopt;
  static const Amounts kNothing;
  const Amounts& kept = entry == nullptr ? kNothing : entry->sum;
  const Amounts& largest = host.backups.largest;
  const size_t cpu_class = placement::index_of(request.cpu_class);
  const int64_t vcpus =
      beyond(ask.amounts.vcpus[cpu_class] + kept.vcpus[cpu_class], largest.vcpus[cpu_class]);
  const int64_t memory = beyond(ask.amounts.memory + kept.memory, largest.memory);
  if (vcpus > host.room.vcpus[cpu_class] || memory > host.room.memory ||
      beyond(ask.amounts.disk + kept.disk, largest.disk) > host.room.disk ||
      beyond(ask.amounts.bandwidth + kept.bandwidth, largest.bandwidth) > host.room.bandwidth) {
    return std::nullopt;
  }
  const Milliwatts power = power_of(host, request.cpu_class, request.vcpus, fleet.cpu_limits());
  const Milliwatts more(beyond(power.count() + kept.power, largest.power));
  if (!may_draw(fleet.racks()[host.rack], fleet.feeds(), more)) return std::nullopt;
  return cost_of(host, cpu_class, vcpus, memory);
}

std::optional<int32_t> least_backup_cost(const HostLoad& host, const Ask& ask) {
  if (!is_eligible(host, ask)) return std::nullopt;
  const int32_t cost = least_backup_cost(host, plain_needs(ask));
  return cost < kNoFit ? std::optional(cost) : std::nullopt;
}

PlainNeeds plain_needs(const Ask& ask) {
  const size_t cpu_class = placement::index_of(ask.request.cpu_class);
  return {.cpu_class = cpu_class,
          .vcpus = ask.amounts.vcpus[cpu_class],
          .memory = ask.amounts.memory,
          .disk = ask.amounts.disk,
          .bandwidth = ask.amounts.bandwidth};
}

int32_t least_backup_cost(const HostLoad& host, const PlainNeeds& needs) {
  if (host.backups.is_full()) return kNoFit;
  const Amounts& kept = host.backups.largest;
  const int64_t vcpus = beyond(needs.vcpus, kept.vcpus[needs.cpu_class]);
  const int64_t memory = beyond(needs.memory, kept.memory);
  if (vcpus > host.room.vcpus[needs.cpu_class] || memory > host.room.memory ||
      beyond(needs.disk, kept.disk) > host.room.disk ||
      beyond(needs.bandwidth, kept.bandwidth) > host.room.bandwidth) {
    return kNoFit;
  }
  return cost_of(host, needs.cpu_class, vcpus, memory);
}

}  // namespace stellwerk::placement
