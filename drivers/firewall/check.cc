#include "drivers/firewall/check.h"

#include <algorithm>
#include <set>

#include "core/validate.h"

namespace stellwerk::firewall {

// nftables would read some of what the kernel takes as syntax.
bool is_plain_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  return !name.empty() && name.size() <= kLongestInterfaceName &&
         std::ranges::all_of(name, allowed);
}

namespace {

absl::Status check_rule(const IngressRule& rule) {
  const bool has_ports = rule.ports.first != 0 || rule.ports.last != 0;
  const bool may_have_ports =
      rule.protocol == IpProtocol::kTcp || rule.protocol == IpProtocol::kUdp;
  if (has_ports && !may_have_ports) {
    return invalid_argument("ports {} to {}: only TCP and UDP have ports; leave them zero",
                            rule.ports.first, rule.ports.last);
  }
  if (has_ports && (rule.ports.first == 0 || rule.ports.first > rule.ports.last)) {
    return invalid_argument("ports {} to {}: name the lower one first, from 1 on; both zero: all",
                            rule.ports.first, rule.ports.last);
  }
  if (rule.from.length > rule.from.address.bits() || rule.from != rule.from.normalized()) {
    return invalid_argument("from {}: this is no range of addresses; use {}", rule.from.to_string(),
                            rule.from.normalized().to_string());
  }
  return absl::OkStatus();
}

absl::Status check_port(const Ruleset& ruleset, const GuardedPort& port) {
  if (!is_plain_name(port.interface_name) ||
      !port.interface_name.starts_with(ruleset.port_prefix)) {
    return invalid_argument(
        "\"{}\" is no name of a guarded port; use 1 to {} letters, digits, '-', '_' or '.', "
        "beginning with {}",
        port.interface_name, kLongestInterfaceName, ruleset.port_prefix);
  }
  constexpr uint64_t kGroupBit = 0x010000000000;
  if (port.mac == 0 || port.mac >> 48 != 0 || (port.mac & kGroupBit) != 0) {
    return invalid_argument("{}: {:#x} is no MAC of one station; use 48 bits, not zero, no group",
                            port.interface_name, port.mac);
  }
  const auto named = [&](const GuardedNetwork& network) { return network.key == port.network; };
  if (std::ranges::none_of(ruleset.networks, named)) {
    return invalid_argument("{}: the network \"{}\" is not part of the ruleset; add it",
                            port.interface_name, port.network);
  }
  for (const IngressRule& rule : port.ingress) {
    const absl::Status checked = check_rule(rule);
    if (!checked.ok()) return annotate(checked, port.interface_name);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status check(const Ruleset& ruleset) {
  if (!is_plain_name(ruleset.port_prefix)) {
    return invalid_argument("\"{}\" is no prefix of interfaces' names; use letters and digits",
                            ruleset.port_prefix);
  }
  std::set<std::string> keys;
  for (const GuardedNetwork& network : ruleset.networks) {
    if (!keys.insert(network.key).second) {
      return invalid_argument("the network \"{}\" is there twice; name it once", network.key);
    }
    for (const IpPrefix& neighbour : network.neighbours) {
      if (neighbour.length > neighbour.address.bits()) {
        return invalid_argument("the network \"{}\": {} is no range of addresses", network.key,
                                neighbour.to_string());
      }
    }
  }
  std::set<std::string> names;
  for (const GuardedPort& port : ruleset.ports) {
    SW_RETURN_IF_ERROR(check_port(ruleset, port));
    if (!names.insert(port.interface_name).second) {
      return invalid_argument("the port {} is there twice; name it once", port.interface_name);
    }
  }
  for (const std::string& stranger : ruleset.strangers) {
    if (!is_plain_name(stranger) || !stranger.starts_with(ruleset.port_prefix)) {
      return invalid_argument("\"{}\" is no stranger; only a name that begins with {} can be one",
                              stranger, ruleset.port_prefix);
    }
    if (names.contains(stranger)) {
      return invalid_argument("{} is guarded and a stranger at once; choose", stranger);
    }
  }
  return absl::OkStatus();
}

}  // namespace stellwerk::firewall
