#include "placement/simulate/report.h"

namespace stellwerk::placement::simulate {

std::string_view to_string(OnFull on_full) {
  switch (on_full) {
    case OnFull::kReject:
      return "reject";
    case OnFull::kWait:
      return "wait";
  }
  return "";
}

double Report::rejected_vcpu_fraction() const {
  return asked_vcpu_seconds > 0 ? rejected_vcpu_seconds / asked_vcpu_seconds : 0;
}

double vcpu_seconds(const TraceRow& row, int64_t from, const Window& window) {
  return static_cast<double>(row.vcpus) *
         static_cast<double>(window.overlap(std::max(from, row.arrival), row.departure));
}

void take_measurements(Cell& cell, Report& report) {
  Usage& usage = cell.usage();
  report.time_avg_hosts_used = usage.average_hosts_used();
  report.peak_hosts_used = usage.peak_hosts_used();
  report.bound_time_avg_hosts = usage.average_bound();
  report.bound_peak_hosts = usage.peak_bound();
  report.time_avg_vcpu_load = usage.average_vcpu_load();
  report.time_avg_memory_load = usage.average_memory_load();
  report.stranded_vcpu_fraction = usage.stranded_vcpu_fraction();
  report.stranded_memory_fraction = usage.stranded_memory_fraction();
  report.load = usage.series();
  report.peak = usage.peak_map();
  const Histogram& latency = cell.latency();
  report.decisions = latency.count();
  if (latency.sum() > 0) {
    report.decisions_per_second =
        static_cast<double>(latency.count()) * 1e9 / static_cast<double>(latency.sum());
  }
  report.latency = {
      .p50 = latency.quantile(0.5), .p99 = latency.quantile(0.99), .p999 = latency.quantile(0.999)};
}

}  // namespace stellwerk::placement::simulate
