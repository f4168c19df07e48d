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

Json ethernet(const Port& port, const Network& network, const std::string& name) {
  Json json;
  json["match"]["macaddress"] = mac_to_string(port.mac);
  // Some of cloud-init's renderers match by name, too, so the name is not left to the guest.
  json["set-name"] = name;
  json["dhcp4"] = false;
  json["addresses"] = {fmt::format("{}/{}", ipv4_to_string(port.address), network.prefix_length)};
  if (network.gateway != 0) {
    Json route;
    route["to"] = "0.0.0.0/0";
    route["via"] = ipv4_to_string(network.gateway);
    json["routes"] = Json::array({route});
  }
  for (const uint32_t server : network.dns_servers) {
    json["nameservers"]["addresses"].push_back(ipv4_to_string(server));
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
    json["ethernets"][name] = ethernet(port, network, name);
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
