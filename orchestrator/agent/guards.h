// What the orders ask of the host's firewall. Pure; any thread.
#pragma once

#include <span>
#include <vector>

#include "core/host_messages.h"
#include "drivers/firewall/firewall.h"

namespace stellwerk::agent {

// Ports of one instance as the firewall is to guard them. A port whose network is not described is
// guarded, too: it reaches nobody.
std::vector<firewall::GuardedPort> guarded_ports(const Instance& instance,
                                                 std::span<const Network> networks);

// The whole of this host, ports ordered by name: the orders' instances, and guests of this cell
// that no order names, as their domains remember them; those run on as they were.
firewall::Ruleset guards_of(const HostOrders& orders, std::span<const Instance> orphans);

// Whether `in_force` guards every port of the instance just so.
bool is_guarded(const Instance& instance, std::span<const Network> networks,
                const firewall::Ruleset& in_force);

}  // namespace stellwerk::agent
