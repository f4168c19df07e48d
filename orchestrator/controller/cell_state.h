// The cell in memory: what the store holds, decoded, and the load of every host derived from it.
// Values; one thread at a time.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/model.h"
#include "core/status.h"
#include "drivers/store/store.h"
#include "orchestrator/controller/timeline.h"
#include "orchestrator/records/records.h"

namespace stellwerk::controller {

struct RequestKey {
  Uuid scope;
  RequestId id;
  friend auto operator<=>(const RequestKey&, const RequestKey&) = default;
};

struct CellState {
  std::optional<records::Cell> cell;
  std::map<ProjectUid, Project> projects;
  std::map<FlavorUid, Flavor> flavors;
  std::map<ImageUid, Image> images;
  std::map<NetworkUid, Network> networks;
  std::map<SiteUid, Site> sites;
  std::map<ZoneUid, Zone> zones;
  std::map<RackUid, Rack> racks;
  std::map<FeedUid, Feed> feeds;
  std::map<HostUid, Host> hosts;
  std::map<GroupUid, Group> groups;
  std::map<InstanceUid, Instance> instances;
  std::map<RequestKey, records::RequestRecord> requests;
  std::deque<Sequence> log;  // of the log records that are still kept, ascending
  Timelines timelines;       // of the instances, from the newest of them

  // Keys whose values could not be read: left as they are, shown to operators, never overwritten.
  std::map<std::string, absl::Status> invalid;

  // Whether one of them begins so.
  bool has_invalid(std::string_view prefix) const;
};

// Reads everything but user-data and older contents of the log, every page guarded by `head`.
absl::StatusOr<CellState> load_cell(store::Store& store, const store::Head& head);

}  // namespace stellwerk::controller
