// The network on this host: bridges that guests' ports hang on.
// Contract: an interface that we did not make is never changed. Calls block; from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/ip.h"
#include "core/model.h"
#include "core/status.h"

namespace stellwerk::network {

struct BridgeSpec {
  std::string name;
  // The host's own addresses on the bridge (the guests' gateways), each with the length of its
  // subnet; none: the host is not on this network.
  std::vector<IpPrefix> addresses;
  int64_t mtu = kEthernetMtu;
};

struct ObservedPort {
  std::string interface_name;
  std::string bridge;
  friend bool operator==(const ObservedPort&, const ObservedPort&) = default;
};

class Network {
 public:
  virtual ~Network() = default;

  // Makes the bridge if it is missing, gives it its addresses and sets it up. A bridge that was
  // there before keeps what it has. FailedPrecondition where the host has a range of these already,
  // on another interface.
  virtual absl::Status ensure_bridge(const BridgeSpec& bridge) = 0;

  // One of somebody else's. NotFound, or FailedPrecondition where it is something else.
  virtual absl::Status require_bridge(const std::string& name) = 0;

  // OK if there is none. Refuses (PermissionDenied) what is no bridge of ours, and
  // (FailedPrecondition) one that an interface hangs on.
  virtual absl::Status remove_bridge(const std::string& name) = 0;

  // The interfaces on any bridge whose names begin with `prefix`, ordered by name.
  virtual absl::StatusOr<std::vector<ObservedPort>> ports(const std::string& prefix) = 0;

  // OK if there is none. Refuses (PermissionDenied) what is not a tap interface.
  virtual absl::Status remove_port(const std::string& interface_name) = 0;
};

}  // namespace stellwerk::network
