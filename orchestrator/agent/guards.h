// What the orders ask of the host's firewall. Pure; any thread.
#pragma once

#include <span>
#include <vector>

#include "core/host_messages.h"
#include "drivers/firewall/firewall.h"
#include "drivers/network/network.h"

namespace stellwerk::agent {

// Ports of one instance as the firewall is to guard them. A port whose network is not described is
// guarded, too: it reaches nobody.
std::vector<firewall::GuardedPort> guarded_ports(const Instance& instance,
                                                 std::span<const Network> networks);

// The whole of this host, ports ordered by name: the orders' instances, and guests of this cell
// that no order names, as their domains remember them. Those run on, but nothing unasked reaches
// them from outside their network: what their domains remember of allow rules may have been revoked
// since their start. An orphan that the firewall would refuse is left out, and so is shut.
//
// `seen`: interfaces on bridges that begin as ours do; those that cannot be ours are let be.
firewall::Ruleset guards_of(const HostOrders& orders, std::span<const Instance> orphans,
                            std::span<const network::ObservedPort> seen = {});

// Whether `in_force` guards every port of the instance just so.
bool is_guarded(const Instance& instance, std::span<const Network> networks,
                const firewall::Ruleset& in_force);

}  // namespace stellwerk::agent
