// Reads. Pure: the cell and the time go in, the answer comes out.
#pragma once

#include "orchestrator/controller/host_book.h"
#include "orchestrator/controller/ledger.h"
#include "orchestrator/controller/requests.h"

namespace stellwerk::controller {

// What a read may look at.
struct Sights {
  const Ledger& ledger;
  const HostBook& book;
  const ImportsProgress& imports;
  placement::Engine& engine;  // to ask it
};

// NotFound names the resource; a missing project answers like a missing resource.
absl::StatusOr<Answer> answer_query(const Query& query, const Sights& sights, MonotonicTime now);

}  // namespace stellwerk::controller
