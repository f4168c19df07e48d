#include "tests/sim/schedule.h"

#include <algorithm>

namespace stellwerk::sim {

void Schedule::at(MonotonicTime when, Action action) {
  events_.emplace(std::pair(std::max(when, now_), planned_++), std::move(action));
}

bool Schedule::run_one() {
  if (events_.empty()) return false;
  auto event = events_.extract(events_.begin());
  now_ = event.key().first;
  event.mapped()();
  return true;
}

void Life::at(MonotonicTime when, Action action) {
  schedule_.at(when, within(std::move(action)));
}

}  // namespace stellwerk::sim
