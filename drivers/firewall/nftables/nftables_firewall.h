// Firewall by nftables, through libnftables: one table of our own, `bridge stellwerk`.
//
// Invariants: every change is one transaction of the kernel's, and names our table alone. Sets of
// learned conversations stay when rules change, and go with their port. Somebody else's hand is
// seen by the kernel's generation number of all rules, and told from changes of other tables by
// comparing ours with what it was; that is read when there is time, at the first `apply` that
// changes nothing. A new object has seen nothing, so its first `apply` writes the whole table;
// later ones write what differs.
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
  // A table that is gone is touched; so is one of which that cannot be told.
  absl::StatusOr<bool> is_untouched();
  absl::Status remember_listing();

  struct Applied {
    Table table;
    uint32_t generation = 0;             // up to which nobody touched it
    std::optional<std::string> listing;  // as the kernel shows it; nothing: not read yet
  };

  std::mutex mutex_;
  std::optional<Applied> applied_;  // nothing: what the kernel holds is not known
};

}  // namespace stellwerk::firewall
