// How planted bugs damage what a controller loads, and what it writes.
#pragma once

#include "drivers/store/store.h"
#include "orchestrator/controller/cell_state.h"
#include "tests/sim/bugs.h"

namespace stellwerk::sim {

void damage(Bug bug, controller::CellState& loaded);
void damage(Bug bug, store::Batch& written);

}  // namespace stellwerk::sim
