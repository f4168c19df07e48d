// The hard constraints, each a small named rule. One `fits` serves ranking and commit.
#pragma once

#include <optional>

#include "placement/engine.h"

namespace stellwerk::placement {

// The first rule that the host fails, or nothing if the request fits.
std::optional<Refusal> first_refusal(const HostView& host, const Request& request,
                                     const CpuLimits& limits);

}  // namespace stellwerk::placement
