// Traces and fleets that the planner's tests share. One thread.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "placement/simulate/replay.h"

namespace stellwerk::placement::simulate {

inline constexpr std::string_view kColumns =
    "arrival_s,departure_s,instance,project,vcpus,memory_mib,priority";
inline constexpr std::string_view kAllColumns =
    "arrival_s,departure_s,instance,project,vcpus,memory_mib,priority,numa_nodes,group,"
    "group_policy,group_level,lifetime_hint_s,gpus";

inline absl::StatusOr<Trace> parse_lines(std::initializer_list<std::string_view> lines) {
  TraceParser parser("t.csv");
  for (const std::string_view line : lines) SW_RETURN_IF_ERROR(parser.take(line));
  return parser.finish();
}

// Rows of the seven columns that are always there.
inline Trace trace_of(std::initializer_list<std::string_view> rows,
                      std::string_view columns = kColumns) {
  TraceParser parser("t.csv");
  EXPECT_TRUE(parser.take(columns).ok());
  for (const std::string_view row : rows) {
    const absl::Status status = parser.take(row);
    EXPECT_TRUE(status.ok()) << describe(status);
  }
  auto trace = parser.finish();
  EXPECT_TRUE(trace.ok()) << describe(trace.status());
  return trace.ok() ? *std::move(trace) : Trace();
}

// Hosts of 4 vCPUs and 8 GiB, each in a rack of its own, all in one site.
inline FleetPlan small_fleet(int64_t hosts) {
  auto plan = generate_fleet(
      {.hosts = hosts, .host_vcpus = 4, .host_memory_mib = 8192, .hosts_per_rack = 1});
  EXPECT_TRUE(plan.ok()) << describe(plan.status());
  return plan.ok() ? *std::move(plan) : FleetPlan();
}

// Every look at it is a microsecond after the last.
inline Stopwatch ticking() {
  return [time = int64_t{0}]() mutable { return time += 1000; };
}

inline ReplaySettings first_fit() {
  return {.cell = {.policy = Policy::kFirstFit}};
}

inline Report replayed(const Trace& trace, const FleetPlan& plan,
                       const ReplaySettings& settings = first_fit()) {
  auto report = Replay::run(trace, plan, settings, ticking(), nullptr);
  EXPECT_TRUE(report.ok()) << describe(report.status());
  return report.ok() ? *std::move(report) : Report();
}

using Rejections = std::vector<std::pair<Reason, int64_t>>;

}  // namespace stellwerk::placement::simulate
