// What a cell must have before it serves: its identity, the project `default`, the mandatory
// flavors, the configured networks. Idempotent: changes only what is missing or differs.
#pragma once

#include <string_view>
#include <vector>

#include "core/time.h"
#include "orchestrator/controller/ledger.h"

namespace stellwerk::controller {

inline constexpr std::string_view kDefaultProject = "default";

// FailedPrecondition when a configured network no longer holds an address that an instance has.
absl::Status bootstrap(Ledger& ledger, const CellUid& fresh_cell,
                       const std::vector<Network>& networks, Now now);

// Those of SCS-0103's flavors that some host can serve and that do not exist yet.
void add_mandatory_flavors(Ledger& ledger, Now now);

}  // namespace stellwerk::controller
