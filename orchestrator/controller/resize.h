// How large a new or changed instance would be: what it asks of its project's limits, and the
// checks of a resize. Pure.
#pragma once

#include "orchestrator/controller/admission.h"

namespace stellwerk::controller {

// What the instance would add to its project's use. `sizing` is complete.
ProjectUse demand_of(const Sizing& sizing);

struct NewSize {
  const Flavor* flavor = nullptr;
  Bytes boot_disk;
};
// InvalidArgument names what is wrong with the request; FailedPrecondition (DISK_WOULD_SHRINK) if
// the disk would lose bytes.
absl::StatusOr<NewSize> check_resize(const ResizeInstance& resize, const Instance& instance,
                                     const Ledger& ledger);

}  // namespace stellwerk::controller
