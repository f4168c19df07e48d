// From a size to a claim: asks placement, and says its refusal as callers hear it. Pure.
#pragma once

#include <string>

#include "core/model.h"
#include "core/status.h"
#include "placement/fleet.h"

namespace stellwerk::controller {

struct Size {
  const Flavor& flavor;
  Bytes boot_disk;
};

// Unavailable (NO_HOST_CONNECTED) or ResourceExhausted (NO_HOST_FITS) for the instance `id`.
absl::StatusOr<Claim> claim_somewhere(const placement::Fleet& fleet, const std::string& id,
                                      const Size& size);
// On the host that the instance is on, its present claim given back: all of the new one or nothing.
absl::StatusOr<Claim> claim_in_place(const placement::Fleet& fleet, const Instance& instance,
                                     const Size& size);

}  // namespace stellwerk::controller
