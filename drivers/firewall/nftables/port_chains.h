// How answers to a guest are told from what is unasked, and the chains that one port has for
// itself, as nftables' text. Pure, any thread.
//
// Conversations are learned here: not every kernel can track connections on bridges, its tracker is
// shared by all, and tenants may use the same addresses. TCP and UDP conversations lie in a set of
// the port's own, so that a guest that fills it harms nobody else; what passes for an answer of
// other protocols, and of later fragments, is whom the guest lately spoke to, in sets that all
// share and a port fills at a bounded rate. Sets outlive a change of the rules.
#pragma once

#include <string>
#include <vector>

#include "drivers/firewall/firewall.h"
#include "drivers/firewall/nftables/names.h"
#include "drivers/firewall/nftables/table.h"

namespace stellwerk::firewall {

// The families in which anybody outside the link can speak with the port.
std::vector<Family> families_of(const GuardedPort& port);

// TCP conversations that are ending, peers, and what bounds the rate of new peers. The first may
// be full without harm.
std::vector<Set> shared_sets(const Family& family);
std::vector<Set> sets_of(const GuardedPort& port);

// From a guest to elsewhere than its own network, in this order: `meet` for all protocols,
// `mark_ending` for TCP, then the port's chain "live" for a TCP segment that begins nothing, "open"
// for other TCP and for UDP. Only a guest's first packet begins a conversation, so what a server
// sends to its clients fills nothing; and the last acknowledgement does not revive what has ended.
Chain meet(const Family& family);
Chain mark_ending(const Family& family);
std::vector<Chain> outward(const GuardedPort& port, const Family& family);

// From elsewhere than its own network: the rules for what every port may hear from its peers, then
// the port's chain "in". `neighbours` is the chain that accepts the network's; empty: none.
std::vector<std::string> answers(const Family& family);
Chain inward(const GuardedPort& port, const Family& family, const std::string& neighbours);

}  // namespace stellwerk::firewall
