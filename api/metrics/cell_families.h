// What the cell holds and what its hosts have, as gauges. Pure.
#pragma once

#include "api/metrics/families.h"
#include "orchestrator/controller/requests.h"

namespace stellwerk::metrics {

// One family each, the hosts' labelled with the host's id.
Families families_of(const controller::CellSummary& summary);

}  // namespace stellwerk::metrics
