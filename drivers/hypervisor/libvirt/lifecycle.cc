#include "drivers/hypervisor/libvirt/lifecycle.h"

#include <libvirt/libvirt.h>

namespace stellwerk::hypervisor {

DomainState state_of(int state, int reason) {
  switch (state) {
    case VIR_DOMAIN_PAUSED:
      if (reason == VIR_DOMAIN_PAUSED_IOERROR) return DomainState::kPausedOnError;
      if (reason == VIR_DOMAIN_PAUSED_CRASHED) return DomainState::kCrashed;
      if (reason == VIR_DOMAIN_PAUSED_SHUTTING_DOWN) return DomainState::kShuttingDown;
      return DomainState::kPaused;
    case VIR_DOMAIN_PMSUSPENDED:
      return DomainState::kPaused;
    case VIR_DOMAIN_SHUTDOWN:
    case VIR_DOMAIN_SHUTOFF:  // ended since it was listed
      return DomainState::kShuttingDown;
    case VIR_DOMAIN_CRASHED:
      return DomainState::kCrashed;
    default:  // running, blocked on its own, and what a newer libvirt may add
      return DomainState::kRunning;
  }
}

DomainEvent LifecycleEvents::translate(const LifecycleEvent& event) {
  return {.uuid = event.uuid, .ended = end_of(event)};
}

std::optional<DomainEnd> LifecycleEvents::end_of(const LifecycleEvent& event) {
  if (event.type == VIR_DOMAIN_EVENT_SHUTDOWN) {
    if (event.detail == VIR_DOMAIN_EVENT_SHUTDOWN_HOST) signalled_.insert(event.uuid);
    return std::nullopt;
  }
  if (event.type != VIR_DOMAIN_EVENT_STOPPED) return std::nullopt;
  const bool signalled = signalled_.erase(event.uuid) > 0;
  switch (event.detail) {
    case VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN:
      return signalled ? DomainEnd::kDestroyed : DomainEnd::kShutDownByGuest;
    case VIR_DOMAIN_EVENT_STOPPED_DESTROYED:
      return DomainEnd::kDestroyed;
    case VIR_DOMAIN_EVENT_STOPPED_CRASHED:
    case VIR_DOMAIN_EVENT_STOPPED_FAILED:
      return DomainEnd::kCrashed;
    default:  // migrated, saved, from a snapshot: the next look tells
      return std::nullopt;
  }
}

}  // namespace stellwerk::hypervisor
