// What may pass between guests' ports and their bridges: a guest speaks for its own addresses
// alone, and hears its own network, what answers it, and what its rules let in.
//
// Contract, for every port that is guarded:
// - From the guest: frames from its MAC alone; ARP, IPv4, IPv6 and neighbour advertisements for
//   its addresses alone (its link-local address is always one of them); no router advertisement,
//   redirect, multicast query, DHCP server's answer, VLAN tag or other kind of frame. The same
//   towards other ports and towards the host.
// - To the guest: frames to its MAC or to a group; ARP and neighbour discovery; everything from
//   guarded ports of the same network and from its neighbours; answers to what the guest
//   began, and ICMP errors; what its `ingress` rules allow. Nothing else.
// - An interface whose name begins with `port_prefix` and that is neither guarded nor a stranger is
//   shut both ways, so a port is guarded before it exists. Other interfaces are let be.
// Rules of other owners are never changed. Calls block; from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/ip.h"
#include "core/model.h"
#include "core/status.h"

namespace stellwerk::firewall {

// Who may always talk: several may share a bridge, as projects do on a network of the cell's.
struct GuardedNetwork {
  std::string key;
  // Who else belongs to the network though its frames come from the host or from outside: the
  // gateways, and ports on other hosts. Never a guarded port, whatever its address.
  std::vector<IpPrefix> neighbours;
  friend bool operator==(const GuardedNetwork&, const GuardedNetwork&) = default;
};

struct GuardedPort {
  std::string interface_name;
  uint64_t mac = 0;
  // Of both families; the link-local address that follows from the MAC is added to them.
  std::vector<IpAddress> addresses;
  // Names one of the ruleset's networks.
  std::string network;
  std::vector<IngressRule> ingress;
  friend bool operator==(const GuardedPort&, const GuardedPort&) = default;
};

struct Ruleset {
  // How the names of all guests' interfaces on this host begin.
  std::string port_prefix;
  std::vector<GuardedNetwork> networks;
  std::vector<GuardedPort> ports;
  // Interfaces that begin so, too, and are somebody else's: let be.
  std::vector<std::string> strangers = {};
  friend bool operator==(const Ruleset&, const Ruleset&) = default;
};

enum class Outcome : uint8_t {
  kUnchanged,  // the same rules were in force
  kApplied,    // other rules were asked for than before, or these for the first time
  kMended,     // the same rules were asked for; somebody had changed or removed them
};

class Firewall {
 public:
  virtual ~Firewall() = default;

  // Puts exactly this in force, at once: no frame passes between two states. On an error what was
  // in force stays. Conversations of guests that stay guarded go on. InvalidArgument names the
  // port and what is wrong with it.
  virtual absl::StatusOr<Outcome> apply(const Ruleset& ruleset) = 0;

  // Nothing is guarded afterwards. OK if nothing was.
  virtual absl::Status clear() = 0;
};

}  // namespace stellwerk::firewall
