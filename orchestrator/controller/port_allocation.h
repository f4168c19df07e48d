// Ports of new instances: each sees what those before it have chosen or were given. Nothing is
// put before every port has its addresses.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "orchestrator/controller/ledger.h"
#include "orchestrator/controller/requests.h"

namespace stellwerk::controller {

class PortAllocation {
 public:
  // `networks`: of the ports, in their order. Two ports of one instance may be on the same one.
  PortAllocation(const std::vector<PortRequest>& asked, const std::vector<const Network*>& networks,
                 const Ledger& ledger);

  // For one more instance.
  absl::StatusOr<std::vector<Port>> next();
  // Cursors of networks, and of MACs.
  void put_into(Ledger& ledger) const;

 private:
  const std::vector<PortRequest>& asked_;
  const Ledger& ledger_;
  const bool incomplete_;  // an unreadable instance may hold an address
  std::vector<NetworkUid> of_port_;
  std::map<NetworkUid, Network> networks_;
  std::map<NetworkUid, std::set<IpAddress>> taken_;
  records::Cell cell_;
};

}  // namespace stellwerk::controller
