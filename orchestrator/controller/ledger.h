// The cell in memory and the batch in the making. Every change goes through here, so that state,
// indexes by name, host loads and the next commit never disagree.
//
// Invariants: what is in memory = what is durable + the batch in flight + the pending batch; loads
// are sums over claims. One thread at a time.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "core/event.h"
#include "core/host_messages.h"
#include "drivers/store/store.h"
#include "orchestrator/controller/cell_state.h"
#include "orchestrator/controller/occupancy.h"
#include "orchestrator/controller/quota.h"
#include "placement/engine.h"

namespace stellwerk::controller {

// (project id, resource id): the order of lists.
using Name = std::pair<std::string, std::string>;

// What a mutation may add to a batch: as much as any but those that make many instances.
struct Weight {
  size_t keys = 64;
  size_t bytes = 160 * 1024;
  size_t log = 0;  // of that which goes into the log record, beyond a few events
};

// What has changed of the fleet, for whoever keeps backups valid.
struct FleetNews {
  bool everything = false;  // where hosts stand, or what all of them have
  std::set<HostUid> hosts;  // what these are said to have, or to be for
  bool room = false;        // something may have become free
};

class Ledger {
 public:
  // `durable` is the sequence under which `state` was loaded.
  Ledger(CellState state, const placement::Settings& settings, Sequence durable,
         size_t max_log_records);

  const CellState& state() const { return state_; }
  const placement::Fleet& fleet() const { return occupancy_.engine().fleet(); }
  const placement::Engine& engine() const { return occupancy_.engine(); }
  // To ask it.
  placement::Engine& engine() { return occupancy_.engine(); }
  const std::map<Name, InstanceUid>& instance_names() const { return instance_names_; }
  const std::map<Name, ImageUid>& image_names() const { return image_names_; }
  // Under an empty project those of the cell.
  const std::map<Name, NetworkUid>& network_names() const { return network_names_; }
  const std::map<std::string, FlavorUid>& flavor_names() const { return flavor_names_; }
  const std::map<std::string, ProjectUid>& project_names() const { return project_names_; }
  const std::map<std::string, HostUid>& host_names() const { return host_names_; }
  // By path: "dc1", "dc1/a", "dc1/a/r07"; feeds "dc1/f1".
  const std::map<std::string, SiteUid>& site_names() const { return site_names_; }
  const std::map<std::string, ZoneUid>& zone_names() const { return zone_names_; }
  const std::map<std::string, RackUid>& rack_names() const { return rack_names_; }
  const std::map<std::string, FeedUid>& feed_names() const { return feed_names_; }
  const std::map<Name, GroupUid>& group_names() const { return group_names_; }

  // Null if there is none.
  const Project* project(std::string_view id) const;
  const Instance* instance(std::string_view project, std::string_view id) const;
  const Image* image(std::string_view project, std::string_view id) const;
  const Flavor* flavor(std::string_view id) const;
  const Site* site(std::string_view path) const;
  const Zone* zone(std::string_view path) const;
  const Rack* rack(std::string_view path) const;
  const Feed* feed(std::string_view path) const;
  const Host* host(std::string_view id) const;
  const Group* group(std::string_view project, std::string_view id) const;
  // Hosts that operators have entered as standing in the rack.
  const std::set<HostUid>& hosts_in(const RackUid& rack) const;
  // Those in deletion included until they are gone.
  const std::set<InstanceUid>& members_of(const GroupUid& group) const;
  // With an empty project one of the cell's own.
  const Network* network(std::string_view project, std::string_view id) const;
  // What the name means to a caller of the project: its own network, else the cell's.
  const Network* visible_network(std::string_view project, std::string_view id) const;
  // Of the ports of every instance, those in deletion and orphans included.
  std::set<IpAddress> taken_addresses(const NetworkUid& network) const;
  bool is_taken(const NetworkUid& network, const IpAddress& address) const;
  // Guests of this cell on the host that no record claims, as its agent reported.
  const std::vector<OrphanReport>& orphans(const HostUid& host) const;
  // An orphan may have one that the cell's counter has yet to reach, after a restored backup.
  bool is_of_an_orphan(uint64_t mac) const;
  // Ports of one project's instances on the network, and of all.
  int64_t count_ports(const NetworkUid& network, const ProjectUid& project) const;
  int64_t count_ports(const NetworkUid& network) const;
  // The sum over its instances, those in deletion included.
  const ProjectUse& use_of_project(const ProjectUid& project) const;
  // "?" and the uid where the project's record is unreadable: no id that a caller can name.
  std::string project_id(const ProjectUid& uid) const;

  // Creates or replaces; stamps `changed_at` with the pending commit.
  void put_cell(const records::Cell& cell);
  void put(Project project);
  void put(Flavor flavor);
  void put(Image image);
  void put(Network network);
  void put(Host host);
  void put(Site site);
  void put(Zone zone);
  void put(Rack rack);
  void put(Feed feed);
  void put(Group group);
  void put(Instance instance);
  // Its etag stays: callers do not see this.
  void note_disk(const InstanceUid& uid);
  // Nor this: agents hear nothing of it, and for callers it is like something observed.
  void note_backup(const InstanceUid& uid, std::optional<Backup> backup);
  // Empty bytes take it away.
  void put_user_data(const InstanceUid& uid, std::string bytes);
  void remember(records::RequestRecord request);

  void erase(const ProjectUid& uid);
  void erase(const FlavorUid& uid);
  void erase(const ImageUid& uid);
  void erase(const NetworkUid& uid);
  void erase(const SiteUid& uid);
  void erase(const ZoneUid& uid);
  void erase(const RackUid& uid);
  void erase(const FeedUid& uid);
  void erase(const GroupUid& uid);
  void erase(const InstanceUid& uid);  // and its user-data
  // Forgets up to `most` requests that were answered before then; true if there may be more.
  bool forget_requests(WallTime before, size_t most);

  void record(Event event);
  void record(AuditEntry entry);

  // Soft: what a host's agent reported. Not part of any commit.
  void set_accepting(const HostUid& host, bool accepting);
  void set_foreign(const HostUid& host, const ForeignUse& foreign);
  // What these hold stays theirs until the host says that they are gone.
  void set_orphans(const HostUid& host, std::vector<OrphanReport> orphans);

  bool has_pending() const;
  // No further change should be added before this batch is taken: limits of size are near.
  bool is_full() const { return !has_room_for(Weight()); }
  bool has_room_for(const Weight& weight) const;
  // Whether an empty batch would have.
  static bool fits_any_batch(const Weight& weight);
  // The sequence that the pending batch will have.
  Sequence pending_sequence() const { return pending_sequence_; }
  // The newest sequence that memory shows.
  Sequence visible_sequence() const;
  // Hosts whose instances changed since the last call.
  std::set<HostUid> take_changed_hosts();
  // Since the last call.
  FleetNews take_fleet_news() { return std::exchange(fleet_news_, {}); }
  // Hands out the pending batch, its log record and some trimming included, and begins the next.
  store::Batch take_batch();

 private:
  void put_bytes(std::string key, std::string value);
  void put_delete(std::string key);
  void index_all();
  void index_topology();
  void stand_in_rack(const Host& host);
  void leave_rack(const Host& host);
  void join_group(const Instance& instance);
  void leave_group(const Instance& instance);
  // Everything that is summed up over instances.
  void add(const Instance& instance);
  void take_out(const Instance& instance);
  void hold_addresses(const Instance& instance);
  void free_addresses(const Instance& instance);
  void rebuild_occupancy();
  Name name_of(const Network& network) const;
  // Calls it for every port of every orphan until it answers true; whether it did.
  template <class Test>
  bool any_orphans_port(Test&& test) const;
  void charge_images();
  void trim_log(store::Batch& batch);

  CellState state_;
  Occupancy occupancy_;
  std::map<Name, InstanceUid> instance_names_;
  std::map<Name, ImageUid> image_names_;
  std::map<Name, NetworkUid> network_names_;
  std::map<NetworkUid, std::set<IpAddress>> addresses_;
  std::map<std::pair<NetworkUid, ProjectUid>, int64_t> ports_;
  std::map<HostUid, std::vector<OrphanReport>> orphans_;
  std::map<ProjectUid, ProjectUse> use_;  // no entry: none
  std::map<std::string, FlavorUid> flavor_names_;
  std::map<std::string, ProjectUid> project_names_;
  std::map<std::string, HostUid> host_names_;
  std::map<std::string, SiteUid> site_names_;
  std::map<std::string, ZoneUid> zone_names_;
  std::map<std::string, RackUid> rack_names_;
  std::map<std::string, FeedUid> feed_names_;
  std::map<Name, GroupUid> group_names_;
  std::map<RackUid, std::set<HostUid>> hosts_in_rack_;
  std::map<GroupUid, std::set<InstanceUid>> members_;
  std::map<WallTime, std::set<RequestKey>> requests_by_time_;

  Sequence pending_sequence_;
  const size_t max_log_records_;
  std::map<std::string, std::optional<std::string>> pending_;  // no value: a deletion
  size_t pending_bytes_ = 0;
  LogRecord pending_log_;
  size_t pending_log_bytes_ = 0;
  std::set<HostUid> changed_hosts_;
  FleetNews fleet_news_{.everything = true};  // a new ledger is all news
};

// Every new port moves a cursor; that alone is no news to anybody.
bool differ_beyond_cursors(const Network& a, Network b);

}  // namespace stellwerk::controller
