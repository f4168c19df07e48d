// What happened to each instance, newest last: the events of the log by instance, also across a
// change of its name. Soft: rebuilt from the newest log records when a controller loads the cell.
//
// Bounded: at most kMostEntries for one instance and kMostEntriesInAll together; the oldest go
// first. The same phase told again (after a restart) is no news. One thread at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "core/event.h"

namespace stellwerk::controller {

struct TimelineEntry {
  WallTime time;
  std::string type;  // of the event
  std::string reason;
  std::string message;
  std::string caller;  // empty: nobody asked for it
  friend bool operator==(const TimelineEntry&, const TimelineEntry&) = default;
};

class Timelines {
 public:
  static constexpr size_t kMostEntries = 32;
  static constexpr size_t kMostEntriesInAll = 50'000;
  static constexpr size_t kLongestMessage = 300;

  Timelines() = default;
  explicit Timelines(size_t most_in_all) : most_in_all_(most_in_all) {}

  // An event of an instance.
  void note(const Event& event);
  void forget(const InstanceUid& instance);
  // Oldest first.
  std::vector<TimelineEntry> of(const InstanceUid& instance) const;
  size_t size() const { return order_.size(); }

 private:
  struct Numbered {
    uint64_t number;
    TimelineEntry entry;
  };
  void drop_oldest(const InstanceUid& instance);

  size_t most_in_all_ = kMostEntriesInAll;
  uint64_t next_number_ = 0;
  std::map<InstanceUid, std::deque<Numbered>> entries_;
  std::map<uint64_t, InstanceUid> order_;  // of all entries
};

}  // namespace stellwerk::controller
