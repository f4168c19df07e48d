// What stands in the way of a change to what feeds, racks and hosts are said to give and draw.
// Pure.
#pragma once

#include <variant>

#include "core/model.h"
#include "core/status.h"
#include "orchestrator/controller/ledger.h"

namespace stellwerk::controller {

// As it would be after the change.
using PowerChange = std::variant<Feed, Rack, Host>;

// Whether what is drawn fits under a lowered budget or limit, a rack's other feeds, or in the rack
// of a host that is moved or draws more idle; what instances draw was fixed when they were
// admitted. A change that makes nothing worse is taken, also where too much is drawn already.
// FailedPrecondition (POWER_EXCEEDED) names what draws how much and what would do.
absl::Status check_power_of(const PowerChange& change, const Ledger& ledger);

}  // namespace stellwerk::controller
