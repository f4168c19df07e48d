// Which addresses a download may connect to: the public Internet, and what configuration adds.
//
// A URL comes from a caller, so without this a caller could read what only this host can reach: its
// own services, the management network, a cloud's metadata service. Judged is the address that a
// connection is made to, never a name, which may point elsewhere a moment later. Values; any
// thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/ip.h"

namespace stellwerk::download {

class AddressPolicy {
 public:
  // Addresses within `allowed` are allowed, whatever they are.
  explicit AddressPolicy(std::vector<IpPrefix> allowed = {}) : allowed_(std::move(allowed)) {}

  // Why no connection is made there ("a private address"); nothing if one may be. IPv6 addresses
  // that carry an IPv4 address (mapped, NAT64, 6to4) are judged by that one.
  std::optional<std::string> refusal(const IpAddress& address) const;

 private:
  std::vector<IpPrefix> allowed_;
};

}  // namespace stellwerk::download
