#include "orchestrator/controller/port_allocation.h"

#include <utility>

#include "orchestrator/controller/addresses.h"
#include "orchestrator/records/keys.h"

namespace stellwerk::controller {

PortAllocation::PortAllocation(const std::vector<PortRequest>& asked,
                               const std::vector<const Network*>& networks, const Ledger& ledger)
    : asked_(asked),
      ledger_(ledger),
      incomplete_(ledger.state().has_invalid(records::kInstancePrefix)),
      cell_(*ledger.state().cell) {
  for (size_t i = 0; i < asked.size(); ++i) {
    const NetworkUid uid = networks[i]->uid;
    of_port_.push_back(uid);
    networks_.try_emplace(uid, *networks[i]);
    const auto [taken, is_new] = taken_.try_emplace(uid);
    if (is_new) taken->second = ledger.taken_addresses(uid);
    taken->second.insert(asked[i].addresses.begin(), asked[i].addresses.end());
  }
}

absl::StatusOr<std::vector<Port>> PortAllocation::next() {
  std::vector<Port> ports;
  for (size_t i = 0; i < asked_.size(); ++i) {
    const NetworkUid uid = of_port_[i];
    std::set<IpAddress>& held = taken_.at(uid);
    SW_ASSIGN_OR_RETURN(
        std::vector<IpAddress> addresses,
        allocate_addresses(networks_.at(uid), asked_[i].addresses, {held, incomplete_}));
    held.insert(addresses.begin(), addresses.end());
    while (ledger_.is_of_an_orphan(mac_number(cell_.next_mac))) ++cell_.next_mac;
    ports.push_back(
        {.network = uid, .mac = mac_number(cell_.next_mac++), .addresses = std::move(addresses)});
  }
  return ports;
}

void PortAllocation::put_into(Ledger& ledger) const {
  if (asked_.empty()) return;
  for (const auto& [uid, network] : networks_) ledger.put(network);
  ledger.put_cell(cell_);
}

}  // namespace stellwerk::controller
