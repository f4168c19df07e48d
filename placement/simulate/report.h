// What a simulation found, as numbers. Values. docs/simulate.md says what each is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "placement/score.h"
#include "placement/simulate/cell.h"
#include "placement/simulate/usage.h"

namespace stellwerk::placement::simulate {

enum class OnFull : uint8_t { kReject, kWait };

struct Latency {
  int64_t p50 = 0;  // nanoseconds
  int64_t p99 = 0;
  int64_t p999 = 0;
};

struct WhatIfResult {
  std::string text;
  int64_t time = 0;
  int64_t hosts_added = 0;
  std::optional<Loss> loss;       // of a domain that was lost
  double lost_vcpu_seconds = 0;   // of guests that fit nowhere, within the window
  std::vector<std::string> lost;  // the first of their instances, by name
};

struct Report {
  int64_t rows = 0;
  int64_t hosts = 0;  // with those that are added
  Window window;
  Volume smallest_common_size;

  int64_t placed = 0;
  int64_t rejected = 0;
  double asked_vcpu_seconds = 0;  // within the window, as all below
  double rejected_vcpu_seconds = 0;
  std::vector<std::pair<Reason, int64_t>> rejections;  // in the order of reasons, none that is 0

  double time_avg_hosts_used = 0;
  int64_t peak_hosts_used = 0;
  double bound_time_avg_hosts = 0;  // for what runs
  int64_t bound_peak_hosts = 0;
  DemandBound bound_of_demand;  // for all that is asked
  double time_avg_vcpu_load = 0;
  double time_avg_memory_load = 0;
  double stranded_vcpu_fraction = 0;
  double stranded_memory_fraction = 0;

  int64_t waited = 0;  // that were placed later than they came
  int64_t total_wait_s = 0;
  int64_t longest_wait_s = 0;

  int64_t decisions = 0;
  double decisions_per_second = 0;
  Latency latency;

  std::vector<WhatIfResult> what_ifs;
  LoadSeries load;
  PeakMap peak;

  double rejected_vcpu_fraction() const;
};

std::string_view to_string(OnFull on_full);  // "reject"

// vCPU seconds that an instance asks for within the window, from this time on.
double vcpu_seconds(const TraceRow& row, int64_t from, const Window& window);

// All that the cell and its usage know.
void take_measurements(Cell& cell, Report& report);

}  // namespace stellwerk::placement::simulate
