// Lets a trace happen on a fleet: departures, what is asked for by --what-if, those who wait, and
// arrivals, in the order of time and, within one second, in this order. Pure; the same trace, plan
// and settings give the same report but for the stopwatch's.
#pragma once

#include <functional>
#include <queue>
#include <set>
#include <vector>

#include "placement/simulate/cell.h"
#include "placement/simulate/report.h"
#include "placement/simulate/what_if.h"

namespace stellwerk::placement::simulate {

struct ReplaySettings {
  CellSettings cell;
  OnFull on_full = OnFull::kReject;
  std::vector<WhatIf> what_ifs;
};

// So many rows have come.
using Progress = std::function<void(size_t rows)>;

class Replay {
 public:
  // Without what cannot be: a fleet without hosts, what-ifs of what is not there. `trace` outlives
  // it and has rows.
  static absl::StatusOr<Report> run(const Trace& trace, FleetPlan plan,
                                    const ReplaySettings& settings, Stopwatch stopwatch,
                                    const Progress& progress);

 private:
  struct Departure {
    int64_t time = 0;
    uint32_t row = 0;
    friend auto operator<=>(const Departure&, const Departure&) = default;
  };
  // Those who came first are first; priority decides among those who came at the same second.
  struct Waiting {
    int64_t arrival = 0;
    int64_t urgency = 0;  // the negative priority
    uint32_t row = 0;
    friend auto operator<=>(const Waiting&, const Waiting&) = default;
  };

  Replay(const Trace& trace, const FleetPlan& plan, size_t not_yet, const ReplaySettings& settings,
         std::vector<AddedHosts> added, Stopwatch stopwatch);

  absl::Status run_all(const Progress& progress);
  absl::Status advance_to(int64_t time);
  absl::Status arrive(uint32_t row);
  absl::StatusOr<bool> start(uint32_t row);
  absl::Status start_waiting();
  void carry_out(size_t what_if);
  void note_loss(WhatIfResult& result);
  void reject(uint32_t row, Reason reason);
  int64_t next_event() const;

  const Trace& trace_;
  const FleetPlan& plan_;
  const ReplaySettings& settings_;
  const std::vector<AddedHosts> added_;
  Cell cell_;
  Report report_;
  int64_t now_ = 0;
  std::priority_queue<Departure, std::vector<Departure>, std::greater<>> departures_;
  std::set<Waiting> waiting_;
  std::vector<size_t> what_if_order_;  // indices, by time
  size_t what_ifs_done_ = 0;
  std::vector<int64_t> rejected_;  // by reason
  std::vector<bool> ended_early_;  // by row: lost, its departure is void
};

}  // namespace stellwerk::placement::simulate
