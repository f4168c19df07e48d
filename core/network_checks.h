// What makes sense as a network: one place for configuration and callers. Each check returns what
// is wrong and what would do, or nothing. Pure.
#pragma once

#include "core/model.h"
#include "core/validate.h"

namespace stellwerk {

inline constexpr int64_t kSmallestMtu = 576;       // RFC 791: every IPv4 host takes as much
inline constexpr int64_t kSmallestIpv6Mtu = 1280;  // RFC 8200, section 5
inline constexpr int64_t kLargestMtu = 9216;       // what Ethernet switches carry as jumbo frames
inline constexpr size_t kMostDnsServers = 8;
inline constexpr size_t kMostRoutes = 32;

// IPv4 from /16 to /29, IPv6 from /48 to /120, of addresses that a guest can have.
Problem check_subnet_range(const IpPrefix& range);
// An address of the subnet that is neither the network's own nor, of IPv4, the broadcast.
Problem check_gateway(const Subnet& subnet);
// Whether a server or a host can have it: neither unspecified, loopback, multicast nor reserved.
bool is_unicast(const IpAddress& address);
// `via` lies in a subnet of the network and is not reserved there; the target is not a subnet.
Problem check_route(const Route& route, const Network& network);
// A bridge of the operator's: an interface's name, and none that Stellwerk gives itself ("sw…").
Problem check_bridge_name(std::string_view name);
// `with_v6`: the network has an IPv6 subnet.
Problem check_mtu(int64_t mtu, bool with_v6);

}  // namespace stellwerk
