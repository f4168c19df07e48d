// How much a mutation may add to a batch, before it is carried out. Pure.
#pragma once

#include <optional>
#include <string>

#include "orchestrator/controller/ledger.h"
#include "orchestrator/controller/requests.h"

namespace stellwerk::controller {

// At least what it will add; of most mutations what any of them may.
Weight weight_of(const MutationBody& body, const Ledger& ledger);

// Why no batch could ever take so many of it, and what would do; nothing if one can.
std::optional<std::string> check_weight(const CreateInstances& create, const Ledger& ledger);

}  // namespace stellwerk::controller
