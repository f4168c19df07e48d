#include "drivers/hypervisor/libvirt/event_loop.h"

#include <libvirt/libvirt.h>

#include <mutex>

#include "drivers/hypervisor/libvirt/handles.h"

namespace stellwerk::hypervisor {
namespace {

constexpr int kNever = -1;
constexpr int kAtOnce = 0;

void do_nothing(int, void*) {}

struct Shared {
  std::mutex mutex;
  bool registered = false;
  std::weak_ptr<EventLoop> loop;
};

Shared& shared() {
  static Shared instance;
  return instance;
}

}  // namespace

absl::StatusOr<std::shared_ptr<EventLoop>> EventLoop::acquire() {
  const std::lock_guard lock(shared().mutex);
  if (auto running = shared().loop.lock()) return running;
  if (!shared().registered) {
    silence_libvirt();
    if (virInitialize() < 0) return last_error("start the library");
    if (virEventRegisterDefaultImpl() < 0) return last_error("register the event loop");
    shared().registered = true;
  }
  const int timer = virEventAddTimeout(kNever, do_nothing, nullptr, nullptr);
  if (timer < 0) return last_error("add the wake-up timer");
  const std::shared_ptr<EventLoop> loop(new EventLoop(timer));
  shared().loop = loop;
  return loop;
}

EventLoop::EventLoop(int wake_timer) : wake_timer_(wake_timer), thread_([this] { run(); }) {}

EventLoop::~EventLoop() {
  stopping_ = true;
  virEventUpdateTimeout(wake_timer_, kAtOnce);
  thread_.join();
  virEventRemoveTimeout(wake_timer_);
}

void EventLoop::run() {
  while (!stopping_) virEventRunDefaultImpl();
}

}  // namespace stellwerk::hypervisor
