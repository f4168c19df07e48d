#include "core/network_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "core/parse_number.h"

namespace stellwerk {
namespace {

struct Lengths {
  int shortest;
  int longest;
};
Lengths lengths_of(const IpAddress& address) {
  return address.is_v4() ? Lengths{16, 29} : Lengths{48, 120};
}

}  // namespace

Problem check_subnet_range(const IpPrefix& range) {
  const Lengths lengths = lengths_of(range.address);
  if (range.length < lengths.shortest || range.length > lengths.longest) {
    return fmt::format("/{} is too {}; give a prefix length from {} to {}", range.length,
                       range.length < lengths.shortest ? "large" : "small", lengths.shortest,
                       lengths.longest);
  }
  if (range.normalized() != range) {
    return fmt::format("{} is an address within a network; did you mean \"{}\"?", range.to_string(),
                       range.normalized().to_string());
  }
  if (!is_unicast(range.address)) {
    return fmt::format("{} is reserved; give a private network such as \"{}\"", range.to_string(),
                       range.address.is_v4() ? "10.64.0.0/24" : "fd00:64::/64");
  }
  return std::nullopt;
}

Problem check_gateway(const Subnet& subnet) {
  if (!subnet.gateway) return std::nullopt;
  const IpAddress& gateway = *subnet.gateway;
  const IpPrefix& range = subnet.range;
  if (!range.contains(gateway)) {
    return fmt::format("{} is outside the subnet, {}", gateway.to_string(), range.to_string());
  }
  const bool is_network = gateway == range.address;
  if (is_network || (gateway.is_v4() && gateway == range.last())) {
    return fmt::format("{} is the {} address of the subnet, {}", gateway.to_string(),
                       is_network ? "network" : "broadcast", range.to_string());
  }
  return std::nullopt;
}

bool is_unicast(const IpAddress& address) {
  const auto& bytes = address.bytes();
  if (address.is_v4()) return bytes[0] != 0 && bytes[0] != 127 && bytes[0] < 224;
  static const IpPrefix kLowest = IpPrefix::parse("::/8").value();
  static const IpPrefix kLinkLocal = IpPrefix::parse("fe80::/10").value();
  return bytes[0] != 0xff && !kLowest.contains(address) && !kLinkLocal.contains(address);
}

Problem check_route(const Route& route, const Network& network) {
  const auto& subnet = route.via.is_v4() ? network.v4 : network.v6;
  if (route.to.address.family() != route.via.family()) {
    return fmt::format("{} cannot be reached via {}: they are of different families",
                       route.to.to_string(), route.via.to_string());
  }
  if (route.to.normalized() != route.to) {
    return fmt::format("{} has bits behind its length; did you mean {}?", route.to.to_string(),
                       route.to.normalized().to_string());
  }
  if (!subnet || !subnet->range.contains(route.via) || route.via == subnet->range.address ||
      (route.via.is_v4() && route.via == subnet->range.last())) {
    return fmt::format("{} is no neighbour: give an address of the network's own subnet",
                       route.via.to_string());
  }
  if (route.to.overlaps(subnet->range) && route.to.length >= subnet->range.length) {
    return fmt::format("{} lies within the network itself, {}; leave the route out",
                       route.to.to_string(), subnet->range.to_string());
  }
  return std::nullopt;
}

Problem check_bridge_name(std::string_view name) {
  const auto may_stand = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
  };
  const bool right = !name.empty() && name.size() <= kLongestInterfaceName &&
                     std::ranges::all_of(name, may_stand) && name[0] != '-' && name[0] != '.';
  if (right && !name.starts_with("sw")) return std::nullopt;
  return fmt::format(
      "{} is no name of a bridge of yours; give 1 to {} letters, digits, '-', '_' or '.', and none "
      "that begins with \"sw\", as Stellwerk's own do",
      quoted(name), kLongestInterfaceName);
}

Problem check_mtu(int64_t mtu, bool with_v6) {
  const int64_t smallest = with_v6 ? kSmallestIpv6Mtu : kSmallestMtu;
  if (mtu >= smallest && mtu <= kLargestMtu) return std::nullopt;
  return fmt::format("{} bytes asked; give {} to {}{}", mtu, smallest, kLargestMtu,
                     with_v6 ? " (IPv6 needs at least 1280)" : "");
}

}  // namespace stellwerk
