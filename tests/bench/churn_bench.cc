// churn_bench: how fast the placement engine decides in a fleet that stays at 85 % load, one core.
// Guests come and go at random; what comes is drawn from the SCS flavors, and a part of it asks for
// labels, a site, groups, NUMA nodes, dedicated threads, huge pages or a GPU. Prints JSON.
#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "placement/engine.h"

namespace stellwerk::placement {
namespace {

struct Options {
  uint32_t hosts = 10'000;
  int64_t decisions = 200'000;
  std::optional<DomainLevel> guarantee;
  uint64_t seed = 1;
  bool plain = false;  // flavors alone
};

// xorshift64*: the same history on every machine.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15 | 1) {}
  uint64_t below(uint64_t bound) {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return (state_ * 0x2545F4914F6CDD1D >> 11) % bound;
  }

 private:
  uint64_t state_;
};

template <class Id>
Id numbered(uint8_t kind, uint64_t number) {
  std::array<uint8_t, 16> bytes{kind};
  // Spread like random uids, so that the order of uids is not the order of making.
  const uint64_t mixed = (number + 1) * 0x9E3779B97F4A7C15;
  for (size_t i = 0; i < 8; ++i) bytes[8 + i] = static_cast<uint8_t>(mixed >> (8 * i));
  return Id(Uuid(bytes));
}

constexpr uint32_t kHostsPerRack = 24;
constexpr uint32_t kRacksPerZone = 20;
constexpr int64_t kCores = 16;
constexpr int64_t kThreads = 32;
constexpr double kLoad = 0.85;

std::vector<NumaNode> two_nodes() {
  std::vector<NumaNode> nodes;
  for (int32_t node = 0; node < 2; ++node) {
    nodes.push_back({.id = node, .memory = gibibytes(96), .pages_1gib = 8});
    for (int32_t core = 0; core < kCores / 2; ++core) {
      const int32_t first = node * static_cast<int32_t>(kCores / 2) + core;
      nodes.back().cores.push_back({{first, first + static_cast<int32_t>(kCores)}});
    }
  }
  return nodes;
}

struct World {
  Topology topology;
  std::vector<Host> hosts;
};

World make_world(uint32_t count) {
  World world;
  const uint32_t racks = (count + kHostsPerRack - 1) / kHostsPerRack;
  const uint32_t zones = (racks + kRacksPerZone - 1) / kRacksPerZone;
  for (uint32_t s = 0; s < 2; ++s) {
    world.topology.sites.push_back({.uid = numbered<SiteUid>(1, s), .id = fmt::format("dc{}", s)});
  }
  for (uint32_t z = 0; z < zones; ++z) {
    const Site& site = world.topology.sites[z % 2];
    world.topology.zones.push_back({.uid = numbered<ZoneUid>(2, z),
                                    .site = site.uid,
                                    .id = fmt::format("{}/z{:03}", site.id, z)});
    for (uint32_t f = 0; f < 2; ++f) {
      world.topology.feeds.push_back({.uid = numbered<FeedUid>(3, 2 * z + f),
                                      .site = site.uid,
                                      .id = fmt::format("{}/f{:03}-{}", site.id, z, f),
                                      .budget = watts(kRacksPerZone * kHostsPerRack * 600)});
    }
  }
  for (uint32_t r = 0; r < racks; ++r) {
    const uint32_t z = r / kRacksPerZone;
    const Zone& zone = world.topology.zones[z];
    world.topology.racks.push_back(
        {.uid = numbered<RackUid>(4, r),
         .zone = zone.uid,
         .id = fmt::format("{}/r{:05}", zone.id, r),
         .feeds = {numbered<FeedUid>(3, 2 * z), numbered<FeedUid>(3, 2 * z + 1)}});
  }
  for (uint32_t h = 0; h < count; ++h) {
    Host host{.uid = numbered<HostUid>(5, h), .id = fmt::format("h{:06}", h)};
    host.facts = {.cores = kCores,
                  .threads = kThreads,
                  .memory = gibibytes(192),
                  .disk = gibibytes(8192),
                  .disk_type = DiskType::kNvme,
                  .numa = two_nodes(),
                  .bandwidth = MegabitsPerSecond(50'000),
                  .cpu_baselines = {"x86-64-v2", "x86-64-v3"}};
    if (h % 16 == 0) host.facts.devices = {{"l40s", 4}};
    host.labels = {{"tier", h % 4 == 0 ? "gold" : "plain"}};
    host.rack = numbered<RackUid>(4, h / kHostsPerRack);
    host.power = {.idle = watts(120), .peak = watts(550)};
    world.hosts.push_back(std::move(host));
  }
  return world;
}

struct Flavor {
  CpuClass cpu_class;
  int64_t vcpus;
  int64_t memory_gib;
  int64_t disk_gb;
};
// SCS-0103's mandatory ones.
constexpr Flavor kFlavors[] = {{CpuClass::kShared, 1, 4, 0},         {CpuClass::kShared, 2, 8, 0},
                               {CpuClass::kShared, 4, 16, 0},        {CpuClass::kShared, 8, 32, 0},
                               {CpuClass::kShared, 1, 2, 0},         {CpuClass::kShared, 2, 4, 0},
                               {CpuClass::kShared, 4, 8, 0},         {CpuClass::kShared, 8, 16, 0},
                               {CpuClass::kShared, 16, 32, 0},       {CpuClass::kShared, 1, 8, 0},
                               {CpuClass::kShared, 2, 16, 0},        {CpuClass::kShared, 4, 32, 0},
                               {CpuClass::kLowPerformance, 1, 1, 0}, {CpuClass::kShared, 2, 4, 20},
                               {CpuClass::kShared, 4, 16, 100}};

Request draw(Random& random, const Options& options, uint64_t groups) {
  const Flavor& flavor = kFlavors[random.below(std::size(kFlavors))];
  Request request{
      .cpu_class = flavor.cpu_class,
      .vcpus = VcpuCount(flavor.vcpus),
      .memory = memory_with_overhead(gibibytes(flavor.memory_gib), VcpuCount(flavor.vcpus)),
      .disk = gigabytes(flavor.disk_gb)};
  request.failover = options.guarantee.has_value();
  if (options.plain) return request;
  const uint64_t kind = random.below(100);
  if (kind < 6) {
    request.group = numbered<GroupUid>(6, random.below(groups));
  } else if (kind < 10) {
    request.wishes.required_labels = {{"tier", "gold"}};
  } else if (kind < 14) {
    request.wishes.within = random.below(2) == 0 ? "dc0" : "dc1";
  } else if (kind < 16) {
    request.numa_nodes = 1;
  } else if (kind < 17) {
    request.cpu_class = CpuClass::kDedicatedThread;
  } else if (kind < 18) {
    request.page_size = PageSize::k1GiB;
    request.pages = 2;
  } else if (kind < 19) {
    request.devices = {{"l40s", 1}};
  } else if (kind < 21) {
    request.bandwidth = MegabitsPerSecond(1000);
    request.wishes.cpu_baseline = "x86-64-v3";
  }
  return request;
}

using Clock = std::chrono::steady_clock;

int64_t nanoseconds(Clock::duration duration) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count();
}

// Of the process, in MiB.
double resident_mib() {
  std::ifstream file("/proc/self/statm");
  int64_t pages = 0;
  int64_t resident = 0;
  file >> pages >> resident;
  return static_cast<double>(resident) * 4096 / (1 << 20);
}

class Bench {
 public:
  explicit Bench(const Options& options)
      : options_(options), random_(options.seed), groups_(options.hosts / 4 + 1) {
    const double before = resident_mib();
    {
      const World world = make_world(options.hosts);
      engine_ = std::make_unique<Engine>(Settings{.guarantee = options.guarantee}, world.topology,
                                         world.hosts);
    }
    // What the world was described with is not the engine's.
    malloc_trim(0);
    for (const HostLoad& host : engine_->fleet().hosts()) engine_->set_accepting(host.uid, true);
    for (uint64_t i = 0; i < groups_; ++i) {
      engine_->put_group(numbered<GroupUid>(6, i),
                         {{.policy = GroupPolicy::kAntiAffinity, .level = DomainLevel::kHost}});
    }
    base_mib_ = before;
    occupations_.reserve(size_t{12} * options.hosts);  // so that no smaller ones are left behind
  }

  void fill() {
    int64_t refused = 0;
    while (load() < kLoad && refused < 1000) {
      if (!decide()) ++refused;
    }
  }

  void churn() {
    latencies_.reserve(static_cast<size_t>(options_.decisions));
    for (int64_t i = 0; i < options_.decisions; ++i) {
      const Clock::time_point begin = Clock::now();
      while (load() > kLoad) release_one();
      const Clock::time_point released = Clock::now();
      if (!decide()) ++refused_;
      const Clock::time_point end = Clock::now();
      latencies_.push_back(nanoseconds(end - released));
      total_ += nanoseconds(end - begin);
    }
    std::sort(latencies_.begin(), latencies_.end());
  }

  std::string report() const {
    const auto at = [this](double part) {
      return latencies_[static_cast<size_t>(part * static_cast<double>(latencies_.size() - 1))];
    };
    return fmt::format(
        "{{\"hosts\": {}, \"instances\": {}, \"guarantee\": \"{}\", \"decisions\": {}, "
        "\"refused\": {}, \"decisions_per_second\": {:.0f}, \"latency_ns\": {{\"p50\": {}, "
        "\"p99\": {}, \"p999\": {}, \"max\": {}}}, \"memory_mib\": {:.1f}}}",
        options_.hosts, occupations_.size(),
        options_.guarantee ? to_string(*options_.guarantee) : "none", options_.decisions, refused_,
        static_cast<double>(options_.decisions) * 1e9 / static_cast<double>(total_), at(0.5),
        at(0.99), at(0.999), latencies_.back(), resident_mib() - base_mib_);
  }

 private:
  // Of memory, which is what these flavors use up first.
  double load() const {
    return static_cast<double>(memory_used_) /
           (static_cast<double>(options_.hosts) * static_cast<double>(gibibytes(176).count()));
  }

  bool decide() {
    const Request request = draw(random_, options_, groups_);
    const Decision decision = engine_->place(request);
    const auto* placed = std::get_if<Placed>(&decision);
    if (placed == nullptr) return false;
    const Placement& placement = placed->placements.front();
    occupations_.push_back({placement.claim, placement.backup, request.group});
    engine_->charge(occupations_.back());
    memory_used_ += placement.claim.memory.count();
    return true;
  }

  void release_one() {
    const size_t at = random_.below(occupations_.size());
    engine_->release(occupations_[at]);
    memory_used_ -= occupations_[at].claim.memory.count();
    std::swap(occupations_[at], occupations_.back());
    occupations_.pop_back();
  }

  const Options options_;
  Random random_;
  const uint64_t groups_;
  std::unique_ptr<Engine> engine_;
  std::vector<Occupation> occupations_;
  std::vector<int64_t> latencies_;
  int64_t memory_used_ = 0;
  int64_t refused_ = 0;
  int64_t total_ = 0;
  double base_mib_ = 0;
};

Options parse(int count, char** words) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    const auto value = [&] {
      if (++i >= count) {
        fmt::print(stderr, "churn_bench: {} needs a value\n", word);
        std::exit(2);
      }
      return words[i];
    };
    if (word == "--hosts") {
      options.hosts = static_cast<uint32_t>(std::strtoul(value(), nullptr, 10));
    } else if (word == "--decisions") {
      options.decisions = std::strtol(value(), nullptr, 10);
    } else if (word == "--seed") {
      options.seed = std::strtoull(value(), nullptr, 10);
    } else if (word == "--guarantee") {
      options.guarantee = parse_domain_level(value());
    } else if (word == "--plain") {
      options.plain = true;
    } else {
      fmt::print(stderr, "churn_bench: {} is no option\n", word);
      std::exit(2);
    }
  }
  return options;
}

}  // namespace

int run(int count, char** words) {
  Bench bench(parse(count, words));
  bench.fill();
  bench.churn();
  fmt::print("{}\n", bench.report());
  return 0;
}

}  // namespace stellwerk::placement

int main(int count, char** words) {
  return stellwerk::placement::run(count, words);
}
