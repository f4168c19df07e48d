// The smallest single change of a refused request that would be taken. Whatever it names was tried
// with the engine, and taken back. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "placement/explain.h"

namespace stellwerk::placement {

// `placeable` instances of the request find a place. Less of an amount comes before any dropped
// wish as long as at least half of it is left, the smallest relative change first.
std::optional<Change> smallest_change(Engine& engine, const Request& request, int64_t placeable);

}  // namespace stellwerk::placement
