// A ruleset as an nftables table. Pure, any thread.
//
// Every value in it is a number, an address or a name that `check` has let pass, so that nothing
// in a ruleset can be read as syntax. What decides who is who lies in anonymous sets, which the
// kernel lets nobody change.
#pragma once

#include "drivers/firewall/firewall.h"
#include "drivers/firewall/nftables/table.h"

namespace stellwerk::firewall {

// The order of networks and ports makes no difference. The ruleset must have passed `check`.
Table table_of(const Ruleset& ruleset);

}  // namespace stellwerk::firewall
