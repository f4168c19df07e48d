// Who keeps the consoles of this host's guests, as the executor sees it. Calls may come from any
// thread and block for a moment at most; nothing here fails a step, for a guest without a console
// is better than none.
#pragma once

#include <string>
#include <vector>

#include "drivers/hypervisor/hypervisor.h"

namespace stellwerk::agent {

class ConsoleKeeper {
 public:
  virtual ~ConsoleKeeper() = default;

  // The path for DomainSpec.console_socket.
  virtual std::string socket_of(const InstanceUid& instance) const = 0;
  // Its domain exists and does not run yet: from here on every byte that it writes is heard.
  virtual void created(const InstanceUid& instance) = 0;
  // Domains as they are now: opens the consoles that are not open, as after a restart.
  virtual void observed(const std::vector<hypervisor::ObservedDomain>& domains) = 0;
  // Its files go now: whoever is attached is told, and nothing is kept.
  virtual void deleted(const InstanceUid& instance) = 0;
};

}  // namespace stellwerk::agent
