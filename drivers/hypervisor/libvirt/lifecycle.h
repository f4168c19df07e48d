// libvirt's states and lifecycle events in our words. Pure; one thread at a time.
#pragma once

#include <set>

#include "core/ids.h"
#include "drivers/hypervisor/hypervisor.h"

namespace stellwerk::hypervisor {

// Of virDomainGetState, for a domain that was active when it was listed.
DomainState state_of(int state, int reason);

// One lifecycle event of libvirt's: virDomainEventType and its detail.
struct LifecycleEvent {
  Uuid uuid;
  int type = 0;
  int detail = 0;
};

// Remembers one thing: which domains are ending because their process got a signal. libvirt calls
// that end "shut down" too, but a host on its way down is not a guest that wanted to stop.
class LifecycleEvents {
 public:
  DomainEvent translate(const LifecycleEvent& event);

 private:
  std::optional<DomainEnd> end_of(const LifecycleEvent& event);

  std::set<Uuid> signalled_;
};

}  // namespace stellwerk::hypervisor
