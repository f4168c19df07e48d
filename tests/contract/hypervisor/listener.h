// Collects a driver's events.
#pragma once

#include <algorithm>
#include <mutex>
#include <optional>
#include <vector>

#include "../../support/eventually.h"
#include "drivers/hypervisor/hypervisor.h"

namespace stellwerk::hypervisor {

class Listener {
 public:
  explicit Listener(Hypervisor& hypervisor) : hypervisor_(hypervisor) {
    hypervisor_.listen([this](const DomainEvent& event) {
      const std::lock_guard lock(mutex_);
      events_.push_back(event);
    });
  }
  ~Listener() { hypervisor_.listen({}); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // How the domain ended, as soon as an event tells; nothing if none does in time.
  std::optional<DomainEnd> end_of(const Uuid& uuid) {
    std::optional<DomainEnd> end;
    testing::eventually([&] {
      const std::lock_guard lock(mutex_);
      for (const DomainEvent& event : events_) {
        if (event.uuid == uuid && event.ended) end = event.ended;
      }
      return end.has_value();
    });
    return end;
  }

  // Waits for an event that asks for another look.
  bool was_told_to_look(const Uuid& uuid) {
    return testing::eventually([&] {
      const std::lock_guard lock(mutex_);
      return std::any_of(events_.begin(), events_.end(), [&](const DomainEvent& event) {
        return event.uuid == uuid && !event.ended;
      });
    });
  }

  size_t count() {
    const std::lock_guard lock(mutex_);
    return events_.size();
  }

 private:
  Hypervisor& hypervisor_;
  std::mutex mutex_;
  std::vector<DomainEvent> events_;
};

}  // namespace stellwerk::hypervisor
