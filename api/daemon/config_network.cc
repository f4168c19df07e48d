#include "api/daemon/config_network.h"

#include <algorithm>
#include <cctype>

#include "core/network_checks.h"

namespace stellwerk::daemon {
namespace {

struct Family {
  std::string_view subnet_key;
  std::string_view gateway_key;
  std::string_view name;
  std::string_view example;
  bool is_v4;
};
constexpr Family kV4{"subnet", "gateway", "IPv4", "10.64.0.0/24", true};
constexpr Family kV6{"subnet_v6", "gateway_v6", "IPv6", "fd00:64::/64", false};

// Nothing: the key is absent or wrong.
std::optional<IpPrefix> read_range(Section& section, const Family& family) {
  const std::string_view key = family.subnet_key;
  const auto given = section.text(key);
  if (!given) return std::nullopt;
  const auto range = parse_range(*given);
  if (!range || range->address.is_v4() != family.is_v4) {
    section.reject(key, fmt::format("{} is no {} network; give one such as \"{}\"", quoted(*given),
                                    family.name, family.example));
    return std::nullopt;
  }
  if (const Problem problem = check_subnet_range(*range)) {
    section.reject(key, *problem);
    return std::nullopt;
  }
  return range;
}

// By default the subnet's first address; "" is none.
std::optional<IpAddress> read_gateway(Section& section, const Family& family,
                                      const IpPrefix& range) {
  const std::string_view key = family.gateway_key;
  const auto given = section.text(key);
  if (!given) return range.address.plus(1);
  if (given->empty()) return std::nullopt;
  const auto gateway = IpAddress::parse(*given);
  if (!gateway || gateway->is_v4() != family.is_v4) {
    section.reject(
        key, fmt::format("{} is no {} address; give \"\" for none", quoted(*given), family.name));
    return std::nullopt;
  }
  if (const Problem problem = check_gateway({.range = range, .gateway = gateway, .next = {}})) {
    section.reject(key, *problem);
  }
  return gateway;
}

std::optional<Subnet> read_subnet(Section& section, const Family& family,
                                  std::optional<Subnet> fallback) {
  const bool given = section.has(family.subnet_key);
  const auto range = read_range(section, family);
  const auto known = range ? range : fallback ? std::optional(fallback->range) : std::nullopt;
  // Beside a wrong subnet the gateway cannot be judged.
  if ((given && !range) || !known) {
    if (section.text(family.gateway_key) && !given) {
      section.reject(family.gateway_key, fmt::format("needs a {} beside it", family.subnet_key));
    }
    return fallback;
  }
  return Subnet{.range = *known, .gateway = read_gateway(section, family, *known), .next = {}};
}

void read_dns(Section& section, NetworkConfig& config) {
  const auto given = section.texts("dns");
  if (!given) return;
  if (given->size() > kMostDnsServers) {
    section.reject("dns", fmt::format("has {} addresses; at most {} are of use", given->size(),
                                      kMostDnsServers));
    return;
  }
  for (size_t i = 0; i < given->size(); ++i) {
    const auto address = IpAddress::parse((*given)[i]);
    if (address && is_unicast(*address)) {
      config.dns.push_back(*address);
    } else {
      section.reject("dns",
                     fmt::format("[{}] {} is no IP address of a server's", i, quoted((*given)[i])));
    }
  }
  std::ranges::stable_sort(config.dns, {}, &IpAddress::family);
}

}  // namespace

NetworkConfig read_network(Section section) {
  NetworkConfig config;
  if (const auto bridge = section.text("bridge")) config.bridge = *bridge;
  if (const Problem problem = check_bridge_name(config.bridge)) section.reject("bridge", *problem);
  if (const auto create = section.boolean("create_bridge")) config.create_bridge = *create;
  config.v4 = *read_subnet(section, kV4, config.v4);
  config.v6 = read_subnet(section, kV6, std::nullopt);
  read_dns(section, config);
  if (const auto mtu = section.integer("mtu", {.least = kSmallestMtu, .most = kLargestMtu})) {
    config.mtu = *mtu;
    if (const Problem problem = check_mtu(*mtu, config.v6.has_value())) {
      section.reject("mtu", *problem);
    }
  }
  section.reject_unknown_keys();
  return config;
}

}  // namespace stellwerk::daemon
