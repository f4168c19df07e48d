// Hosts, racks, requests and chance that the placement tests share.
#pragma once

#include <rapidcheck.h>

#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "placement/capacity.h"
#include "placement/engine.h"
#include "placement/processors.h"

namespace stellwerk::placement {

inline HostUid host_uid(uint8_t number) {
  std::array<uint8_t, 16> bytes{};
  bytes.back() = number;
  return HostUid(Uuid(bytes));
}
inline GroupUid group_uid(uint8_t number) {
  return GroupUid(host_uid(number).value());
}
// Whatever has a name that is unique in the cell: racks, feeds.
template <class AnyUid>
AnyUid uid_of(std::string_view id) {
  return AnyUid(Uuid::v5(Uuid(), id));
}
inline RackUid rack_uid(std::string_view id) {
  return uid_of<RackUid>(id);
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

// 4 cores with 2 threads each, 16 GiB, 100 GB of SSD, nothing reserved, standing nowhere.
inline Host plain_host(uint8_t number) {
  Host host;
  host.uid = host_uid(number);
  host.id = "host-" + std::to_string(number);
  host.facts = {.cores = 4,
                .threads = 8,
                .memory = gibibytes(16),
                .disk = gigabytes(100),
                .disk_type = DiskType::kSsd,
                .numa = topology(4, 8, 4)};
  return host;
}
inline Host in_rack(Host host, std::string_view rack) {
  host.rack = rack_uid(rack);
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

// As the only host of a fleet sees it, connected and without any claim.
inline HostLoad load_of(const Host& host, const CpuLimits& limits = {}) {
  Fleet fleet(limits, {}, {host});
  fleet.set_accepting(0, true);
  return fleet.hosts()[0];
}
inline HostLoad plain_load(uint8_t number = 1) {
  return load_of(plain_host(number));
}
// After its sums were changed by hand.
inline HostLoad renewed(HostLoad host, const CpuLimits& limits = {}) {
  compute_room(host, limits, host.room);
  return host;
}
inline Ask ask_for(const Request& request) {
  return ask_of(Fleet(), request);
}
inline Claim claim_on(const HostUid& host, const Request& request) {
  return claim_of(request, host);
}

// As an index has it, of a host that fits.
inline int32_t score_of(Policy policy, const HostLoad& host, const Ask& ask,
                        const Mixes& mixes = {}) {
  const HostSize size = size_of(host, mixes, policy);
  const int32_t score = is_bound_to_nodes(ask)
                            ? score_on_nodes(policy, host, size, ask, mixes)
                            : score_of_size(policy, size, size_of(ask, mixes), mixes);
  return ask.request.devices.empty() ? score + cost_of_idle_devices(policy, host) : score;
}

struct RackPlan {
  std::string id;                  // "dc1/a/r1"
  std::vector<std::string> feeds;  // of those that are planned
  std::optional<Milliwatts> limit;
};
struct FeedPlan {
  std::string id;
  Milliwatts budget;
};
inline Topology topology_of(const std::vector<RackPlan>& racks,
                            const std::vector<FeedPlan>& feeds = {}) {
  Topology topology;
  for (const FeedPlan& feed : feeds) {
    topology.feeds.push_back(
        {.uid = uid_of<FeedUid>(feed.id), .id = feed.id, .budget = feed.budget});
  }
  for (const RackPlan& plan : racks) {
    Rack rack{.uid = rack_uid(plan.id), .id = plan.id, .power_limit = plan.limit};
    for (const std::string& feed : plan.feeds) rack.feeds.push_back(uid_of<FeedUid>(feed));
    topology.racks.push_back(std::move(rack));
  }
  return topology;
}

// With every host connected.
inline Engine engine_of(const std::vector<Host>& hosts, const Settings& settings = {},
                        const Topology& topology = {}) {
  Engine engine(settings, topology, hosts);
  for (const Host& host : hosts) engine.set_accepting(host.uid, true);
  return engine;
}

// Nil if it was not placed; the first of several.
inline HostUid host_of(const Decision& decision) {
  const Placed* placed = std::get_if<Placed>(&decision);
  return placed == nullptr ? HostUid() : placed->placements.front().claim.host;
}
inline Occupation occupation_of(const Placement& placement, const Request& request) {
  return {placement.claim, placement.backup, request.group};
}
// Places and charges; what was charged, none if it was refused.
inline std::vector<Occupation> admit(Engine& engine, const Request& request) {
  const Decision decision = engine.place(request);
  std::vector<Occupation> admitted;
  if (const Placed* placed = std::get_if<Placed>(&decision)) {
    for (const Placement& one : placed->placements) {
      admitted.push_back(occupation_of(one, request));
      engine.charge(admitted.back());
    }
  }
  return admitted;
}

// Chance from one seed, so that a case can be named by its number.
class Dice {
 public:
  explicit Dice(uint64_t seed) : numbers_(seed) {}
  // low to high - 1
  int64_t in(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(numbers_() % static_cast<uint64_t>(high - low));
  }
  bool one_in(int64_t of) { return in(0, of) == 0; }
  template <class Value>
  Value of(std::initializer_list<Value> values) {
    return *(values.begin() + in(0, static_cast<int64_t>(values.size())));
  }
  template <class Value>
  const Value& of(const std::vector<Value>& values) {
    return values[static_cast<size_t>(in(0, static_cast<int64_t>(values.size())))];
  }
  uint64_t seed() { return numbers_(); }

 private:
  std::mt19937_64 numbers_;
};
inline Dice any_dice() {
  return Dice(*rc::gen::noShrink(rc::gen::resize(100, rc::gen::arbitrary<uint64_t>())));
}

inline CpuClass any_cpu_class(Dice& dice) {
  return static_cast<CpuClass>(dice.in(0, 4));
}

inline CpuLimits any_limits(Dice& dice) {
  return {.shared_per_core = dice.in(1, 6),
          .shared_per_thread = dice.in(1, 4),
          .low_performance_per_thread = dice.in(1, 20),
          .shared_threads_min = dice.in(1, 3)};
}

// Also odd hosts: as many threads as cores, more threads on some cores than on others, several
// nodes, a topology that nobody knows.
inline Host any_host(Dice& dice, uint8_t number) {
  Host host = plain_host(number);
  HostFacts& facts = host.facts;
  facts.cores = dice.in(1, 9);
  facts.threads = facts.cores + (dice.one_in(3) ? dice.in(0, facts.cores + 1) : facts.cores);
  facts.numa = topology(facts.cores, facts.threads, dice.in(1, 9));
  facts.memory = Bytes();
  for (NumaNode& node : facts.numa) {
    node.memory = gibibytes(dice.in(1, 17));
    if (dice.one_in(2)) node.pages_2mib = dice.in(0, node.memory.count() >> 22);
    if (dice.one_in(3)) node.pages_1gib = dice.in(0, (node.memory.count() >> 31) + 1);
    facts.memory += node.memory;
  }
  if (dice.one_in(8)) facts.numa.clear();
  facts.disk = gigabytes(dice.in(0, 200));
  facts.disk_type = dice.of({DiskType::kUnspecified, DiskType::kHardDisk, DiskType::kSsd,
                             DiskType::kNvme, DiskType::kNvme});
  if (dice.one_in(2)) facts.bandwidth = MegabitsPerSecond(dice.in(1, 5) * 1000);
  if (dice.one_in(2)) facts.devices.push_back({"gpu", dice.in(1, 4)});
  if (dice.one_in(3)) facts.devices.push_back({"nic", dice.in(1, 3)});
  if (!dice.one_in(4)) facts.cpu_baselines = {"x86-64-v2"};
  if (dice.one_in(2)) facts.cpu_baselines.push_back("x86-64-v3");
  host.reserve = {.memory = mebibytes(dice.in(0, 1024)), .disk = gigabytes(dice.in(0, 10))};
  if (dice.one_in(2)) host.labels["ssd"] = dice.of<std::string>({"fast", "slow"});
  if (dice.one_in(4)) host.labels["public"] = "";
  return host;
}

}  // namespace stellwerk::placement
