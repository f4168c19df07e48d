#include "placement/fleet.h"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <tuple>
#include <utility>

#include "placement/capacity.h"
#include "placement/power.h"
#include "placement/processors.h"

namespace stellwerk::placement {
namespace {

std::string parent_of(const std::string& id) {
  const size_t slash = id.rfind('/');
  return slash == std::string::npos ? std::string() : id.substr(0, slash);
}

// Where a host stands, as ids; all empty if nowhere, which comes first.
struct Place {
  std::string site;
  std::string zone;
  std::string rack;
  friend auto operator<=>(const Place&, const Place&) = default;
};

Place place_of(const std::string& rack) {
  const std::string zone = parent_of(rack);
  return {.site = parent_of(zone), .zone = zone, .rack = rack};
}

// The order of places: "dc/a" comes before "dc-1/a", as "dc" does before "dc-1".
bool stands_before(std::string_view a, std::string_view b) {
  const auto rank = [](char c) { return c == '/' ? 0 : static_cast<int>(c); };
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [&](char x, char y) { return rank(x) < rank(y); });
}

std::shared_ptr<const CpuLayout> shared_layout(
    std::vector<std::shared_ptr<const CpuLayout>>& layouts, const std::vector<NumaNode>& nodes) {
  if (nodes.empty()) return nullptr;
  const auto found = std::find_if(layouts.begin(), layouts.end(),
                                  [&](const auto& layout) { return layout->nodes == nodes; });
  if (found != layouts.end()) return *found;
  layouts.push_back(std::make_shared<const CpuLayout>(layout_of(nodes)));
  return layouts.back();
}

std::vector<uint32_t> feed_numbers(const Rack& rack, const std::vector<Feed>& feeds) {
  std::vector<uint32_t> numbers;
  for (const FeedUid& uid : rack.feeds) {
    for (uint32_t i = 0; i < feeds.size(); ++i) {
      if (feeds[i].uid == uid) numbers.push_back(i);
    }
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

template <class Range>
bool takes(std::vector<Range>& ranges, const std::string& id, uint32_t host) {
  if (ranges.empty() || ranges.back().id != id) return false;
  ranges.back().end_host = host + 1;
  return true;
}

void take_back(std::map<int32_t, int64_t>& used, int32_t key) {
  const auto found = used.find(key);
  if (found == used.end()) std::abort();
  if (--found->second == 0) used.erase(found);
}

template <class Domains>
auto entry_of(Domains& domains, uint32_t domain) {
  return std::lower_bound(
      domains.begin(), domains.end(), domain,
      [](const Reserve::FromDomain& entry, uint32_t wanted) { return entry.domain < wanted; });
}

}  // namespace

const std::vector<NumaNode>& HostLoad::nodes() const {
  static const std::vector<NumaNode> kNone;
  return offer.layout ? offer.layout->nodes : kNone;
}

const Reserve::FromDomain* Reserve::find(uint32_t domain) const {
  const auto entry = entry_of(domains, domain);
  return entry != domains.end() && entry->domain == domain ? &*entry : nullptr;
}

bool is_bound(const Claim& claim) {
  return claim.by_node && !claim.numa_nodes.empty();
}

bool same_load(const HostLoad& a, const HostLoad& b) {
  return std::tie(a.uid, a.rack, a.used, a.pinned, a.dedicated, a.guests, a.backups, a.room) ==
         std::tie(b.uid, b.rack, b.used, b.pinned, b.dedicated, b.guests, b.backups, b.room);
}

Fleet::Fleet(const CpuLimits& limits, const Topology& topology, const std::vector<Host>& hosts)
    : cpu_limits_(limits) {
  std::set<std::string> classes;
  for (const Host& host : hosts) {
    for (const DeviceCount& device : host.facts.devices) classes.insert(device.device_class);
  }
  device_classes_.assign(classes.begin(), classes.end());
  for (const Feed& feed : topology.feeds) {
    feeds_.push_back({.id = feed.id, .budget = feed.budget});
  }
  stand(topology, hosts);
}

// Sorts the hosts and draws the ranges of their racks, zones and sites.
void Fleet::stand(const Topology& topology, const std::vector<Host>& hosts) {
  std::map<RackUid, const Rack*> racks;
  for (const Rack& rack : topology.racks) racks[rack.uid] = &rack;
  std::vector<std::tuple<Place, HostUid, const Host*, const Rack*>> order;
  for (const Host& host : hosts) {
    const auto found = racks.find(host.rack);
    const Rack* rack = found == racks.end() ? nullptr : found->second;
    order.emplace_back(rack ? place_of(rack->id) : Place(), host.uid, &host, rack);
  }
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return std::tie(std::get<0>(a), std::get<1>(a)) < std::tie(std::get<0>(b), std::get<1>(b));
  });
  hosts_.resize(order.size());
  by_uid_ = HostNumbers(order.size());
  for (uint32_t i = 0; i < order.size(); ++i) {
    const auto& [place, uid, host, rack] = order[i];
    if (!takes(sites_, place.site, i)) sites_.push_back({place.site, i, i + 1});
    const auto site = static_cast<uint32_t>(sites_.size() - 1);
    if (!takes(zones_, place.zone, i)) zones_.push_back({place.zone, site, i, i + 1});
    const auto zone = static_cast<uint32_t>(zones_.size() - 1);
    if (!takes(racks_, place.rack, i)) {
      racks_.push_back({.id = place.rack, .zone = zone, .first_host = i, .end_host = i + 1});
      if (rack) {
        racks_.back().feeds = feed_numbers(*rack, topology.feeds);
        racks_.back().power_limit = rack->power_limit;
      }
    }
    hosts_[i].uid = uid;
    hosts_[i].rack = static_cast<uint32_t>(racks_.size() - 1);
    by_uid_.add(uid, i);
    describe(i, *host);
  }
  // Who shares with whom is known from the beginning, so that what has come and gone leaves
  // nothing.
  for (RackLoad& rack : racks_) add_draw(rack, feeds_, Milliwatts());
}

uint32_t Fleet::index_of(const HostUid& host) const {
  return by_uid_.find(host, [&](uint32_t number) { return hosts_[number].uid == host; });
}

void Fleet::prefetch(uint32_t host) const {
  constexpr size_t kCacheLine = 64;
  const char* load = reinterpret_cast<const char*>(&hosts_[host]);
  for (size_t at = 0; at < sizeof(HostLoad); at += kCacheLine) __builtin_prefetch(load + at);
}

const HostLoad* Fleet::find(const HostUid& host) const {
  const uint32_t index = index_of(host);
  return index == kNone ? nullptr : &hosts_[index];
}

uint32_t Fleet::device_class(std::string_view name) const {
  const auto found = std::lower_bound(device_classes_.begin(), device_classes_.end(), name);
  if (found == device_classes_.end() || *found != name) return kNone;
  return static_cast<uint32_t>(found - device_classes_.begin());
}

uint32_t Fleet::domain_of(uint32_t host, DomainLevel level) const {
  const uint32_t rack = hosts_[host].rack;
  switch (level) {
    case DomainLevel::kHost:
      return host;
    case DomainLevel::kRack:
      return rack;
    case DomainLevel::kZone:
      return racks_[rack].zone;
    case DomainLevel::kSite:
      return zones_[racks_[rack].zone].site;
  }
  return kNone;
}

uint32_t Fleet::domains(DomainLevel level) const {
  switch (level) {
    case DomainLevel::kHost:
      return static_cast<uint32_t>(hosts_.size());
    case DomainLevel::kRack:
      return static_cast<uint32_t>(racks_.size());
    case DomainLevel::kZone:
      return static_cast<uint32_t>(zones_.size());
    case DomainLevel::kSite:
      return static_cast<uint32_t>(sites_.size());
  }
  return 0;
}

std::string Fleet::domain_name(uint32_t domain, DomainLevel level) const {
  switch (level) {
    case DomainLevel::kHost:
      return hosts_[domain].id;
    case DomainLevel::kRack:
      return racks_[domain].id;
    case DomainLevel::kZone:
      return zones_[domain].id;
    case DomainLevel::kSite:
      return sites_[domain].id;
  }
  return "";
}

Fleet::HostRange Fleet::hosts_of(uint32_t domain, DomainLevel level) const {
  switch (level) {
    case DomainLevel::kHost:
      return {domain, domain + 1};
    case DomainLevel::kRack:
      return {racks_[domain].first_host, racks_[domain].end_host};
    case DomainLevel::kZone:
      return {zones_[domain].first_host, zones_[domain].end_host};
    case DomainLevel::kSite:
      return {sites_[domain].first_host, sites_[domain].end_host};
  }
  return {};
}

std::optional<Fleet::HostRange> Fleet::find_place(std::string_view name) const {
  if (name.empty()) return HostRange{0, static_cast<uint32_t>(hosts_.size())};
  const auto find = [name](const auto& ranges) -> std::optional<HostRange> {
    const auto found = std::lower_bound(
        ranges.begin(), ranges.end(), name,
        [](const auto& range, std::string_view id) { return stands_before(range.id, id); });
    if (found == ranges.end() || found->id != name) return std::nullopt;
    return HostRange{found->first_host, found->end_host};
  };
  if (const auto site = find(sites_)) return site;
  if (const auto zone = find(zones_)) return zone;
  return find(racks_);
}

void Fleet::take_description(HostLoad& load, const Host& description) {
  const HostFacts& facts = description.facts;
  load.id = description.id;
  load.reserve = description.reserve;
  load.labels = description.labels;
  load.power = description.power;
  load.maintenance = description.maintenance;
  load.offer = {.cores = facts.cores,
                .threads = facts.threads,
                .memory = facts.memory,
                .disk = facts.disk,
                .disk_type = facts.disk_type,
                .bandwidth = facts.bandwidth,
                .devices = std::vector<int64_t>(device_classes_.size()),
                .cpu_baselines = facts.cpu_baselines,
                .layout = shared_layout(layouts_, facts.numa)};
  for (const DeviceCount& device : facts.devices) {
    const uint32_t number = device_class(device.device_class);
    if (number != kNone) load.offer.devices[number] += device.count;
  }
}

void Fleet::describe(uint32_t host, const Host& description) {
  HostLoad& load = hosts_[host];
  const Milliwatts idle = load.power.idle;
  take_description(load, description);
  move_draw(load.rack, load.power.idle - idle);
  refresh(host);
}

bool Fleet::can_describe(const Host& description) const {
  for (const DeviceCount& device : description.facts.devices) {
    if (device_class(device.device_class) == kNone) return false;
  }
  const HostLoad* host = find(description.uid);
  const auto same_id = [](const NumaNode& a, const NumaNode& b) { return a.id == b.id; };
  const auto& nodes = description.facts.numa;
  return host != nullptr && std::equal(host->nodes().begin(), host->nodes().end(), nodes.begin(),
                                       nodes.end(), same_id);
}

void Fleet::refresh(uint32_t host) {
  compute_room(hosts_[host], cpu_limits_, hosts_[host].room);
  compute_all(hosts_[host], cpu_limits_);
}

// After so much of it has been taken, kept or given back; `pins`: with single threads.
void Fleet::refresh_room(uint32_t host, const Amounts& changed, bool pins) {
  HostLoad& load = hosts_[host];
  if (!pins && changed.nodes.empty() && changed.pages == decltype(changed.pages){}) {
    compute_room_of_whole(load, cpu_limits_, load.room);
  } else {
    compute_room(load, cpu_limits_, load.room);
  }
}

void Fleet::set_accepting(uint32_t host, bool accepting) {
  hosts_[host].accepting = accepting;
}

void Fleet::set_foreign(uint32_t host, const ForeignUse& foreign) {
  hosts_[host].foreign = foreign;
  refresh(host);
}

void Fleet::set_images(Bytes images) {
  for (uint32_t host = 0; host < hosts_.size(); ++host) {
    hosts_[host].images = images;
    refresh(host);
  }
}

void Fleet::set_fenced(uint32_t host, bool fenced) {
  hosts_[host].fenced = fenced;
}

void Fleet::hold_cpus(uint32_t host, const std::vector<int32_t>& cpus) {
  for (const int32_t cpu : cpus) ++hosts_[host].dedicated[cpu];
  refresh(host);
}

void Fleet::let_go_cpus(uint32_t host, const std::vector<int32_t>& cpus) {
  for (const int32_t cpu : cpus) take_back(hosts_[host].dedicated, cpu);
  refresh(host);
}

void Fleet::move_draw(uint32_t rack, Milliwatts change) {
  if (change != Milliwatts()) add_draw(racks_[rack], feeds_, change);
}

Amounts Fleet::amounts_of(const Claim& claim, uint32_t host) const {
  Amounts amounts;
  amounts.vcpus[placement::index_of(claim.cpu_class)] = claim.vcpus.count();
  amounts.memory = claim.memory.count();
  amounts.disk = claim.disk.count();
  amounts.bandwidth = claim.bandwidth.count();
  amounts.power = claim.power.count();
  if (claim.page_size != PageSize::kNormal) {
    amounts.pages[placement::index_of(claim.page_size)] = claim.pages;
  }
  for (const DeviceCount& device : claim.devices) {
    const uint32_t number = device_class(device.device_class);
    if (number == kNone) continue;  // no host has it any more
    amounts.devices.resize(device_classes_.size());
    amounts.devices[number] += device.count;
  }
  if (!is_bound(claim)) return amounts;
  const std::vector<NumaNode>& nodes = hosts_[host].nodes();
  const NodeAmounts share = share_of_node(amounts, static_cast<int64_t>(claim.numa_nodes.size()));
  for (size_t i = 0; i < nodes.size(); ++i) {
    const auto& ids = claim.numa_nodes;
    if (std::find(ids.begin(), ids.end(), nodes[i].id) == ids.end()) continue;
    amounts.nodes.resize(nodes.size());
    amounts.nodes[i] = share;
  }
  return amounts;
}

void Fleet::charge(uint32_t index, const Claim& claim) {
  HostLoad& host = hosts_[index];
  const Amounts amounts = amounts_of(claim, index);
  add(host.used, amounts);
  ++host.guests;
  if (!claim.cpus.empty()) {
    host.pinned[placement::index_of(claim.cpu_class)] += claim.vcpus.count();
  }
  for (const int32_t cpu : claim.cpus) ++host.dedicated[cpu];
  move_draw(host.rack, claim.power);
  refresh_room(index, amounts, !claim.cpus.empty());
}

void Fleet::release(uint32_t index, const Claim& claim) {
  HostLoad& host = hosts_[index];
  const Amounts amounts = amounts_of(claim, index);
  subtract(host.used, amounts);
  if (--host.guests < 0) std::abort();
  if (!claim.cpus.empty()) {
    int64_t& pinned = host.pinned[placement::index_of(claim.cpu_class)];
    if (claim.vcpus.count() > pinned) std::abort();
    pinned -= claim.vcpus.count();
  }
  for (const int32_t cpu : claim.cpus) take_back(host.dedicated, cpu);
  move_draw(host.rack, Milliwatts() - claim.power);
  refresh_room(index, amounts, !claim.cpus.empty());
}

const std::vector<uint32_t>& Fleet::keepers_of(uint32_t domain) const {
  static const std::vector<uint32_t> kNobody;
  return domain < keepers_.size() ? keepers_[domain] : kNobody;
}

bool Fleet::keep(uint32_t index, uint32_t domain, const Amounts& amounts) {
  HostLoad& host = hosts_[index];
  std::vector<Reserve::FromDomain>& domains = host.backups.domains;
  const bool was_full = host.backups.is_full();
  auto entry = entry_of(domains, domain);
  if (entry == domains.end() || entry->domain != domain) {
    entry = domains.insert(entry, {.domain = domain});
    if (keepers_.size() <= domain) keepers_.resize(domain + 1);
    std::vector<uint32_t>& keepers = keepers_[domain];
    keepers.insert(std::lower_bound(keepers.begin(), keepers.end(), index), index);
  }
  add(entry->sum, amounts);
  ++entry->guests;
  const int64_t power = host.backups.largest.power;
  if (!raise_to(host.backups.largest, entry->sum)) return host.backups.is_full() != was_full;
  move_draw(host.rack, Milliwatts(host.backups.largest.power - power));
  refresh_room(index, amounts, false);
  return true;
}

bool Fleet::give_back(uint32_t index, uint32_t domain, const Amounts& amounts) {
  HostLoad& host = hosts_[index];
  std::vector<Reserve::FromDomain>& domains = host.backups.domains;
  const auto entry = entry_of(domains, domain);
  if (entry == domains.end() || entry->domain != domain) std::abort();
  const bool was_full = host.backups.is_full();
  const bool was_largest = touches(entry->sum, host.backups.largest);
  subtract(entry->sum, amounts);
  if (--entry->guests == 0) {
    domains.erase(entry);
    std::vector<uint32_t>& keepers = keepers_[domain];
    keepers.erase(std::lower_bound(keepers.begin(), keepers.end(), index));
  }
  const bool became_open = host.backups.is_full() != was_full;
  if (!was_largest) return became_open;
  Amounts largest;
  for (const Reserve::FromDomain& from : domains) raise_to(largest, from.sum);
  if (largest == host.backups.largest) return became_open;
  const int64_t power = host.backups.largest.power;
  host.backups.largest = std::move(largest);
  move_draw(host.rack, Milliwatts(host.backups.largest.power - power));
  refresh_room(index, amounts, false);
  return true;
}

}  // namespace stellwerk::placement
