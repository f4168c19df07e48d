// The serial consoles of this host's domains.
//
// Contract: a domain's console can be opened from its creation, before it runs, to its end, and by
// one at a time: a further one hears nothing before the former has closed. What a guest writes
// while nobody has its console open is lost and never delays the guest; somebody who has it open
// must read. Any thread.
#pragma once

#include <string>

#include "core/descriptor.h"
#include "core/ids.h"
#include "core/status.h"

namespace stellwerk::hypervisor {

class Consoles {
 public:
  virtual ~Consoles() = default;

  // The path for DomainSpec.console_socket.
  virtual std::string socket_of(const InstanceUid& instance) const = 0;
  // A stream, non-blocking and close-on-exec: bytes go both ways, and the end of what can be read
  // is the end of the domain. Does not block. NotFound if there is no such domain, or it was
  // started without a console.
  virtual absl::StatusOr<Descriptor> open(const InstanceUid& instance) = 0;
};

}  // namespace stellwerk::hypervisor
