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

// The one place that decides whether what is drawn fits under a lowered budget or limit, a rack's
// other feeds, or a host that is moved or draws more. Not decided yet: the placement engine's sums
// of power are to be asked here, and until they are, every change is taken.
absl::Status check_power_of(const PowerChange& change, const Ledger& ledger);

}  // namespace stellwerk::controller
