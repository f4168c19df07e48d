// One option of a bridge for which libnl has no words.
#pragma once

#include <netlink/netlink.h>

#include <string>

#include "core/status.h"

namespace stellwerk::network {

// From now on the bridge `name` does not learn where a MAC is from frames to the addresses that
// bridges keep for themselves (LLDP and the like). Those pass by every firewall, so that a guest
// could draw another's traffic to itself with them. Acts on `socket`, of NETLINK_ROUTE.
absl::Status ignore_senders_of_link_protocols(nl_sock* socket, int index, const std::string& name);

}  // namespace stellwerk::network
