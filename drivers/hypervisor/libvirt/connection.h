// One connection to libvirt that heals itself.
//
// A thread of its own opens it, with back-off, and opens it anew whenever it is lost: the daemon
// ended (close callback) or stopped answering (keep-alive). With every opening the lifecycle events
// are registered again. `get` never blocks. Any thread.
//
// Opening blocks for as long as libvirt's daemon hangs, so the destructor leaves a thread that does
// not end within a moment behind; that thread shares no memory with us but what it owns too.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "core/status.h"
#include "core/time.h"
#include "drivers/hypervisor/hypervisor.h"
#include "drivers/hypervisor/libvirt/handles.h"

namespace stellwerk::hypervisor {

struct ConnectionConfig {
  std::string uri;
  Duration first_backoff = std::chrono::milliseconds(250);  // doubles
  Duration longest_backoff = std::chrono::seconds(10);
  // A daemon that answers nothing for (count + 1) intervals counts as dead.
  int keepalive_seconds = 5;
  unsigned keepalive_count = 3;
  // Counted up with every opening; may be null.
  std::shared_ptr<std::atomic<int64_t>> opened;
};

// Where events go; outlives every connection that has it.
class EventSink {
 public:
  // Returns when no call of the former listener is under way.
  void set(std::function<void(const DomainEvent&)> listener);
  void deliver(const DomainEvent& event);

 private:
  std::mutex mutex_;
  std::function<void(const DomainEvent&)> listener_;
};

class Connection {
 public:
  using Handle = std::shared_ptr<virConnect>;

  Connection(ConnectionConfig config, std::shared_ptr<EventSink> sink);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Unavailable while there is none: says why.
  absl::StatusOr<Handle> get() const;

  // Until the first attempt to open ended, at most `patience`: its result.
  absl::Status wait_for_first_attempt(Duration patience) const;

 private:
  struct State;
  static void maintain(const std::shared_ptr<State>& state);

  std::shared_ptr<State> state_;
};

}  // namespace stellwerk::hypervisor
