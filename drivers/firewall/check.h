// What a ruleset must be before a firewall takes it. Pure, any thread.
#pragma once

#include <string_view>

#include "core/status.h"
#include "drivers/firewall/firewall.h"

namespace stellwerk::firewall {

// InvalidArgument names the first mistake. What passes can be written between quotes and as part
// of an nftables name, and means the same there.
absl::Status check(const Ruleset& ruleset);

// Whether a ruleset may name such an interface. The kernel takes far more.
bool is_plain_name(std::string_view name);

}  // namespace stellwerk::firewall
