// Puts the ruleset that it reads from standard input as JSON in force.
#include <iostream>
#include <nlohmann/json.hpp>

#include "drivers/firewall/nftables/nftables_firewall.h"

namespace stellwerk::firewall {
namespace {

Ruleset read(const nlohmann::json& json) {
  Ruleset ruleset{.port_prefix = json.at("port_prefix")};
  for (const auto& one : json.at("networks")) {
    GuardedNetwork network{.key = one.at("key")};
    for (const std::string range : one.at("neighbours")) {
      network.neighbours.push_back(IpPrefix::parse(range).value());
    }
    ruleset.networks.push_back(std::move(network));
  }
  for (const auto& one : json.at("ports")) {
    GuardedPort port{.interface_name = one.at("interface"),
                     .mac = std::stoull(std::string(one.at("mac")), nullptr, 16),
                     .network = one.at("network")};
    for (const std::string address : one.at("addresses")) {
      port.addresses.push_back(IpAddress::parse(address).value());
    }
    for (const auto& rule : one.at("ingress")) {
      const std::string protocol = rule.at("protocol");
      using Protocol = AllowRule::Protocol;
      port.ingress.push_back({.protocol = protocol == "tcp"    ? Protocol::kTcp
                                          : protocol == "udp"  ? Protocol::kUdp
                                          : protocol == "icmp" ? Protocol::kIcmp
                                                               : Protocol::kAny,
                              .first_port = rule.value("first", uint16_t{0}),
                              .last_port = rule.value("last", uint16_t{0}),
                              .from = IpPrefix::parse(std::string(rule.at("from"))).value()});
    }
    ruleset.ports.push_back(std::move(port));
  }
  return ruleset;
}

}  // namespace
}  // namespace stellwerk::firewall

int main() {
  stellwerk::firewall::NftablesFirewall firewall;
  const auto outcome = firewall.apply(stellwerk::firewall::read(nlohmann::json::parse(std::cin)));
  if (outcome.ok()) return 0;
  std::cerr << stellwerk::describe(outcome.status()) << '\n';
  return 1;
}
