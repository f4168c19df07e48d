// Network by the Linux kernel's bridges, through netlink.
//
// Invariants: a bridge that we made bears our group number, set in the very request that makes it,
// so that one left half-made by a crash is known as ours and finished; one without it is somebody
// else's and never changed. Our bridge keeps one MAC for life: by default a bridge takes the
// lowest of its ports', and guests would lose their gateway whenever a port comes or goes.
//
// Acts in the network namespace of the calling thread. Every call opens a socket of its own: any
// thread. Needs CAP_NET_ADMIN for changes.
#pragma once

#include "drivers/network/network.h"

namespace stellwerk::network {

class BridgeNetwork final : public Network {
 public:
  // FailedPrecondition: another kind of interface bears the name. PermissionDenied: not root.
  absl::Status ensure_bridge(const BridgeSpec& bridge) override;
  absl::Status require_bridge(const std::string& name) override;
  absl::Status remove_bridge(const std::string& name) override;
  absl::StatusOr<std::vector<ObservedPort>> ports(const std::string& prefix) override;
  absl::Status remove_port(const std::string& interface_name) override;
};

}  // namespace stellwerk::network
