// Says in one sentence why no host took a request, to people who may know the cell's size but not
// its hosts.
#pragma once

#include <string>
#include <vector>

#include "placement/engine.h"

namespace stellwerk::placement {

// `refusals` holds one entry per host of the fleet, in its order. The result names each rule that
// refused hosts, what was asked, the most that one of those hosts has free, and what would do.
std::string summarize(const Fleet& fleet, const Request& request,
                      const std::vector<Refusal>& refusals);

}  // namespace stellwerk::placement
