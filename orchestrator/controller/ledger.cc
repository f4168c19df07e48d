#include "orchestrator/controller/ledger.h"

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "core/validate.h"
#include "orchestrator/records/keys.h"

namespace stellwerk::controller {
namespace {

// Beside what mutations weigh: the log record, and the trimming of the same commit. A mutation's
// usual weight is for user-data of at most 64 KiB, an instance and the answer kept for it of at
// most 40 KiB each.
constexpr size_t kKeysOfLog = 9;
constexpr size_t kBytesOfLog = 128 * 1024;
// A log record is one value of the store, whose limit is 128 KiB.
constexpr size_t kFullLogBytes = 64 * 1024;
constexpr size_t kMostLogBytes = 112 * 1024;
constexpr size_t kTrimPerCommit = 8;
constexpr size_t kLongestMessage = 500;

template <class Map, class Key>
auto* find_or_null(Map& map, const Key& key) {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : &found->second;
}

}  // namespace

bool differ_beyond_cursors(const Network& a, Network b) {
  if (b.v4) b.v4->next = a.v4 ? a.v4->next : std::nullopt;
  if (b.v6) b.v6->next = a.v6 ? a.v6->next : std::nullopt;
  return a.state != b.state || a.bridge != b.bridge || a.make_bridge != b.make_bridge ||
         a.v4 != b.v4 || a.v6 != b.v6 || a.dns_servers != b.dns_servers || a.routes != b.routes ||
         a.mtu != b.mtu;
}

Ledger::Ledger(CellState state, const placement::Settings& settings, Sequence durable,
               size_t max_log_records)
    : state_(std::move(state)),
      occupancy_(settings),
      pending_sequence_(durable.next()),
      max_log_records_(max_log_records) {
  index_all();
}

void Ledger::index_all() {
  index_topology();
  for (const auto& [uid, project] : state_.projects) project_names_[project.id] = uid;
  for (const auto& [uid, flavor] : state_.flavors) flavor_names_[flavor.id] = uid;
  for (const auto& [uid, host] : state_.hosts) {
    host_names_[host.id] = uid;
    stand_in_rack(host);
  }
  for (const auto& [uid, image] : state_.images) {
    image_names_[{project_id(image.project), image.id}] = uid;
  }
  for (const auto& [uid, instance] : state_.instances) {
    instance_names_[{project_id(instance.project), instance.id}] = uid;
    add(instance);
  }
  for (const auto& [uid, network] : state_.networks) network_names_[name_of(network)] = uid;
  for (const auto& [key, request] : state_.requests) {
    requests_by_time_[request.answered_at].insert(key);
  }
  charge_images();
  occupancy_.rebuild(state_);
}

void Ledger::add(const Instance& instance) {
  hold_addresses(instance);
  join_group(instance);
  ProjectUse& use = use_[instance.project];
  use = use + use_of(instance);
}

void Ledger::take_out(const Instance& instance) {
  free_addresses(instance);
  leave_group(instance);
  ProjectUse& use = use_[instance.project];
  use = use - use_of(instance);
  if (use.instances == 0) use_.erase(instance.project);
}

const ProjectUse& Ledger::use_of_project(const ProjectUid& project) const {
  static const ProjectUse kNone;
  const auto* use = find_or_null(use_, project);
  return use ? *use : kNone;
}

// Every host keeps every image: there is no cache of images yet.
void Ledger::charge_images() {
  Bytes total;
  for (const auto& [uid, image] : state_.images) total += image.file_size;
  if (occupancy_.set_images(total)) fleet_news_.everything = true;
}

const Project* Ledger::project(std::string_view id) const {
  const auto* uid = find_or_null(project_names_, std::string(id));
  return uid ? &state_.projects.at(*uid) : nullptr;
}

const Instance* Ledger::instance(std::string_view project, std::string_view id) const {
  const auto* uid = find_or_null(instance_names_, Name(project, id));
  return uid ? &state_.instances.at(*uid) : nullptr;
}

const Image* Ledger::image(std::string_view project, std::string_view id) const {
  const auto* uid = find_or_null(image_names_, Name(project, id));
  return uid ? &state_.images.at(*uid) : nullptr;
}

const Flavor* Ledger::flavor(std::string_view id) const {
  const auto* uid = find_or_null(flavor_names_, std::string(id));
  return uid ? &state_.flavors.at(*uid) : nullptr;
}

const Network* Ledger::network(std::string_view project, std::string_view id) const {
  const auto* uid = find_or_null(network_names_, Name(project, id));
  return uid ? &state_.networks.at(*uid) : nullptr;
}

const Network* Ledger::visible_network(std::string_view project, std::string_view id) const {
  const Network* own = network(project, id);
  return own ? own : network("", id);
}

template <class Test>
bool Ledger::any_orphans_port(Test&& test) const {
  for (const auto& [host, orphans] : orphans_) {
    for (const OrphanReport& orphan : orphans) {
      if (std::ranges::any_of(orphan.ports, test)) return true;
    }
  }
  return false;
}

std::set<IpAddress> Ledger::taken_addresses(const NetworkUid& network) const {
  const auto* held = find_or_null(addresses_, network);
  std::set<IpAddress> taken = held ? *held : std::set<IpAddress>();
  any_orphans_port([&](const Port& port) {
    if (port.network == network) taken.insert(port.addresses.begin(), port.addresses.end());
    return false;
  });
  return taken;
}

bool Ledger::is_taken(const NetworkUid& network, const IpAddress& address) const {
  const auto* held = find_or_null(addresses_, network);
  if (held && held->contains(address)) return true;
  return any_orphans_port([&](const Port& port) {
    return port.network == network &&
           std::ranges::find(port.addresses, address) != port.addresses.end();
  });
}

const std::vector<OrphanReport>& Ledger::orphans(const HostUid& host) const {
  static const std::vector<OrphanReport> kNone;
  const auto* known = find_or_null(orphans_, host);
  return known ? *known : kNone;
}

bool Ledger::is_of_an_orphan(uint64_t mac) const {
  return any_orphans_port([mac](const Port& port) { return port.mac == mac; });
}

void Ledger::hold_addresses(const Instance& instance) {
  for (const Port& port : instance.ports) {
    ++ports_[{port.network, instance.project}];
    addresses_[port.network].insert(port.addresses.begin(), port.addresses.end());
  }
}

void Ledger::free_addresses(const Instance& instance) {
  for (const Port& port : instance.ports) {
    const auto counted = ports_.find({port.network, instance.project});
    if (--counted->second == 0) ports_.erase(counted);
    std::set<IpAddress>& held = addresses_[port.network];
    for (const IpAddress& address : port.addresses) held.erase(address);
    if (held.empty()) addresses_.erase(port.network);
  }
}

int64_t Ledger::count_ports(const NetworkUid& network, const ProjectUid& project) const {
  const auto found = ports_.find({network, project});
  return found == ports_.end() ? 0 : found->second;
}

int64_t Ledger::count_ports(const NetworkUid& network) const {
  int64_t count = 0;
  for (auto at = ports_.lower_bound({network, ProjectUid()});
       at != ports_.end() && at->first.first == network; ++at) {
    count += at->second;
  }
  return count;
}

Name Ledger::name_of(const Network& network) const {
  return {network.project.is_nil() ? std::string() : project_id(network.project), network.id};
}

std::string Ledger::project_id(const ProjectUid& uid) const {
  const auto* project = find_or_null(state_.projects, uid);
  return project ? project->id : "?" + uid.to_string();
}

void Ledger::put_bytes(std::string key, std::string value) {
  pending_bytes_ += key.size() + value.size();
  pending_[std::move(key)] = std::move(value);
}

void Ledger::put_delete(std::string key) {
  pending_bytes_ += key.size();
  pending_[std::move(key)] = std::nullopt;
}

void Ledger::put_cell(const records::Cell& cell) {
  put_bytes(std::string(records::kCellKey), records::encode(cell));
  state_.cell = cell;
}

void Ledger::put(Project project) {
  project.changed_at = pending_sequence_;
  put_bytes(records::project_key(project.uid), records::encode(project));
  project_names_[project.id] = project.uid;
  state_.projects[project.uid] = std::move(project);
}

void Ledger::put(Flavor flavor) {
  flavor.changed_at = pending_sequence_;
  put_bytes(records::flavor_key(flavor.uid), records::encode(flavor));
  flavor_names_[flavor.id] = flavor.uid;
  state_.flavors[flavor.uid] = std::move(flavor);
}

void Ledger::put(Image image) {
  image.changed_at = pending_sequence_;
  put_bytes(records::image_key(image.uid), records::encode(image));
  image_names_[{project_id(image.project), image.id}] = image.uid;
  state_.images[image.uid] = std::move(image);
  charge_images();
}

void Ledger::put(Network network) {
  const auto* old = find_or_null(state_.networks, network.uid);
  const bool is_new = !old || differ_beyond_cursors(*old, network);
  // Nor do callers see a cursor: its network's etag stays.
  network.changed_at = is_new ? pending_sequence_ : old->changed_at;
  put_bytes(records::network_key(network.uid), records::encode(network));
  network_names_[name_of(network)] = network.uid;
  if (is_new) {
    for (const auto& [uid, host] : state_.hosts) changed_hosts_.insert(uid);
  }
  state_.networks[network.uid] = std::move(network);
}

void Ledger::put(Host host) {
  host.changed_at = pending_sequence_;
  put_bytes(records::host_key(host.uid), records::encode(host));
  const auto* old = find_or_null(state_.hosts, host.uid);
  const bool moved = !old || old->rack != host.rack;
  if (old) {
    host_names_.erase(old->id);
    leave_rack(*old);
  }
  host_names_[host.id] = host.uid;
  stand_in_rack(host);
  // Of one that could not be read: the host has told all of it again.
  state_.invalid.erase(records::host_key(host.uid));
  const HostUid uid = host.uid;
  state_.hosts[uid] = std::move(host);
  occupancy_.put(state_.hosts.at(uid), moved, state_);
  if (moved) fleet_news_.everything = true;
  fleet_news_.hosts.insert(uid);
}

void Ledger::put(Instance instance) {
  instance.changed_at = pending_sequence_;
  put_bytes(records::instance_key(instance.uid), records::encode(instance));
  if (const auto* old = find_or_null(state_.instances, instance.uid)) {
    take_out(*old);
    occupancy_.take_out(*old);
    fleet_news_.room = fleet_news_.room || old->claim != instance.claim;
    if (old->id != instance.id) instance_names_.erase({project_id(old->project), old->id});
  }
  add(instance);
  occupancy_.add(instance);
  changed_hosts_.insert(instance.claim.host);
  instance_names_[{project_id(instance.project), instance.id}] = instance.uid;
  state_.instances[instance.uid] = std::move(instance);
}

void Ledger::note_disk(const InstanceUid& uid) {
  Instance& instance = state_.instances.at(uid);
  instance.has_disk = true;
  put_bytes(records::instance_key(uid), records::encode(instance));
  changed_hosts_.insert(instance.claim.host);
}

void Ledger::note_backup(const InstanceUid& uid, std::optional<Backup> backup) {
  Instance& instance = state_.instances.at(uid);
  occupancy_.take_out(instance);
  fleet_news_.room = fleet_news_.room || instance.backup.has_value();
  instance.backup = std::move(backup);
  occupancy_.add(instance);
  put_bytes(records::instance_key(uid), records::encode(instance));
}

void Ledger::put_user_data(const InstanceUid& uid, std::string bytes) {
  if (bytes.empty()) return put_delete(records::user_data_key(uid));
  put_bytes(records::user_data_key(uid), std::move(bytes));
}

void Ledger::remember(records::RequestRecord request) {
  const RequestKey key{request.scope, request.request_id};
  put_bytes(records::request_key(key.scope, key.id), records::encode(request));
  requests_by_time_[request.answered_at].insert(key);
  state_.requests[key] = std::move(request);
}

void Ledger::erase(const ProjectUid& uid) {
  put_delete(records::project_key(uid));
  project_names_.erase(state_.projects.at(uid).id);
  state_.projects.erase(uid);
}

void Ledger::erase(const FlavorUid& uid) {
  put_delete(records::flavor_key(uid));
  flavor_names_.erase(state_.flavors.at(uid).id);
  state_.flavors.erase(uid);
}

void Ledger::erase(const ImageUid& uid) {
  put_delete(records::image_key(uid));
  const Image& image = state_.images.at(uid);
  image_names_.erase({project_id(image.project), image.id});
  state_.images.erase(uid);
  charge_images();
}

void Ledger::erase(const NetworkUid& uid) {
  const auto found = state_.networks.find(uid);
  if (found == state_.networks.end()) return;
  put_delete(records::network_key(uid));
  network_names_.erase(name_of(found->second));
  state_.networks.erase(found);
}

void Ledger::erase(const InstanceUid& uid) {
  put_delete(records::instance_key(uid));
  const Instance& instance = state_.instances.at(uid);
  if (instance.has_user_data) put_delete(records::user_data_key(uid));
  take_out(instance);
  occupancy_.take_out(instance);
  fleet_news_.room = true;
  changed_hosts_.insert(instance.claim.host);
  instance_names_.erase({project_id(instance.project), instance.id});
  state_.timelines.forget(uid);
  state_.instances.erase(uid);
}

bool Ledger::forget_requests(WallTime before, size_t most) {
  while (most > 0 && !requests_by_time_.empty() && requests_by_time_.begin()->first < before) {
    std::set<RequestKey>& keys = requests_by_time_.begin()->second;
    for (; most > 0 && !keys.empty(); --most) {
      const RequestKey key = *keys.begin();
      put_delete(records::request_key(key.scope, key.id));
      state_.requests.erase(key);
      keys.erase(keys.begin());
    }
    if (keys.empty()) requests_by_time_.erase(requests_by_time_.begin());
  }
  return most == 0;
}

void Ledger::record(Event event) {
  event.message = shortened(event.message, kLongestMessage);
  if (state_.instances.contains(InstanceUid(event.uid))) state_.timelines.note(event);
  pending_log_bytes_ += 128 + event.resource.size() + event.message.size();
  pending_log_.events.push_back(std::move(event));
}

void Ledger::record(AuditEntry entry) {
  entry.message = shortened(entry.message, kLongestMessage);
  pending_log_bytes_ += 128 + entry.resource.size() + entry.message.size();
  pending_log_.audit.push_back(std::move(entry));
}

void Ledger::set_accepting(const HostUid& host, bool accepting) {
  if (occupancy_.set_accepting(host, accepting)) fleet_news_.room = true;
}

void Ledger::set_foreign(const HostUid& host, const ForeignUse& foreign) {
  if (occupancy_.set_foreign(host, foreign)) fleet_news_.hosts.insert(host);
}

void Ledger::set_orphans(const HostUid& host, std::vector<OrphanReport> orphans) {
  if (!fleet().find(host)) return;
  std::vector<OrphanReport>& known = orphans_[host];
  if (known == orphans) return;
  std::vector<int32_t> cpus;
  for (const OrphanReport& orphan : orphans) {
    cpus.insert(cpus.end(), orphan.cpus.begin(), orphan.cpus.end());
  }
  occupancy_.set_orphans_cpus(host, std::move(cpus));
  changed_hosts_.insert(host);
  fleet_news_.hosts.insert(host);
  known = std::move(orphans);
}

bool Ledger::has_pending() const {
  return !pending_.empty() || !pending_log_.events.empty() || !pending_log_.audit.empty();
}

bool Ledger::has_room_for(const Weight& weight) const {
  return pending_.size() + weight.keys + kKeysOfLog <= store::kMaxBatchKeys &&
         pending_bytes_ + weight.bytes + kBytesOfLog <= store::kMaxBatchBytes &&
         pending_log_bytes_ <= kFullLogBytes && pending_log_bytes_ + weight.log <= kMostLogBytes;
}

bool Ledger::fits_any_batch(const Weight& weight) {
  return weight.keys + kKeysOfLog <= store::kMaxBatchKeys &&
         weight.bytes + kBytesOfLog <= store::kMaxBatchBytes && weight.log <= kMostLogBytes;
}

Sequence Ledger::visible_sequence() const {
  return has_pending() ? pending_sequence_ : Sequence(pending_sequence_.value() - 1);
}

std::set<HostUid> Ledger::take_changed_hosts() {
  return std::exchange(changed_hosts_, {});
}

void Ledger::trim_log(store::Batch& batch) {
  for (size_t i = 0; i < kTrimPerCommit && state_.log.size() > max_log_records_; ++i) {
    batch.deletes.push_back(records::log_key(state_.log.front()));
    state_.log.pop_front();
  }
}

store::Batch Ledger::take_batch() {
  store::Batch batch;
  for (auto& [key, value] : pending_) {
    if (value) {
      batch.puts.push_back({key, *std::move(value)});
    } else {
      batch.deletes.push_back(key);
    }
  }
  if (!pending_log_.events.empty() || !pending_log_.audit.empty()) {
    pending_log_.sequence = pending_sequence_;
    batch.puts.push_back({records::log_key(pending_sequence_), records::encode(pending_log_)});
    state_.log.push_back(pending_sequence_);
  }
  trim_log(batch);
  pending_.clear();
  pending_bytes_ = 0;
  pending_log_ = {};
  pending_log_bytes_ = 0;
  pending_sequence_ = pending_sequence_.next();
  return batch;
}

}  // namespace stellwerk::controller
