#include "placement/simulate/replay.h"

#include <algorithm>
#include <numeric>

#include "core/overloaded.h"
#include "placement/simulate/stranded.h"

namespace stellwerk::placement::simulate {
namespace {

constexpr size_t kMostNamesOfLost = 20;
constexpr size_t kRowsBetweenReports = 1024;

}  // namespace

absl::StatusOr<Report> Replay::run(const Trace& trace, FleetPlan plan,
                                   const ReplaySettings& settings, Stopwatch stopwatch,
                                   const Progress& progress) {
  if (plan.hosts.empty()) return invalid_argument("the fleet has no host");
  if (trace.rows().empty()) return invalid_argument("the trace has no row");
  const size_t there = plan.hosts.size();
  SW_ASSIGN_OR_RETURN(std::vector<AddedHosts> added, add_to_plan(settings.what_ifs, plan));
  Replay replay(trace, plan, there, settings, std::move(added), std::move(stopwatch));
  SW_RETURN_IF_ERROR(replay.run_all(progress));
  return std::move(replay.report_);
}

Replay::Replay(const Trace& trace, const FleetPlan& plan, size_t not_yet,
               const ReplaySettings& settings, std::vector<AddedHosts> added, Stopwatch stopwatch)
    : trace_(trace),
      plan_(plan),
      settings_(settings),
      added_(std::move(added)),
      cell_(trace, plan, not_yet, settings.cell, std::move(stopwatch)),
      what_if_order_(settings.what_ifs.size()),
      rejected_(kReasons.size()),
      ended_early_(trace.rows().size()) {
  std::iota(what_if_order_.begin(), what_if_order_.end(), 0);
  std::ranges::stable_sort(what_if_order_, {}, [&](size_t i) { return settings.what_ifs[i].time; });
  for (const WhatIf& one : settings.what_ifs) {
    report_.what_ifs.push_back({.text = one.text, .time = one.time});
  }
  report_.rows = static_cast<int64_t>(trace.rows().size());
  report_.hosts = static_cast<int64_t>(plan.hosts.size());
  report_.window = window_of(trace.rows());
  report_.smallest_common_size = smallest_common_size(trace.rows());
}

absl::Status Replay::run_all(const Progress& progress) {
  const auto count = static_cast<uint32_t>(trace_.rows().size());
  for (uint32_t row = 0; row < count; ++row) {
    if (progress && row % kRowsBetweenReports == 0) progress(row);
    SW_RETURN_IF_ERROR(advance_to(trace_.rows()[row].arrival));
    SW_RETURN_IF_ERROR(arrive(row));
  }
  for (int64_t next = next_event(); next != kNever; next = next_event()) {
    SW_RETURN_IF_ERROR(advance_to(next));
  }
  cell_.usage().advance(std::max(now_, report_.window.end));
  for (const Waiting& one : waiting_) reject(one.row, Reason::kStillWaiting);
  for (const Reason reason : kReasons) {
    const int64_t rejected = rejected_[static_cast<size_t>(reason)];
    if (rejected > 0) report_.rejections.emplace_back(reason, rejected);
  }
  for (const TraceRow& row : trace_.rows()) {
    report_.asked_vcpu_seconds += vcpu_seconds(row, row.arrival, report_.window);
  }
  take_measurements(cell_, report_);
  report_.bound_of_demand = bound_of_demand(trace_.rows(), cell_.usage().bound(), report_.window);
  return absl::OkStatus();
}

int64_t Replay::next_event() const {
  int64_t next = departures_.empty() ? kNever : departures_.top().time;
  if (what_ifs_done_ < what_if_order_.size()) {
    next = std::min(next, settings_.what_ifs[what_if_order_[what_ifs_done_]].time);
  }
  return next;
}

// What-ifs of before the first arrival happen at it.
absl::Status Replay::advance_to(int64_t time) {
  for (int64_t next = next_event(); next <= time && next != kNever; next = next_event()) {
    now_ = std::max(now_, next);
    cell_.usage().advance(now_);
    while (!departures_.empty() && departures_.top().time <= now_) {
      const uint32_t row = departures_.top().row;
      departures_.pop();
      if (!ended_early_[row]) cell_.end(row);
    }
    while (what_ifs_done_ < what_if_order_.size() &&
           settings_.what_ifs[what_if_order_[what_ifs_done_]].time <= now_) {
      carry_out(what_if_order_[what_ifs_done_++]);
    }
    SW_RETURN_IF_ERROR(start_waiting());
  }
  now_ = std::max(now_, time);
  cell_.usage().advance(now_);
  return absl::OkStatus();
}

absl::StatusOr<bool> Replay::start(uint32_t row) {
  SW_ASSIGN_OR_RETURN(const bool runs, cell_.start(row));
  if (!runs) return false;
  const TraceRow& asked = trace_.rows()[row];
  const int64_t wait = now_ - asked.arrival;
  ++report_.placed;
  report_.waited += wait > 0 ? 1 : 0;
  report_.total_wait_s += wait;
  report_.longest_wait_s = std::max(report_.longest_wait_s, wait);
  // Who has waited lives as long as it would have.
  if (asked.departure != kNever) departures_.push({asked.departure + wait, row});
  return true;
}

absl::Status Replay::arrive(uint32_t row) {
  const TraceRow& asked = trace_.rows()[row];
  if (waiting_.empty()) {
    SW_ASSIGN_OR_RETURN(const bool runs, start(row));
    if (runs) return absl::OkStatus();
  }
  switch (settings_.on_full) {
    case OnFull::kReject:
      reject(row, cell_.reason_of(row));
      break;
    case OnFull::kWait:
      if (cell_.could_run(row)) {
        waiting_.insert({asked.arrival, -int64_t{asked.priority}, row});
      } else {
        reject(row, Reason::kTooLarge);
      }
      break;
  }
  return absl::OkStatus();
}

// Nobody overtakes: whoever is first and does not fit keeps all others waiting.
absl::Status Replay::start_waiting() {
  while (!waiting_.empty()) {
    SW_ASSIGN_OR_RETURN(const bool runs, start(waiting_.begin()->row));
    if (!runs) break;
    waiting_.erase(waiting_.begin());
  }
  return absl::OkStatus();
}

void Replay::reject(uint32_t row, Reason reason) {
  ++report_.rejected;
  ++rejected_[static_cast<size_t>(reason)];
  const TraceRow& asked = trace_.rows()[row];
  report_.rejected_vcpu_seconds += vcpu_seconds(asked, asked.arrival, report_.window);
}

void Replay::carry_out(size_t what_if) {
  WhatIfResult& result = report_.what_ifs[what_if];
  std::visit(Overloaded{[&](const LoseDomain& loss) {
                          result.loss = cell_.lose(loss.level, loss.name);
                          note_loss(result);
                        },
                        [&](const AddHosts& addition) {
                          result.hosts_added = addition.count;
                          for (const AddedHosts& added : added_) {
                            if (added.what_if == what_if) cell_.add(plan_, added.first, added.end);
                          }
                        }},
             settings_.what_ifs[what_if].what);
}

void Replay::note_loss(WhatIfResult& result) {
  for (const uint32_t row : result.loss->lost) {
    ended_early_[row] = true;
    result.lost_vcpu_seconds += vcpu_seconds(trace_.rows()[row], now_, report_.window);
    if (result.lost.size() < kMostNamesOfLost) result.lost.emplace_back(trace_.instance(row));
  }
}

}  // namespace stellwerk::placement::simulate
