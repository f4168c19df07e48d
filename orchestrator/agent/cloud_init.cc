#include "orchestrator/agent/cloud_init.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace stellwerk::agent {
namespace {

// Keys keep the order in which they are written: easier on people who read a seed.
using Json = nlohmann::ordered_json;

// A seed must have user-data; this is the one that asks for nothing.
constexpr std::string_view kNoUserData = "#cloud-config\n{}\n";

// YAML allows fewer characters inside quotes than JSON: DEL, the C1 controls and the two last code
// points of the basic plane would make cloud-init drop the whole file. Outside of quotes they
// never stand.
std::string escape_unprintable(std::string_view json) {
  std::string yaml;
  for (size_t i = 0; i < json.size(); ++i) {
    const auto byte = [&](size_t k) {
      return i + k < json.size() ? static_cast<unsigned char>(json[i + k]) : 0;
    };
    if (byte(0) == 0x7f) {
      yaml += "\\u007f";
    } else if (byte(0) == 0xc2 && byte(1) >= 0x80 && byte(1) <= 0x9f) {
      yaml += fmt::format("\\u{:04x}", byte(1));
      i += 1;
    } else if (byte(0) == 0xef && byte(1) == 0xbf && byte(2) >= 0xbe) {
      yaml += fmt::format("\\uff{:02x}", 0xc0 | (byte(2) & 0x3f));
      i += 2;
    } else {
      yaml += json[i];
    }
  }
  return yaml;
}

// Escapes beyond the basic plane would be surrogate pairs, which YAML does not know: such
// characters stay as they are. Bytes that are not UTF-8 become U+FFFD.
std::string to_yaml(const Json& json) {
  return escape_unprintable(
             json.dump(2, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace)) +
         "\n";
}

std::string meta_data(const Instance& instance) {
  Json json;
  json["instance-id"] = instance.uid.to_string();
  json["local-hostname"] = instance.id;
  json["public-keys"] = instance.ssh_keys;
  return to_yaml(json);
}

bool has_family(const Port& port, const IpAddress& of) {
  return std::ranges::any_of(
      port.addresses, [&of](const IpAddress& address) { return address.family() == of.family(); });
}

// The default routes are the first port's: a guest with two would send by chance.
Json routes_of(const Port& port, const Network& network, bool is_first) {
  Json routes = Json::array();
  const auto add = [&routes](const std::string& to, const IpAddress& via) {
    Json route;
    route["to"] = to;
    route["via"] = via.to_string();
    routes.push_back(route);
  };
  for (const auto* subnet : {&network.v4, &network.v6}) {
    if (!is_first || !*subnet || !(*subnet)->gateway) continue;
    const IpAddress& gateway = *(*subnet)->gateway;
    if (has_family(port, gateway)) add(gateway.is_v4() ? "0.0.0.0/0" : "::/0", gateway);
  }
  for (const Route& route : network.routes) {
    if (has_family(port, route.via)) add(route.to.to_string(), route.via);
  }
  return routes;
}

Json ethernet(const Port& port, const Network& network, const std::string& name, bool is_first) {
  Json json;
  json["match"]["macaddress"] = mac_to_string(port.mac);
  // Some of cloud-init's renderers match by name, too, so the name is not left to the guest.
  json["set-name"] = name;
  json["dhcp4"] = false;
  if (network.mtu != kEthernetMtu) json["mtu"] = network.mtu;
  json["addresses"] = Json::array();
  for (const IpAddress& address : port.addresses) {
    const auto& subnet = address.is_v4() ? network.v4 : network.v6;
    json["addresses"].push_back(
        IpPrefix{address, subnet ? subnet->range.length : uint8_t(address.bits())}.to_string());
  }
  if (Json routes = routes_of(port, network, is_first); !routes.empty()) json["routes"] = routes;
  for (const IpAddress& server : network.dns_servers) {
    json["nameservers"]["addresses"].push_back(server.to_string());
  }
  return json;
}

absl::StatusOr<std::string> network_config(const Instance& instance,
                                           const std::vector<Network>& networks) {
  if (instance.ports.empty()) return std::string();
  Json json;
  json["version"] = 2;
  for (size_t i = 0; i < instance.ports.size(); ++i) {
    const Port& port = instance.ports[i];
    SW_ASSIGN_OR_RETURN(const Network& network, network_of(port, networks));
    const std::string name = fmt::format("eth{}", i);
    json["ethernets"][name] = ethernet(port, network, name, i == 0);
  }
  return to_yaml(json);
}

}  // namespace

absl::StatusOr<std::reference_wrapper<const Network>> network_of(
    const Port& port, const std::vector<Network>& networks) {
  const auto found = std::find_if(networks.begin(), networks.end(), [&](const Network& network) {
    return network.uid == port.network;
  });
  if (found != networks.end()) return std::cref(*found);
  return not_found("network {} is not among the host's orders", port.network.to_string());
}

absl::StatusOr<storage::SeedSpec> make_seed(const Instance& instance,
                                            const std::vector<Network>& networks,
                                            std::string user_data) {
  SW_ASSIGN_OR_RETURN(std::string network, network_config(instance, networks));
  if (user_data.empty()) user_data = kNoUserData;
  return storage::SeedSpec{.instance = instance.uid,
                           .meta_data = meta_data(instance),
                           .user_data = std::move(user_data),
                           .network_config = std::move(network)};
}

}  // namespace stellwerk::agent
