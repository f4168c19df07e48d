// The guests that run at one moment of a replay, and the engine that places them. Whoever calls
// keeps the time. Pure: the one clock, for measuring decisions, is an argument.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "placement/engine.h"
#include "placement/simulate/fleet_plan.h"
#include "placement/simulate/histogram.h"
#include "placement/simulate/reasons.h"
#include "placement/simulate/trace.h"
#include "placement/simulate/usage.h"

namespace stellwerk::placement::simulate {

// Nanoseconds since some moment.
using Stopwatch = std::function<int64_t()>;

struct CellSettings {
  Policy policy = Policy::kDefault;
  std::optional<bool> expect_full;       // none: what is in use decides
  std::optional<DomainLevel> guarantee;  // of failover, for every guest; none: off
};

// What became of the guests of a failure domain.
struct Loss {
  int64_t hosts = 0;
  int64_t guests = 0;
  int64_t by_backup = 0;       // run where room was kept for them
  int64_t placed_anew = 0;     // run where room was found
  int64_t broken_backups = 0;  // of those with a backup on which there was no room: a defect
  std::vector<uint32_t> lost;  // rows of those that fit nowhere, in the order in which they failed
  int64_t unprotected = 0;     // guests of the whole fleet that have no backup afterwards
};

class Cell {
 public:
  // `trace` outlives the cell. Hosts of the plan take guests but for those from `not_yet` on.
  Cell(const Trace& trace, const FleetPlan& plan, size_t not_yet, const CellSettings& settings,
       Stopwatch stopwatch);
  Cell(const Cell&) = delete;
  Cell& operator=(const Cell&) = delete;

  // Whether it runs now. A row that could never be placed anywhere is an error.
  absl::StatusOr<bool> start(uint32_t row);
  // Of a row that runs.
  void end(uint32_t row);
  bool runs(uint32_t row) const { return slot_of_row_[row] != kNoSlot; }

  // Of a row that `start` has just refused.
  Reason reason_of(uint32_t row);
  // Whether it would run if nothing else did.
  bool could_run(uint32_t row);

  // The guests of all its hosts end and are placed again, by priority: by their backups as far as
  // the guarantee holds for such a domain, then wherever there is room.
  Loss lose(DomainLevel level, const std::string& name);
  // Hosts of the plan that did not take guests.
  void add(const FleetPlan& plan, size_t first, size_t end);

  int64_t running() const { return static_cast<int64_t>(slots_.size() - free_slots_.size()); }
  Usage& usage() { return usage_; }
  const Histogram& latency() const { return latency_; }
  const Engine& engine() const { return engine_; }

 private:
  static constexpr uint32_t kNoSlot = UINT32_MAX;
  struct Guest {
    uint32_t row = 0;
    bool runs = false;
    Occupation occupation;
  };

  const Request& request_of(uint32_t row, bool guarded);
  std::optional<Placement> place(const Request& request);
  void charge(uint32_t row, Placement placement);
  void release(uint32_t row);
  void refresh(const Occupation& occupation);
  std::vector<uint32_t> rows_in(const Fleet::HostRange& range) const;
  std::optional<Fleet::HostRange> find(DomainLevel level, const std::string& name) const;
  bool move_to_backup(uint32_t row);
  bool place_again(uint32_t row, Loss& loss);
  int64_t renew_backups();

  const Trace& trace_;
  const CellSettings settings_;
  Engine engine_;
  Usage usage_;
  Stopwatch stopwatch_;
  Histogram latency_;
  Request request_;  // used again for each row
  std::vector<Guest> slots_;
  std::vector<uint32_t> free_slots_;
  std::vector<uint32_t> slot_of_row_;
};

}  // namespace stellwerk::placement::simulate
