// Says what a booking would meet now, and changes nothing.
#pragma once

#include "core/status.h"
#include "orchestrator/controller/ledger.h"
#include "orchestrator/controller/requests.h"

namespace stellwerk::controller {

// The same mistakes as of the booking itself; a limit of the project that is exceeded is an
// explanation, too. `engine` is the ledger's own.
absl::StatusOr<PlacementView> explain_placement(const ExplainPlacement& asked, const Ledger& ledger,
                                                placement::Engine& engine);

}  // namespace stellwerk::controller
