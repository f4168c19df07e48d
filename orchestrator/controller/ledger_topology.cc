// What operators enter of sites, racks and feeds, and the groups of projects.
#include <utility>

#include "orchestrator/controller/ledger.h"
#include "orchestrator/records/keys.h"

namespace stellwerk::controller {
namespace {

// Null if the name is nobody's.
template <class Resources, class Index, class Key>
const typename Resources::mapped_type* named(const Resources& resources, const Index& index,
                                             const Key& name) {
  const auto found = index.find(name);
  return found == index.end() ? nullptr : &resources.at(found->second);
}

}  // namespace

void Ledger::index_topology() {
  for (const auto& [uid, site] : state_.sites) site_names_[site.id] = uid;
  for (const auto& [uid, zone] : state_.zones) zone_names_[zone.id] = uid;
  for (const auto& [uid, rack] : state_.racks) rack_names_[rack.id] = uid;
  for (const auto& [uid, feed] : state_.feeds) feed_names_[feed.id] = uid;
  for (const auto& [uid, group] : state_.groups) {
    group_names_[{project_id(group.project), group.id}] = uid;
  }
}

const Site* Ledger::site(std::string_view path) const {
  return named(state_.sites, site_names_, std::string(path));
}

const Zone* Ledger::zone(std::string_view path) const {
  return named(state_.zones, zone_names_, std::string(path));
}

const Rack* Ledger::rack(std::string_view path) const {
  return named(state_.racks, rack_names_, std::string(path));
}

const Feed* Ledger::feed(std::string_view path) const {
  return named(state_.feeds, feed_names_, std::string(path));
}

const Host* Ledger::host(std::string_view id) const {
  return named(state_.hosts, host_names_, std::string(id));
}

const Group* Ledger::group(std::string_view project, std::string_view id) const {
  return named(state_.groups, group_names_, Name(project, id));
}

const std::set<HostUid>& Ledger::hosts_in(const RackUid& rack) const {
  static const std::set<HostUid> kNone;
  const auto found = hosts_in_rack_.find(rack);
  return found == hosts_in_rack_.end() ? kNone : found->second;
}

const std::set<InstanceUid>& Ledger::members_of(const GroupUid& group) const {
  static const std::set<InstanceUid> kNone;
  const auto found = members_.find(group);
  return found == members_.end() ? kNone : found->second;
}

void Ledger::rebuild_occupancy() {
  occupancy_.rebuild(state_);
  fleet_news_.everything = true;
}

void Ledger::stand_in_rack(const Host& host) {
  if (!host.rack.is_nil()) hosts_in_rack_[host.rack].insert(host.uid);
}

void Ledger::leave_rack(const Host& host) {
  if (host.rack.is_nil()) return;
  std::set<HostUid>& hosts = hosts_in_rack_[host.rack];
  hosts.erase(host.uid);
  if (hosts.empty()) hosts_in_rack_.erase(host.rack);
}

void Ledger::join_group(const Instance& instance) {
  if (!instance.group.is_nil()) members_[instance.group].insert(instance.uid);
}

void Ledger::leave_group(const Instance& instance) {
  if (instance.group.is_nil()) return;
  std::set<InstanceUid>& members = members_[instance.group];
  members.erase(instance.uid);
  if (members.empty()) members_.erase(instance.group);
}

void Ledger::put(Site site) {
  site.changed_at = pending_sequence_;
  put_bytes(records::site_key(site.uid), records::encode(site));
  site_names_[site.id] = site.uid;
  state_.sites[site.uid] = std::move(site);
  rebuild_occupancy();
}

void Ledger::erase(const SiteUid& uid) {
  put_delete(records::site_key(uid));
  site_names_.erase(state_.sites.at(uid).id);
  state_.sites.erase(uid);
  rebuild_occupancy();
}

void Ledger::put(Zone zone) {
  zone.changed_at = pending_sequence_;
  put_bytes(records::zone_key(zone.uid), records::encode(zone));
  zone_names_[zone.id] = zone.uid;
  state_.zones[zone.uid] = std::move(zone);
  rebuild_occupancy();
}

void Ledger::erase(const ZoneUid& uid) {
  put_delete(records::zone_key(uid));
  zone_names_.erase(state_.zones.at(uid).id);
  state_.zones.erase(uid);
  rebuild_occupancy();
}

void Ledger::put(Rack rack) {
  rack.changed_at = pending_sequence_;
  put_bytes(records::rack_key(rack.uid), records::encode(rack));
  rack_names_[rack.id] = rack.uid;
  state_.racks[rack.uid] = std::move(rack);
  rebuild_occupancy();
}

void Ledger::erase(const RackUid& uid) {
  put_delete(records::rack_key(uid));
  rack_names_.erase(state_.racks.at(uid).id);
  state_.racks.erase(uid);
  rebuild_occupancy();
}

void Ledger::put(Feed feed) {
  feed.changed_at = pending_sequence_;
  put_bytes(records::feed_key(feed.uid), records::encode(feed));
  feed_names_[feed.id] = feed.uid;
  state_.feeds[feed.uid] = std::move(feed);
  rebuild_occupancy();
}

void Ledger::erase(const FeedUid& uid) {
  put_delete(records::feed_key(uid));
  feed_names_.erase(state_.feeds.at(uid).id);
  state_.feeds.erase(uid);
  rebuild_occupancy();
}

void Ledger::put(Group group) {
  group.changed_at = pending_sequence_;
  put_bytes(records::group_key(group.uid), records::encode(group));
  group_names_[{project_id(group.project), group.id}] = group.uid;
  occupancy_.put(group);
  state_.groups[group.uid] = std::move(group);
}

void Ledger::erase(const GroupUid& uid) {
  put_delete(records::group_key(uid));
  const Group& group = state_.groups.at(uid);
  group_names_.erase({project_id(group.project), group.id});
  state_.groups.erase(uid);
  occupancy_.erase(uid);
}

}  // namespace stellwerk::controller
