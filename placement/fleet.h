// The fleet as placement sees it: where hosts stand, what they offer, what is taken and what is
// kept for failures. Hosts are ordered by site, zone, rack and uid, so every failure domain is a
// range. A value without identity of instances: sums over claims, kept current by
// `charge`/`release`.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/model.h"
#include "placement/amounts.h"
#include "placement/host_numbers.h"

namespace stellwerk::placement {

// Oversubscription of shared processors; each at least 1. SCS-0100: V at most 5 a core and 3 a
// thread.
struct CpuLimits {
  int64_t shared_per_core = 5;
  int64_t shared_per_thread = 3;
  int64_t low_performance_per_thread = 16;
  // Hardware threads of each host that no dedicated guest gets: for the host itself, for emulators
  // and for shared guests.
  int64_t shared_threads_min = 1;
};

// What one more guest could take. Never negative: who is overcommitted has nothing left.
struct NodeRoom {
  std::array<int64_t, kCpuClasses> vcpus{};  // one class at the cost of the others
  int64_t memory = 0;
  std::array<int64_t, kHugePageSizes> pages{};
  friend bool operator==(const NodeRoom&, const NodeRoom&) = default;
};
struct Room {
  std::array<int64_t, kCpuClasses> vcpus{};
  int64_t memory = 0;
  int64_t disk = 0;
  int64_t bandwidth = 0;
  std::array<int64_t, kHugePageSizes> pages{};
  std::vector<int64_t> devices;  // by the fleet's order of classes
  std::vector<NodeRoom> nodes;
  friend bool operator==(const Room&, const Room&) = default;
};

// A host that keeps room for guests of more domains than this takes no further one.
inline constexpr size_t kMostDomainsPerHost = 64;

// What a host keeps for guests of other failure domains: for each such domain what it would
// receive, and of those the largest, because only one domain is lost at a time.
struct Reserve {
  struct FromDomain {
    uint32_t domain = 0;  // an index at the level of the guarantee
    int32_t guests = 0;
    Amounts sum;
    friend bool operator==(const FromDomain&, const FromDomain&) = default;
  };
  std::vector<FromDomain> domains;  // ordered by domain
  Amounts largest;                  // of each element
  bool is_full() const { return domains.size() >= kMostDomainsPerHost; }
  // Null if nothing is kept for the domain.
  const FromDomain* find(uint32_t domain) const;
  friend bool operator==(const Reserve&, const Reserve&) = default;
};

// Threads and cores that could still be pinned, of a host or of one node.
struct PinRoom {
  int64_t cores = 0;               // claimed or not
  int64_t threads = 0;             // that no claim names
  int64_t claimed_threads = 0;     // that the host still has
  int64_t whole_cores = 0;         // of the largest size, none of whose threads is claimed
  int64_t threads_of_largest = 0;  // of the host's cores: what a vCPU of class C takes
  friend bool operator==(const PinRoom&, const PinRoom&) = default;
};

// Equal hosts share one.
struct CpuLayout {
  std::vector<NumaNode> nodes;
  PinRoom unclaimed;  // without any claim
  std::vector<PinRoom> unclaimed_of_node;
};

// What a host has, as its agent and its operators say.
struct HostOffer {
  int64_t cores = 0;
  int64_t threads = 0;
  Bytes memory;
  Bytes disk;
  DiskType disk_type = DiskType::kUnspecified;
  MegabitsPerSecond bandwidth;
  std::vector<int64_t> devices;  // by the fleet's order of classes
  std::vector<std::string> cpu_baselines;
  std::shared_ptr<const CpuLayout> layout;  // null: not known, nothing can be pinned
};

struct HostLoad {
  HostUid uid;
  std::string id;
  HostOffer offer;
  HostReserve reserve;
  Labels labels;
  HostPower power;
  uint32_t rack = 0;  // an index into Fleet::racks
  ForeignUse foreign;
  bool accepting = false;  // its agent is connected and reports
  bool maintenance = false;
  bool fenced = false;
  Bytes images;  // files of images, which no claim stands for

  // Sums over the claims on this host.
  Amounts used;
  std::array<int64_t, kCpuClasses> pinned{};  // vCPUs of those whose claims name threads
  std::map<int32_t, int64_t> dedicated;       // threads that claims name, and how many do: one
  int64_t guests = 0;
  Reserve backups;

  // Derived from all of the above by `refresh`.
  Room room;
  // What there would be without any claim, of one class at the cost of the others.
  std::array<int64_t, kCpuClasses> all_vcpus{};
  int64_t all_memory = 0;  // in normal pages

  const std::vector<NumaNode>& nodes() const;  // none where the layout is not known
};

// Whether the claim is counted on NUMA nodes: it says so and names some.
bool is_bound(const Claim& claim);

// Whether the same is taken, kept and left: what two ways to the same claims must agree on.
bool same_load(const HostLoad& a, const HostLoad& b);

// A range of Fleet::hosts and the draw in it.
struct RackLoad {
  std::string id;  // "dc1/a/r07"; empty: of hosts that stand nowhere
  uint32_t zone = 0;
  uint32_t first_host = 0;
  uint32_t end_host = 0;
  std::vector<uint32_t> feeds;
  std::optional<Milliwatts> power_limit;
  Milliwatts draw;  // idle hosts, claims, and what is kept for failures
  friend bool operator==(const RackLoad&, const RackLoad&) = default;
};
struct ZoneRange {
  std::string id;
  uint32_t site = 0;
  uint32_t first_host = 0;
  uint32_t end_host = 0;
  friend bool operator==(const ZoneRange&, const ZoneRange&) = default;
};
struct SiteRange {
  std::string id;
  uint32_t first_host = 0;
  uint32_t end_host = 0;
  friend bool operator==(const SiteRange&, const SiteRange&) = default;
};

// The draw of racks that hang on this feed alone, and of those that share it with another.
struct FeedLoad {
  struct Shared {
    uint32_t partner = 0;
    Milliwatts draw;
    friend bool operator==(const Shared&, const Shared&) = default;
  };
  std::string id;
  Milliwatts budget;
  Milliwatts alone;
  std::vector<Shared> shared;  // ordered by partner
  friend bool operator==(const FeedLoad&, const FeedLoad&) = default;
};

// Storage that many hosts share.
struct Pool {
  std::string id;
  Bytes capacity;
  Bytes used;
  friend bool operator==(const Pool&, const Pool&) = default;
};

// Whether so many instances with so much each have room, whose product may be more than can be
// counted.
inline bool has_room(const Pool& pool, Bytes each, int64_t count) {
  return each.count() <= (pool.capacity - pool.used).count() / count;
}

struct Topology {
  std::vector<Site> sites;
  std::vector<Zone> zones;
  std::vector<Feed> feeds;
  std::vector<Rack> racks;
};

class Fleet {
 public:
  Fleet() = default;
  // Nothing is charged and no host accepts. Hosts whose rack is not there stand nowhere.
  Fleet(const CpuLimits& limits, const Topology& topology, const std::vector<Host>& hosts);

  const CpuLimits& cpu_limits() const { return cpu_limits_; }
  const std::vector<HostLoad>& hosts() const { return hosts_; }
  const std::vector<RackLoad>& racks() const { return racks_; }
  const std::vector<ZoneRange>& zones() const { return zones_; }
  const std::vector<SiteRange>& sites() const { return sites_; }
  const std::vector<FeedLoad>& feeds() const { return feeds_; }
  const std::vector<Pool>& pools() const { return pools_; }
  const std::vector<std::string>& device_classes() const { return device_classes_; }

  static constexpr uint32_t kNone = HostNumbers::kNone;
  // The index of the host, or kNone.
  uint32_t index_of(const HostUid& host) const;
  const HostLoad* find(const HostUid& host) const;
  // Has all of it fetched while something else is done: a fleet is larger than any cache.
  void prefetch(uint32_t host) const;
  uint32_t device_class(std::string_view name) const;  // or kNone

  // The index of the failure domain that the host is in; of kHost its own index.
  uint32_t domain_of(uint32_t host, DomainLevel level) const;
  uint32_t domains(DomainLevel level) const;
  std::string domain_name(uint32_t domain, DomainLevel level) const;
  struct HostRange {
    uint32_t first = 0;
    uint32_t end = 0;
  };
  HostRange hosts_of(uint32_t domain, DomainLevel level) const;
  // Of "dc1", "dc1/a", "dc1/a/r07", or everything for an empty name; nothing if there is no such.
  std::optional<HostRange> find_place(std::string_view name) const;

  // Everything of the host but where it stands and what is charged.
  void describe(uint32_t host, const Host& description);
  // Not if it has devices of a class that no host had, or other NUMA nodes, by which its guests are
  // charged; and its rack must be as before.
  bool can_describe(const Host& description) const;
  void set_accepting(uint32_t host, bool accepting);
  void set_foreign(uint32_t host, const ForeignUse& foreign);
  void set_images(Bytes images);  // on every host
  void set_fenced(uint32_t host, bool fenced);
  void hold_cpus(uint32_t host, const std::vector<int32_t>& cpus);
  void let_go_cpus(uint32_t host, const std::vector<int32_t>& cpus);
  void set_pools(std::vector<Pool> pools) { pools_ = std::move(pools); }

  // What the claim takes, by the orders of classes and nodes of the host.
  Amounts amounts_of(const Claim& claim, uint32_t host) const;
  // `release` undoes `charge` exactly; releasing what was not charged is a broken invariant and
  // aborts.
  void charge(uint32_t host, const Claim& claim);
  void release(uint32_t host, const Claim& claim);
  // For looking at what a further guest there would leave; undone by the negative.
  void preview_draw(uint32_t rack, Milliwatts change) { move_draw(rack, change); }
  // The hosts that keep room for guests of the domain, ascending.
  const std::vector<uint32_t>& keepers_of(uint32_t domain) const;
  // For the loss of a failure domain. Whether the host has other room than before, or became or
  // ceased to be full of domains: most backups find kept what they need.
  bool keep(uint32_t host, uint32_t domain, const Amounts& amounts);
  bool give_back(uint32_t host, uint32_t domain, const Amounts& amounts);

 private:
  void stand(const Topology& topology, const std::vector<Host>& hosts);
  void number_domains();
  void take_description(HostLoad& load, const Host& description);
  void refresh(uint32_t host);
  void refresh_room(uint32_t host, const Amounts& changed, bool pins);
  void move_draw(uint32_t rack, Milliwatts change);

  CpuLimits cpu_limits_;
  std::vector<HostLoad> hosts_;
  std::vector<RackLoad> racks_;
  std::vector<ZoneRange> zones_;
  std::vector<SiteRange> sites_;
  std::vector<FeedLoad> feeds_;
  std::vector<Pool> pools_;
  std::vector<std::vector<uint32_t>> keepers_;  // by domain, as far as there are any
  std::vector<std::string> device_classes_;     // ordered
  std::vector<std::shared_ptr<const CpuLayout>> layouts_;
  HostNumbers by_uid_;
};

}  // namespace stellwerk::placement
