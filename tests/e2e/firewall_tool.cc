// Puts the ruleset that it reads from standard input as JSON in force; --clear removes it; --show
// SET prints what a set of our table holds, as JSON.
#include <nftables/libnftables.h>

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
      port.ingress.push_back(
          {.protocol = protocol == "tcp"    ? IpProtocol::kTcp
                       : protocol == "udp"  ? IpProtocol::kUdp
                       : protocol == "icmp" ? IpProtocol::kIcmp
                                            : IpProtocol::kAny,
           .ports = {rule.value("first", uint16_t{0}), rule.value("last", uint16_t{0})},
           .from = IpPrefix::parse(std::string(rule.at("from"))).value()});
    }
    ruleset.ports.push_back(std::move(port));
  }
  return ruleset;
}

void show(const std::string& set) {
  nft_ctx* context = nft_ctx_new(NFT_CTX_DEFAULT);
  nft_ctx_output_set_flags(context, NFT_CTX_OUTPUT_JSON);
  nft_run_cmd_from_buffer(context, ("list set bridge stellwerk " + set).c_str());
  nft_ctx_free(context);
}

}  // namespace
}  // namespace stellwerk::firewall

int main(int count, char** words) {
  stellwerk::firewall::NftablesFirewall firewall;
  absl::Status status;
  if (count == 2 && words[1] == std::string("--clear")) {
    status = firewall.clear();
  } else if (count == 3 && words[1] == std::string("--show")) {
    stellwerk::firewall::show(words[2]);
  } else {
    status = firewall.apply(stellwerk::firewall::read(nlohmann::json::parse(std::cin))).status();
  }
  if (status.ok()) return 0;
  std::cerr << stellwerk::describe(status) << '\n';
  return 1;
}
