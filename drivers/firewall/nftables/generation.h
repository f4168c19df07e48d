// The number that the kernel counts up with every change of any nftables rules.
#pragma once

#include <cstdint>

#include "core/status.h"

namespace stellwerk::firewall {

// Of the network namespace of the calling thread. Blocks, but for seconds at most.
absl::StatusOr<uint32_t> ruleset_generation();

}  // namespace stellwerk::firewall
