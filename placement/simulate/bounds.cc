#include "placement/simulate/bounds.h"

#include <algorithm>
#include <functional>

namespace stellwerk::placement::simulate {

VolumeBound::Prefix VolumeBound::prefix_of(std::vector<int64_t> capacities) {
  std::ranges::sort(capacities, std::greater());
  Prefix prefix;
  prefix.largest = capacities.empty() ? 0 : capacities.front();
  int64_t sum = 0;
  for (const int64_t one : capacities) prefix.sums.push_back(sum += one);
  return prefix;
}

VolumeBound::VolumeBound(const std::vector<Volume>& hosts) {
  std::vector<int64_t> vcpus;
  std::vector<int64_t> memory;
  for (const Volume& host : hosts) {
    vcpus.push_back(host.vcpus);
    memory.push_back(host.memory_mib);
  }
  vcpus_ = prefix_of(std::move(vcpus));
  memory_ = prefix_of(std::move(memory));
}

int64_t VolumeBound::fewest(const Prefix& prefix, int64_t demand) {
  if (demand <= 0) return 0;
  const auto enough = std::ranges::lower_bound(prefix.sums, demand);
  if (enough != prefix.sums.end()) return enough - prefix.sums.begin() + 1;
  const auto all = static_cast<int64_t>(prefix.sums.size());
  if (prefix.largest <= 0) return all;
  return all + (demand - prefix.sums.back() + prefix.largest - 1) / prefix.largest;
}

int64_t VolumeBound::hosts_for(const Volume& demand) const {
  return std::max(fewest(vcpus_, demand.vcpus), fewest(memory_, demand.memory_mib));
}

int64_t Window::overlap(int64_t from, int64_t to) const {
  return std::max<int64_t>(std::min(to, end) - std::max(from, begin), 0);
}

Window window_of(const std::vector<TraceRow>& rows) {
  if (rows.empty()) return {};
  Window window{rows.front().arrival, rows.back().arrival};
  if (window.end > window.begin) return window;
  for (const TraceRow& row : rows) {
    if (row.departure != kNever) window.end = std::max(window.end, row.departure);
  }
  window.end = std::max(window.end, window.begin + 1);
  return window;
}

DemandBound bound_of_demand(const std::vector<TraceRow>& rows, const VolumeBound& bound,
                            const Window& window) {
  std::vector<uint32_t> ends(rows.size());
  for (uint32_t i = 0; i < ends.size(); ++i) ends[i] = i;
  std::ranges::stable_sort(ends, {}, [&](uint32_t row) { return rows[row].departure; });
  DemandBound result;
  Volume demand;
  double integral = 0;
  int64_t now = window.begin;
  const auto advance = [&](int64_t to) {
    if (to <= now) return;
    integral +=
        static_cast<double>(bound.hosts_for(demand)) * static_cast<double>(window.overlap(now, to));
    now = to;
  };
  size_t ended = 0;
  const auto end_until = [&](int64_t time) {
    for (; ended < ends.size() && rows[ends[ended]].departure <= time; ++ended) {
      const TraceRow& row = rows[ends[ended]];
      if (row.departure == row.arrival) continue;  // it never counted
      advance(row.departure);
      demand.vcpus -= row.vcpus;
      demand.memory_mib -= row.memory_mib;
    }
  };
  for (const TraceRow& row : rows) {
    end_until(row.arrival);
    advance(row.arrival);
    if (row.departure == row.arrival) continue;
    demand.vcpus += row.vcpus;
    demand.memory_mib += row.memory_mib;
    result.peak = std::max(result.peak, bound.hosts_for(demand));
  }
  end_until(window.end);
  advance(window.end);
  result.time_average = integral / static_cast<double>(window.length());
  return result;
}

}  // namespace stellwerk::placement::simulate
