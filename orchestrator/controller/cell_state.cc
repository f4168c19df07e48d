#include "orchestrator/controller/cell_state.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "orchestrator/records/keys.h"

namespace stellwerk::controller {
namespace {

constexpr size_t kPage = 1000;
// Log records that are read to tell what happened to the instances.
constexpr size_t kMostTimelineRecords = 10'000;

using Each = std::function<void(const store::Entry&)>;

// Calls `each` for every entry of the range, a guarded page at a time.
absl::Status scan_range(store::Store& store, const store::Head& head, store::ScanRange range,
                        const Each& each) {
  while (true) {
    SW_ASSIGN_OR_RETURN(const std::vector<store::Entry> page, store.scan(range, head));
    for (const store::Entry& entry : page) each(entry);
    if (page.size() < kPage) return absl::OkStatus();
    range.begin = page.back().key + '\0';
  }
}

absl::Status scan_prefix(store::Store& store, const store::Head& head, std::string_view prefix,
                         const Each& each) {
  return scan_range(store, head, {std::string(prefix), records::prefix_end(prefix), kPage}, each);
}

// Decodes everything below `prefix` into `into`; what cannot be read is noted and left alone.
template <class Decode, class Keep>
absl::Status load_kind(store::Store& store, const store::Head& head, std::string_view prefix,
                       CellState& state, Decode decode, Keep keep) {
  return scan_prefix(store, head, prefix, [&](const store::Entry& entry) {
    auto decoded = decode(entry.value);
    if (decoded.ok()) {
      keep(*std::move(decoded));
    } else {
      state.invalid.emplace(entry.key, decoded.status());
    }
  });
}

template <class Map>
auto keep_by_uid(Map& map) {
  return [&map](auto value) { map.emplace(value.uid, std::move(value)); };
}

absl::Status load_cell_record(store::Store& store, CellState& state) {
  SW_ASSIGN_OR_RETURN(const auto bytes, store.get(std::string(records::kCellKey)));
  if (!bytes) return absl::OkStatus();
  const auto cell = records::decode_cell(*bytes);
  // With a new identity every guest of this cell would be a stranger's.
  if (!cell.ok()) {
    return data_loss(
        "the cell's own record cannot be read ({}); restore the database from a backup",
        message_of(cell.status()));
  }
  state.cell = *cell;
  return absl::OkStatus();
}

absl::Status load_requests_and_log(store::Store& store, const store::Head& head, CellState& state) {
  SW_RETURN_IF_ERROR(load_kind(store, head, records::kRequestPrefix, state, records::decode_request,
                               [&](records::RequestRecord request) {
                                 const RequestKey key{request.scope, request.request_id};
                                 state.requests.emplace(key, std::move(request));
                               }));
  return scan_prefix(store, head, records::kLogPrefix, [&](const store::Entry& entry) {
    if (const auto sequence = records::parse_log_key(entry.key)) state.log.push_back(*sequence);
  });
}

// After the instances, whose events alone are of interest.
absl::Status load_timelines(store::Store& store, const store::Head& head, CellState& state) {
  if (state.log.empty()) return absl::OkStatus();
  const size_t newest = std::min(state.log.size(), kMostTimelineRecords);
  const Sequence first = state.log[state.log.size() - newest];
  return scan_range(store, head,
                    {records::log_key(first), records::prefix_end(records::kLogPrefix), kPage},
                    [&state](const store::Entry& entry) {
                      const auto record = records::decode_log(entry.value);
                      if (!record.ok()) return;  // whoever reads the log is told
                      for (const Event& event : record->events) {
                        if (state.instances.contains(InstanceUid(event.uid)))
                          state.timelines.note(event);
                      }
                    });
}

absl::Status load_topology(store::Store& store, const store::Head& head, CellState& state) {
  SW_RETURN_IF_ERROR(load_kind(store, head, records::kSitePrefix, state, records::decode_site,
                               keep_by_uid(state.sites)));
  SW_RETURN_IF_ERROR(load_kind(store, head, records::kZonePrefix, state, records::decode_zone,
                               keep_by_uid(state.zones)));
  SW_RETURN_IF_ERROR(load_kind(store, head, records::kRackPrefix, state, records::decode_rack,
                               keep_by_uid(state.racks)));
  SW_RETURN_IF_ERROR(load_kind(store, head, records::kFeedPrefix, state, records::decode_feed,
                               keep_by_uid(state.feeds)));
  return load_kind(store, head, records::kGroupPrefix, state, records::decode_group,
                   keep_by_uid(state.groups));
}

}  // namespace

bool CellState::has_invalid(std::string_view prefix) const {
  const auto first = invalid.lower_bound(std::string(prefix));
  return first != invalid.end() && first->first.starts_with(prefix);
}

absl::StatusOr<CellState> load_cell(store::Store& store, const store::Head& head) {
  CellState state;
  SW_RETURN_IF_ERROR(load_cell_record(store, state));
  SW_RETURN_IF_ERROR(load_kind(store, head, records::kProjectPrefix, state, records::decode_project,
                               keep_by_uid(state.projects)));
  SW_RETURN_IF_ERROR(load_kind(store, head, records::kFlavorPrefix, state, records::decode_flavor,
                               keep_by_uid(state.flavors)));
  SW_RETURN_IF_ERROR(load_kind(store, head, records::kImagePrefix, state, records::decode_image,
                               keep_by_uid(state.images)));
  SW_RETURN_IF_ERROR(load_kind(store, head, records::kNetworkPrefix, state, records::decode_network,
                               keep_by_uid(state.networks)));
  SW_RETURN_IF_ERROR(load_topology(store, head, state));
  SW_RETURN_IF_ERROR(load_kind(store, head, records::kHostPrefix, state, records::decode_host,
                               keep_by_uid(state.hosts)));
  SW_RETURN_IF_ERROR(load_kind(store, head, records::kInstancePrefix, state,
                               records::decode_instance, keep_by_uid(state.instances)));
  SW_RETURN_IF_ERROR(load_requests_and_log(store, head, state));
  SW_RETURN_IF_ERROR(load_timelines(store, head, state));
  return state;
}

}  // namespace stellwerk::controller
