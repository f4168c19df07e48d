#include "placement/simulate/cell.h"

#include <algorithm>
#include <utility>

#include "core/overloaded.h"
#include "placement/capacity.h"
#include "placement/simulate/stranded.h"

namespace stellwerk::placement::simulate {
namespace {

Settings engine_settings(const FleetPlan& plan, const CellSettings& settings) {
  return {.cpu_limits = limits_of(plan),
          .guarantee = settings.guarantee,
          .policy = settings.policy,
          .expect_full = settings.expect_full};
}

// Hosts that are not there yet draw nothing.
std::vector<Host> hosts_of(const FleetPlan& plan, size_t not_yet) {
  std::vector<Host> hosts = plan.hosts;
  for (size_t i = not_yet; i < hosts.size(); ++i) hosts[i].power = {};
  return hosts;
}

GroupUid group_uid(uint32_t group) {
  return group == kNoGroup ? GroupUid() : numbered<GroupUid>(uint64_t{group} + 1);
}

}  // namespace

Cell::Cell(const Trace& trace, const FleetPlan& plan, size_t not_yet, const CellSettings& settings,
           Stopwatch stopwatch)
    : trace_(trace),
      settings_(settings),
      engine_(engine_settings(plan, settings), plan.topology, hosts_of(plan, not_yet)),
      usage_(engine_.fleet(), window_of(trace.rows()), smallest_common_size(trace.rows())),
      stopwatch_(std::move(stopwatch)),
      slot_of_row_(trace.rows().size(), kNoSlot) {
  for (size_t i = 0; i < not_yet; ++i) engine_.set_accepting(plan.hosts[i].uid, true);
  for (uint32_t i = 0; i < trace.groups().size(); ++i) {
    engine_.put_group(group_uid(i), {trace.groups()[i].rule});
  }
}

const Request& Cell::request_of(uint32_t row, bool guarded) {
  const TraceRow& asked = trace_.rows()[row];
  request_.vcpus = VcpuCount(asked.vcpus);
  request_.memory = mebibytes(asked.memory_mib);
  request_.numa_nodes = asked.numa_nodes;
  request_.group = group_uid(asked.group);
  request_.failover = guarded && settings_.guarantee.has_value();
  request_.lifetime.reset();
  if (asked.lifetime_hint >= 0) request_.lifetime = std::chrono::seconds(asked.lifetime_hint);
  request_.devices.clear();
  if (asked.gpus > 0) request_.devices.push_back({kGpuClass, asked.gpus});
  return request_;
}

std::optional<Placement> Cell::place(const Request& request) {
  Decision decision = engine_.place(request);
  auto* placed = std::get_if<Placed>(&decision);
  if (placed == nullptr) return std::nullopt;
  return std::move(placed->placements.front());
}

absl::StatusOr<bool> Cell::start(uint32_t row) {
  const Request& request = request_of(row, true);
  const int64_t begin = stopwatch_();
  Decision decision = engine_.place(request);
  return std::visit(Overloaded{[&](Placed& placed) -> absl::StatusOr<bool> {
                                 charge(row, std::move(placed.placements.front()));
                                 latency_.add(stopwatch_() - begin);
                                 refresh(slots_[slot_of_row_[row]].occupation);
                                 return true;
                               },
                               [&](Refused&) -> absl::StatusOr<bool> {
                                 latency_.add(stopwatch_() - begin);
                                 return false;
                               },
                               [&](const Malformed& malformed) -> absl::StatusOr<bool> {
                                 return annotate(invalid_fields(malformed.violations),
                                                 fmt::format("instance {}", trace_.instance(row)));
                               }},
                    decision);
}

void Cell::charge(uint32_t row, Placement placement) {
  uint32_t slot = static_cast<uint32_t>(slots_.size());
  if (free_slots_.empty()) {
    slots_.emplace_back();
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
  }
  slot_of_row_[row] = slot;
  slots_[slot] = {row,
                  true,
                  {std::move(placement.claim), std::move(placement.backup),
                   group_uid(trace_.rows()[row].group)}};
  engine_.charge(slots_[slot].occupation);
}

void Cell::release(uint32_t row) {
  const uint32_t slot = std::exchange(slot_of_row_[row], kNoSlot);
  slots_[slot].runs = false;
  free_slots_.push_back(slot);
  engine_.release(slots_[slot].occupation);
  refresh(slots_[slot].occupation);
}

void Cell::end(uint32_t row) {
  release(row);
}

void Cell::refresh(const Occupation& occupation) {
  const Fleet& fleet = engine_.fleet();
  usage_.update(fleet.index_of(occupation.claim.host));
  if (!occupation.backup) return;
  const uint32_t keeper = fleet.index_of(occupation.backup->host);
  if (keeper != Fleet::kNone) usage_.update(keeper);
}

Reason Cell::reason_of(uint32_t row) {
  return reason_of_refusal(engine_, request_of(row, true));
}

bool Cell::could_run(uint32_t row) {
  return fits_when_empty(engine_, request_of(row, true));
}

std::optional<Fleet::HostRange> Cell::find(DomainLevel level, const std::string& name) const {
  const Fleet& fleet = engine_.fleet();
  for (uint32_t domain = 0; domain < fleet.domains(level); ++domain) {
    if (fleet.domain_name(domain, level) == name) return fleet.hosts_of(domain, level);
  }
  return std::nullopt;
}

// The most urgent first, then in the order of the trace.
std::vector<uint32_t> Cell::rows_in(const Fleet::HostRange& range) const {
  std::vector<uint32_t> rows;
  for (const Guest& guest : slots_) {
    if (!guest.runs) continue;
    const uint32_t host = engine_.fleet().index_of(guest.occupation.claim.host);
    if (host >= range.first && host < range.end) rows.push_back(guest.row);
  }
  std::ranges::sort(rows, [&](uint32_t a, uint32_t b) {
    const int32_t more_urgent = trace_.rows()[a].priority;
    return more_urgent != trace_.rows()[b].priority ? more_urgent > trace_.rows()[b].priority
                                                    : a < b;
  });
  return rows;
}

// What the backup's host keeps for this domain is given back and taken by the guest at once.
bool Cell::move_to_backup(uint32_t row) {
  const Occupation& before = slots_[slot_of_row_[row]].occupation;
  const Fleet& fleet = engine_.fleet();
  const uint32_t host = fleet.index_of(before.backup->host);
  Placement after{.claim = before.claim, .backup = {}};
  after.claim.host = before.backup->host;
  after.claim.numa_nodes = before.backup->numa_nodes;
  after.claim.power = before.backup->power;
  const Room room = room_without_backups(fleet.hosts()[host], fleet.cpu_limits());
  if (!has_room(room, fleet.amounts_of(after.claim, host))) return false;
  release(row);
  charge(row, std::move(after));
  refresh(slots_[slot_of_row_[row]].occupation);
  return true;
}

// Its own guarantee is given up before the guest is.
bool Cell::place_again(uint32_t row, Loss& loss) {
  std::optional<Placement> found = place(request_of(row, true));
  if (!found && settings_.guarantee) found = place(request_of(row, false));
  if (!found) {
    loss.lost.push_back(row);
    return false;
  }
  ++loss.placed_anew;
  charge(row, *std::move(found));
  refresh(slots_[slot_of_row_[row]].occupation);
  return true;
}

// For everybody who has none that could be carried out. Returns how many still have none.
int64_t Cell::renew_backups() {
  if (!settings_.guarantee) return 0;
  int64_t unprotected = 0;
  for (const uint32_t row : rows_in({0, static_cast<uint32_t>(engine_.fleet().hosts().size())})) {
    const Occupation now = slots_[slot_of_row_[row]].occupation;
    if (now.backup && engine_.is_sound(now, request_of(row, true))) continue;
    release(row);
    charge(row, {now.claim, {}});
    std::optional<Backup> backup = engine_.find_backup(request_of(row, true), now.claim);
    if (backup) {
      release(row);
      charge(row, {now.claim, *std::move(backup)});
    } else {
      ++unprotected;
    }
    refresh(slots_[slot_of_row_[row]].occupation);
  }
  return unprotected;
}

Loss Cell::lose(DomainLevel level, const std::string& name) {
  Loss loss;
  const std::optional<Fleet::HostRange> range = find(level, name);
  if (!range) return loss;  // no host stands there
  loss.hosts = range->end - range->first;
  const std::vector<uint32_t> rows = rows_in(*range);
  loss.guests = static_cast<int64_t>(rows.size());
  for (uint32_t host = range->first; host < range->end; ++host) {
    engine_.set_fenced(engine_.fleet().hosts()[host].uid, true);
  }
  const bool guaranteed = settings_.guarantee && level <= *settings_.guarantee;
  std::vector<uint32_t> homeless;
  std::vector<uint32_t> guarded;
  // All are judged first: who has moved takes what is kept there for the loss of other domains.
  for (const uint32_t row : rows) {
    const Occupation& occupation = slots_[slot_of_row_[row]].occupation;
    const bool has_backup =
        guaranteed && occupation.backup && engine_.is_sound(occupation, request_of(row, true));
    (has_backup ? guarded : homeless).push_back(row);
  }
  for (const uint32_t row : guarded) {
    if (move_to_backup(row)) {
      ++loss.by_backup;
    } else {
      ++loss.broken_backups;
      homeless.push_back(row);
    }
  }
  for (const uint32_t row : homeless) release(row);
  for (const uint32_t row : homeless) place_again(row, loss);
  loss.unprotected = renew_backups();
  return loss;
}

void Cell::add(const FleetPlan& plan, size_t first, size_t end) {
  for (size_t i = first; i < end; ++i) {
    engine_.describe(plan.hosts[i]);
    engine_.set_accepting(plan.hosts[i].uid, true);
  }
}

}  // namespace stellwerk::placement::simulate
