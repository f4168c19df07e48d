// libvirt's event loop, on a thread of its own.
//
// libvirt needs a loop for events, keep-alive and noticing that its daemon died, and registers one
// per process. Its default implementation on one thread of ours was chosen over
// virEventRegisterImpl on the daemon's io_context: the loop must run while the io_context is busy
// or stopped (keep-alive would declare a healthy daemon dead), and it cannot be handed over or
// taken back later. The thread only runs callbacks that post.
//
// The thread lives while anyone holds the loop, and is woken and joined when the last one lets go,
// which must not happen on it: callbacks therefore own no connection.
#pragma once

#include <atomic>
#include <memory>
#include <thread>

#include "core/status.h"

namespace stellwerk::hypervisor {

class EventLoop {
 public:
  // The process's one loop, started if it does not run.
  static absl::StatusOr<std::shared_ptr<EventLoop>> acquire();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

 private:
  explicit EventLoop(int wake_timer);
  void run();

  int wake_timer_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace stellwerk::hypervisor
