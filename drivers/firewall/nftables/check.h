// What a ruleset must be before it becomes nftables' text. Pure, any thread.
#pragma once

#include "core/status.h"
#include "drivers/firewall/firewall.h"

namespace stellwerk::firewall {

// InvalidArgument names the first mistake. What passes can be written between quotes and as part
// of an nftables name, and means the same there.
absl::Status check(const Ruleset& ruleset);

}  // namespace stellwerk::firewall
