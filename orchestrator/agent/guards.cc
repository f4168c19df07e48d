#include "orchestrator/agent/guards.h"

#include <algorithm>

#include "drivers/firewall/check.h"
#include "orchestrator/agent/plan.h"

namespace stellwerk::agent {
namespace {

// On a network of the cell's, each project is for itself.
std::string key_of(const NetworkUid& network, const ProjectUid& project) {
  return network.to_string() + "/" + project.to_string();
}

const Network* find_network(std::span<const Network> networks, const NetworkUid& uid) {
  const auto found = std::ranges::find(networks, uid, &Network::uid);
  return found == networks.end() ? nullptr : &*found;
}

// Through our own bridge only the host speaks as a neighbour, from the gateways' addresses; behind
// one of somebody else's the whole subnet may be.
std::vector<IpPrefix> neighbours_of(const Network& network) {
  std::vector<IpPrefix> neighbours;
  for (const auto* subnet : {&network.v4, &network.v6}) {
    if (!*subnet) continue;
    if (!network.make_bridge) {
      neighbours.push_back((*subnet)->range);
    } else if (const auto& gateway = (*subnet)->gateway) {
      neighbours.push_back({*gateway, static_cast<uint8_t>(gateway->bits())});
    }
  }
  return neighbours;
}

void add_instance(const Instance& instance, std::span<const Network> networks,
                  firewall::Ruleset& ruleset) {
  for (firewall::GuardedPort& port : guarded_ports(instance, networks)) {
    ruleset.ports.push_back(std::move(port));
  }
  for (const Port& port : instance.ports) {
    const std::string key = key_of(port.network, instance.project);
    if (std::ranges::find(ruleset.networks, key, &firewall::GuardedNetwork::key) !=
        ruleset.networks.end()) {
      continue;
    }
    const Network* network = find_network(networks, port.network);
    ruleset.networks.push_back(
        {.key = key, .neighbours = network ? neighbours_of(*network) : std::vector<IpPrefix>()});
  }
}

// One record that is out of order must not keep the firewall from guarding everybody else.
bool can_be_guarded(const Instance& orphan, std::span<const Network> networks,
                    const firewall::Ruleset& others) {
  firewall::Ruleset alone{.port_prefix = others.port_prefix, .networks = {}, .ports = {}};
  add_instance(orphan, networks, alone);
  return firewall::check(alone).ok() && std::ranges::none_of(alone.ports, [&](const auto& port) {
           return std::ranges::find(others.ports, port.interface_name,
                                    &firewall::GuardedPort::interface_name) != others.ports.end();
         });
}

}  // namespace

std::vector<firewall::GuardedPort> guarded_ports(const Instance& instance,
                                                 std::span<const Network> networks) {
  std::vector<firewall::GuardedPort> ports;
  for (size_t i = 0; i < instance.ports.size(); ++i) {
    const Port& port = instance.ports[i];
    firewall::GuardedPort guarded{.interface_name = interface_name(instance.uid, i),
                                  .mac = port.mac,
                                  .addresses = {},
                                  .network = key_of(port.network, instance.project),
                                  .ingress = instance.ingress};
    if (find_network(networks, port.network)) guarded.addresses = port.addresses;
    ports.push_back(std::move(guarded));
  }
  return ports;
}

firewall::Ruleset guards_of(const HostOrders& orders, std::span<const Instance> orphans,
                            std::span<const network::ObservedPort> seen) {
  firewall::Ruleset ruleset{.port_prefix = kInterfacePrefix, .networks = {}, .ports = {}};
  for (const Instance& instance : orders.instances) {
    add_instance(instance, orders.networks, ruleset);
  }
  for (Instance orphan : orphans) {
    orphan.ingress.clear();
    if (!can_be_guarded(orphan, orders.networks, ruleset)) continue;
    add_instance(orphan, orders.networks, ruleset);
  }
  std::ranges::sort(ruleset.ports, {}, &firewall::GuardedPort::interface_name);
  for (const network::ObservedPort& port : seen) {
    if (is_interface_name(port.interface_name)) continue;
    if (!firewall::is_plain_name(port.interface_name)) continue;
    ruleset.strangers.push_back(port.interface_name);
  }
  return ruleset;
}

bool is_guarded(const Instance& instance, std::span<const Network> networks,
                const firewall::Ruleset& in_force) {
  return std::ranges::all_of(guarded_ports(instance, networks), [&](const auto& port) {
    const auto found = std::ranges::lower_bound(in_force.ports, port.interface_name, {},
                                                &firewall::GuardedPort::interface_name);
    return found != in_force.ports.end() && *found == port;
  });
}

}  // namespace stellwerk::agent
