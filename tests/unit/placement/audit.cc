#include "audit.h"

#include <fmt/format.h>

#include <algorithm>

namespace stellwerk::placement {
namespace {

// Collects what is broken of one host.
struct Book {
  const World& world;
  const Host& host;
  std::vector<Claim> claims;  // of this host
  std::vector<std::string>& broken;

  template <class... Args>
  void need(bool holds, fmt::format_string<const Args&...> text, const Args&... args) {
    if (!holds) broken.push_back(host.id + ": " + fmt::format(text, args...));
  }
  ForeignUse foreign() const {
    const auto found = world.foreign.find(host.uid);
    return found == world.foreign.end() ? ForeignUse() : found->second;
  }
};

int64_t part(int64_t amount, const Claim& claim) {
  const auto nodes = static_cast<int64_t>(claim.numa_nodes.size());
  return (amount + nodes - 1) / nodes;
}

bool is_bound_to(const Claim& claim, const NumaNode& node) {
  return claim.by_node && std::count(claim.numa_nodes.begin(), claim.numa_nodes.end(), node.id) > 0;
}

int64_t pages_of(const NumaNode& node, PageSize size) {
  return size == PageSize::k2MiB ? node.pages_2mib : node.pages_1gib;
}

int64_t huge_bytes(const NumaNode& node) {
  return node.pages_2mib * (int64_t{2} << 20) + node.pages_1gib * (int64_t{1} << 30);
}

void check_bytes(Book& book) {
  int64_t memory = 0;
  int64_t disk = 0;
  int64_t bandwidth = 0;
  std::map<std::string, int64_t> devices;
  for (const Claim& claim : book.claims) {
    memory += claim.memory.count();
    disk += claim.disk.count();
    bandwidth += claim.bandwidth.count();
    for (const DeviceCount& one : claim.devices) devices[one.device_class] += one.count;
  }
  const HostFacts& facts = book.host.facts;
  int64_t offered =
      facts.memory.count() - book.host.reserve.memory.count() - book.foreign().memory.count();
  for (const NumaNode& node : facts.numa) offered -= huge_bytes(node);
  book.need(memory == 0 || memory <= offered, "memory {} of {}", memory, offered);
  const int64_t room =
      facts.disk.count() - book.host.reserve.disk.count() - book.world.images.count();
  book.need(disk == 0 || disk <= room, "disk {} of {}", disk, room);
  book.need(bandwidth <= facts.bandwidth.count(), "bandwidth {}", bandwidth);
  for (const auto& [name, count] : devices) {
    int64_t there = 0;
    for (const DeviceCount& one : facts.devices) there += one.device_class == name ? one.count : 0;
    book.need(count <= there, "{} of {} {}", count, there, name);
  }
}

struct VcpuSums {
  int64_t shared = 0;
  int64_t low = 0;
  int64_t dedicated = 0;  // threads
};

// Processors of which `use.dedicated` threads are gone keep the promises to the others.
bool keep_limits(const VcpuSums& use, int64_t cores, int64_t threads, const CpuLimits& limits) {
  const int64_t left = threads - use.dedicated;
  const int64_t thirds =
      use.shared * limits.low_performance_per_thread + use.low * limits.shared_per_thread;
  return left >= 0 &&
         thirds <= left * limits.shared_per_thread * limits.low_performance_per_thread &&
         use.shared * threads <= left * cores * limits.shared_per_core;
}

void check_vcpus(Book& book) {
  const HostFacts& facts = book.host.facts;
  VcpuSums use{.shared = book.foreign().vcpus.count()};
  const int64_t per_core = facts.cores > 0 ? (facts.threads + facts.cores - 1) / facts.cores : 0;
  int64_t counted = 0;
  for (const Claim& claim : book.claims) {
    const int64_t vcpus = claim.vcpus.count();
    counted += vcpus;
    if (claim.cpu_class == CpuClass::kShared) use.shared += vcpus;
    if (claim.cpu_class == CpuClass::kLowPerformance) use.low += vcpus;
    if (!is_dedicated(claim.cpu_class)) continue;
    const bool core = claim.cpu_class == CpuClass::kDedicatedCore;
    use.dedicated += claim.cpus.empty() ? vcpus * (core ? per_core : 1) : std::ssize(claim.cpus);
  }
  if (counted == 0) return;
  const CpuLimits& limits = book.world.settings.cpu_limits;
  book.need(keep_limits(use, facts.cores, facts.threads, limits),
            "{} shared, {} low, {} dedicated on {} cores with {} threads", use.shared, use.low,
            use.dedicated, facts.cores, facts.threads);
  book.need(use.dedicated == 0 || facts.threads - use.dedicated >= limits.shared_threads_min,
            "{} dedicated of {} threads", use.dedicated, facts.threads);
}

void check_pins(Book& book) {
  std::map<int32_t, std::vector<int32_t>> core_of;
  std::map<int32_t, int32_t> node_of;
  for (const NumaNode& node : book.host.facts.numa) {
    for (const HostCore& core : node.cores) {
      for (const int32_t thread : core.threads) {
        core_of[thread] = core.threads;
        node_of[thread] = node.id;
      }
    }
  }
  std::set<int32_t> taken;
  for (const Claim& claim : book.claims) {
    if (!is_dedicated(claim.cpu_class)) {
      book.need(claim.cpus.empty(), "a shared guest is pinned");
      continue;
    }
    std::set<int32_t> nodes;
    for (const int32_t cpu : claim.cpus) {
      book.need(core_of.contains(cpu), "thread {} is not there", cpu);
      book.need(taken.insert(cpu).second, "thread {} is given twice", cpu);
      nodes.insert(node_of[cpu]);
      if (claim.cpu_class != CpuClass::kDedicatedCore) continue;
      for (const int32_t other : core_of[cpu]) {
        book.need(std::count(claim.cpus.begin(), claim.cpus.end(), other) == 1,
                  "the core of {} is divided", cpu);
      }
    }
    if (claim.cpu_class == CpuClass::kDedicatedThread) {
      book.need(std::ssize(claim.cpus) == claim.vcpus.count(), "a thread for each vCPU");
    }
    book.need(std::vector<int32_t>(nodes.begin(), nodes.end()) == claim.numa_nodes,
              "its nodes are not those of its threads");
  }
}

void check_node(Book& book, const NumaNode& node) {
  int64_t memory = 0;
  std::map<PageSize, int64_t> pages;
  VcpuSums use;
  int64_t threads = 0;
  for (const HostCore& core : node.cores) {
    threads += std::ssize(core.threads);
    for (const Claim& claim : book.claims) {
      for (const int32_t cpu : claim.cpus) {
        use.dedicated += std::count(core.threads.begin(), core.threads.end(), cpu);
      }
    }
  }
  int64_t bound = 0;
  for (const Claim& claim : book.claims) {
    if (!is_bound_to(claim, node)) continue;
    ++bound;
    memory += part(claim.memory.count(), claim);
    pages[claim.page_size] += part(claim.pages, claim);
    const int64_t vcpus = part(claim.vcpus.count(), claim);
    if (claim.cpu_class == CpuClass::kShared) use.shared += vcpus;
    if (claim.cpu_class == CpuClass::kLowPerformance) use.low += vcpus;
    const auto own = std::count_if(claim.cpus.begin(), claim.cpus.end(), [&](int32_t cpu) {
      return std::any_of(node.cores.begin(), node.cores.end(), [&](const HostCore& core) {
        return std::count(core.threads.begin(), core.threads.end(), cpu) > 0;
      });
    });
    book.need(own * std::ssize(claim.numa_nodes) == std::ssize(claim.cpus),
              "threads are not shared evenly by nodes");
  }
  if (bound == 0) return;
  book.need(memory <= node.memory.count() - huge_bytes(node), "node {}: memory {} of {}", node.id,
            memory, node.memory.count() - huge_bytes(node));
  for (const PageSize size : {PageSize::k2MiB, PageSize::k1GiB}) {
    book.need(pages[size] <= pages_of(node, size), "node {}: {} pages", node.id, pages[size]);
  }
  book.need(keep_limits(use, std::ssize(node.cores), threads, book.world.settings.cpu_limits),
            "node {}: {} shared, {} low, {} dedicated on {} threads", node.id, use.shared, use.low,
            use.dedicated, threads);
}

void check_nodes(Book& book) {
  std::map<PageSize, int64_t> pages;
  std::map<PageSize, int64_t> offered;
  for (const NumaNode& node : book.host.facts.numa) {
    check_node(book, node);
    for (const PageSize size : {PageSize::k2MiB, PageSize::k1GiB}) {
      offered[size] += pages_of(node, size);
    }
  }
  for (const Claim& claim : book.claims) pages[claim.page_size] += claim.pages;
  for (const PageSize size : {PageSize::k2MiB, PageSize::k1GiB}) {
    book.need(pages[size] <= offered[size], "{} of {} pages", pages[size], offered[size]);
  }
}

// Twice what the feed delivers when `failed` is out of service; nobody's uid: none is.
int64_t twice_the_load(const World& world, const std::map<RackUid, int64_t>& draws,
                       const FeedUid& feed, const FeedUid& failed) {
  int64_t twice = 0;
  for (const Rack& rack : world.topology.racks) {
    const auto found = draws.find(rack.uid);
    if (found == draws.end()) continue;
    std::vector<FeedUid> alive;
    for (const FeedUid& one : rack.feeds) {
      if (one != failed) alive.push_back(one);
    }
    if (std::count(alive.begin(), alive.end(), feed) == 0) continue;
    twice += 2 * found->second / std::ssize(alive);
  }
  return twice;
}

void check_power(const World& world, const std::vector<Running>& guests,
                 std::vector<std::string>& broken) {
  std::map<RackUid, int64_t> draws;
  for (const Host& host : world.hosts) draws[host.rack] += host.power.idle.count();
  for (const Running& guest : guests) {
    draws[world.host(guest.claim.host).rack] += guest.claim.power.count();
  }
  for (const Rack& rack : world.topology.racks) {
    if (rack.power_limit && draws[rack.uid] > rack.power_limit->count()) {
      broken.push_back(fmt::format("{} draws {} mW", rack.id, draws[rack.uid]));
    }
  }
  for (const Feed& feed : world.topology.feeds) {
    std::vector<FeedUid> failures = {FeedUid()};
    for (const Feed& other : world.topology.feeds) {
      if (other.uid != feed.uid) failures.push_back(other.uid);
    }
    for (const FeedUid& failed : failures) {
      if (twice_the_load(world, draws, feed.uid, failed) > 2 * feed.budget.count()) {
        broken.push_back(fmt::format("{} exceeds its budget", feed.id));
      }
    }
  }
}

void check_groups(const World& world, const std::vector<Running>& guests,
                  std::vector<std::string>& broken) {
  for (const auto& [uid, rules] : world.groups) {
    for (const GroupRule& rule : rules) {
      if (!rule.hard) continue;
      std::map<std::string, int64_t> members;
      for (const Running& guest : guests) {
        if (guest.group == uid) ++members[world.domain(guest.claim.host, rule.level)];
      }
      if (rule.policy == GroupPolicy::kAffinity) {
        if (members.size() > 1) broken.push_back("a group is not together");
        continue;
      }
      for (const auto& [domain, count] : members) {
        if (count > rule.most_per_domain) {
          broken.push_back(
              fmt::format("{} members in {} {}", count, to_string(rule.level), domain));
        }
      }
    }
  }
}

bool has(const Host& host, const LabelMatch& match) {
  const auto found = host.labels.find(match.key);
  return found != host.labels.end() && (!match.value || found->second == *match.value);
}

int rank(DiskType type) {
  return type == DiskType::kNvme ? 3 : type == DiskType::kSsd ? 2 : type == DiskType::kHardDisk;
}

}  // namespace

std::vector<Running> running(const World& world) {
  std::vector<Running> guests;
  for (const Guest& guest : world.guests) {
    guests.push_back({guest.occupation.claim, guest.occupation.group});
  }
  return guests;
}

std::vector<std::string> broken_promises(const World& world, const std::vector<Running>& guests) {
  std::vector<std::string> broken;
  for (const Host& host : world.hosts) {
    Book book{world, host, {}, broken};
    for (const Running& guest : guests) {
      if (guest.claim.host == host.uid) book.claims.push_back(guest.claim);
    }
    if (book.claims.empty()) continue;
    check_bytes(book);
    check_vcpus(book);
    check_pins(book);
    check_nodes(book);
  }
  check_power(world, guests, broken);
  check_groups(world, guests, broken);
  return broken;
}

std::vector<std::string> unkept_wishes(const World& world, const Host& host, const Request& request,
                                       bool connected) {
  std::vector<std::string> unkept;
  const auto need = [&](bool holds, const char* what) {
    if (!holds) unkept.push_back(host.id + ": " + what);
  };
  const Wishes& wishes = request.wishes;
  need(!connected || world.accepting.contains(host.uid), "connected");
  need(!world.fenced.contains(host.uid), "fenced");
  need(!host.maintenance, "maintenance");
  for (const LabelMatch& one : wishes.required_labels) need(has(host, one), "required label");
  for (const LabelMatch& one : wishes.forbidden_labels) need(!has(host, one), "forbidden label");
  const auto& baselines = host.facts.cpu_baselines;
  need(wishes.cpu_baseline.empty() ||
           std::count(baselines.begin(), baselines.end(), wishes.cpu_baseline) > 0,
       "baseline");
  need(rank(host.facts.disk_type) >= rank(request.disk_type), "disk type");
  const std::string rack = world.rack_id(host.uid) + "/";
  need(wishes.within.empty() || rack.starts_with(wishes.within + "/"), "place");
  return unkept;
}

}  // namespace stellwerk::placement
