// Where an instance is to run: from the caller's names to the cell's own, every mistake at once.
// Pure.
#pragma once

#include <vector>

#include "orchestrator/controller/ledger.h"
#include "orchestrator/controller/requests.h"

namespace stellwerk::controller {

struct Placing {
  Wishes wishes;
  GroupUid group;  // nil: none
};

// Adds to `violations`; the result is complete if nothing was added.
Placing check_placing(const CreateInstance& create, const Ledger& ledger,
                      std::vector<FieldViolation>& violations);

}  // namespace stellwerk::controller
