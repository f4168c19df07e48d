// Address management of one network: which address and MAC a new port gets. Pure.
// No address is held by two ports; a freed one comes last; no MAC is ever given twice.
#pragma once

#include <set>

#include "core/model.h"
#include "core/status.h"

namespace stellwerk::controller {

// Advances the network's cursors. ResourceExhausted when every address is taken. `taken` holds the
// addresses of the network's other ports. The network's own, broadcast and gateway addresses are
// never given.
absl::StatusOr<Port> allocate_port(Network& network, const std::set<uint32_t>& taken);

}  // namespace stellwerk::controller
