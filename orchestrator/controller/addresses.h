// Address management of one network: which address and MAC a new port gets. Pure.
// No address is held by two ports; a freed one comes last; no MAC is ever given twice.
#pragma once

#include <set>

#include "core/model.h"
#include "core/status.h"

namespace stellwerk::controller {

struct TakenAddresses {
  std::set<uint32_t> known;
  // Some instance's record cannot be read, so a freed address may be its: only fresh ones are
  // given.
  bool incomplete = false;
};

// Advances the network's cursors. ResourceExhausted when every address is taken. `taken` holds the
// addresses of the network's ports. The network's own, broadcast and gateway addresses are
// never given.
absl::StatusOr<Port> allocate_port(Network& network, const TakenAddresses& taken);

}  // namespace stellwerk::controller
