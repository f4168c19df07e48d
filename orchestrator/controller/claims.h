// From a size and wishes to claims: asks placement, and says its refusal as callers hear it.
#pragma once

#include <string>
#include <vector>

#include "core/model.h"
#include "core/status.h"
#include "placement/engine.h"

namespace stellwerk::controller {

struct Size {
  const Flavor& flavor;
  Bytes boot_disk;
};

// Beside its size.
struct Asked {
  Wishes wishes;
  GroupUid group;
  bool failover = false;
  int64_t count = 1;
};

placement::Request request_for(const Size& size, const Asked& asked);
// As it was asked when it was admitted, on any host: what its backup must keep to.
placement::Request request_of(const Instance& instance);

// As many as asked, or Unavailable (NO_HOST_CONNECTED) or ResourceExhausted (NO_HOST_FITS) for
// `who`: "no host can take web-1".
absl::StatusOr<std::vector<placement::Placement>> place(placement::Engine& engine,
                                                        const placement::Request& request,
                                                        const std::string& who);
// On the host that the instance is on, its present claim given back: all of the new one or nothing.
absl::StatusOr<placement::Placement> place_again(placement::Engine& engine,
                                                 const Instance& instance, const Size& size);

}  // namespace stellwerk::controller
