// Capacity that nobody can book. A host's free processors are stranded where the smallest size that
// is commonly asked for would fit into them and does not fit into what memory is left, and the
// other way round. After "stranding" in Pond (Li et al., ASPLOS 2023), which asks for whole cores
// alone; judged by a size that is really asked for, as fragmentation in FGD (Weng et al., ATC
// 2023). Pure.
#pragma once

#include <vector>

#include "placement/simulate/bounds.h"
#include "placement/simulate/trace.h"

namespace stellwerk::placement::simulate {

// Of the sizes that at least one row in a hundred asks for (where there is none, of those that most
// rows ask for) the one with the fewest vCPUs, then the least memory.
Volume smallest_common_size(const std::vector<TraceRow>& rows);

// What of `free` is stranded.
Volume stranded_of(const Volume& free, const Volume& smallest);

}  // namespace stellwerk::placement::simulate
