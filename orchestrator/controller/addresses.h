// Address management: which addresses and which MAC a new port gets. Pure.
// No address is held by two ports of a network; a freed one comes last; no MAC is ever given twice.
#pragma once

#include <set>
#include <span>
#include <vector>

#include "core/model.h"
#include "core/status.h"

namespace stellwerk::controller {

struct TakenAddresses {
  const std::set<IpAddress>& known;
  // Some instance's record cannot be read, so a freed address may be its: only fresh ones are
  // given.
  bool incomplete = false;
};

// Addresses of a new port: those that were `chosen`, and one of each of the network's other
// subnets. Advances the network's cursors. The network's own, broadcast and gateway addresses are
// never given.
// ResourceExhausted (ADDRESSES_EXHAUSTED) when a subnet has none left.
absl::StatusOr<std::vector<IpAddress>> allocate_addresses(Network& network,
                                                          std::span<const IpAddress> chosen,
                                                          const TakenAddresses& taken);

// Why `address` cannot be a port's on this network, whoever holds it now; nothing if it can.
std::optional<std::string> check_address(const Network& network, const IpAddress& address);

// The n-th MAC of a cell: QEMU's customary prefix first, then the locally administered range.
uint64_t mac_number(uint64_t count);

}  // namespace stellwerk::controller
