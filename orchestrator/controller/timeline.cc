#include "orchestrator/controller/timeline.h"

#include "core/validate.h"

namespace stellwerk::controller {

void Timelines::note(const Event& event) {
  const InstanceUid uid(event.uid);
  TimelineEntry entry{.time = event.time,
                      .type = event.type,
                      .reason = event.reason,
                      .message = shortened(event.message, kLongestMessage),
                      .caller = event.caller};
  std::deque<Numbered>& entries = entries_[uid];
  if (!entries.empty() && event.type == "PhaseChanged") {
    const TimelineEntry& last = entries.back().entry;
    const bool same =
        last.type == entry.type && last.reason == entry.reason && last.message == entry.message;
    if (same) return;
  }
  order_.emplace(next_number_, uid);
  entries.push_back({next_number_++, std::move(entry)});
  if (entries.size() > kMostEntries) drop_oldest(uid);
  if (order_.size() > most_in_all_) drop_oldest(InstanceUid(order_.begin()->second));
}

void Timelines::drop_oldest(const InstanceUid& instance) {
  const auto found = entries_.find(instance);
  order_.erase(found->second.front().number);
  found->second.pop_front();
  if (found->second.empty()) entries_.erase(found);
}

void Timelines::forget(const InstanceUid& instance) {
  const auto found = entries_.find(instance);
  if (found == entries_.end()) return;
  for (const Numbered& each : found->second) order_.erase(each.number);
  entries_.erase(found);
}

std::vector<TimelineEntry> Timelines::of(const InstanceUid& instance) const {
  std::vector<TimelineEntry> result;
  const auto found = entries_.find(instance);
  if (found == entries_.end()) return result;
  for (const Numbered& each : found->second) result.push_back(each.entry);
  return result;
}

}  // namespace stellwerk::controller
