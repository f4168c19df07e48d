// Firewall by nftables, through libnftables: one table of our own, `bridge stellwerk`.
//
// Invariants: every change is one transaction of the kernel's, and names our table alone. Sets of
// learned conversations stay when rules change, and go with their port. Whether anybody touched
// the table is seen by comparing it with what it was after our last change, unless the kernel's
// generation number says that nobody changed anything. A new object has seen none, so its first
// `apply` writes the whole table; later ones write what differs.
//
// Acts in the network namespace of the calling thread. Thread-safe; one call at a time, which
// blocks the others. Needs CAP_NET_ADMIN.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "drivers/firewall/firewall.h"
#include "drivers/firewall/nftables/table.h"

namespace stellwerk::firewall {

class NftablesFirewall final : public Firewall {
 public:
  // PermissionDenied: not root. FailedPrecondition: the kernel lacks nftables for bridges.
  absl::StatusOr<Outcome> apply(const Ruleset& ruleset) override;
  absl::Status clear() override;

 private:
  absl::StatusOr<bool> is_untouched();

  struct Applied {
    Table table;
    uint32_t generation = 0;  // when `listing` was read, or before
    std::string listing;      // as the kernel showed it afterwards
  };

  std::mutex mutex_;
  std::optional<Applied> applied_;  // nothing: what the kernel holds is not known
};

}  // namespace stellwerk::firewall
