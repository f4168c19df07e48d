// Firewall by nftables, through libnftables: one table of our own, `bridge stellwerk`.
//
// Invariants: every change is one transaction of the kernel's, and names our table alone. Sets of
// learned conversations stay when rules change, and go with their port. Somebody else's hand is
// seen by the kernel's generation number of all rules, and told from changes of other tables by
// comparing ours with what it was; that is read when there is time, at the first `apply` that
// changes nothing. A new object has seen nothing, so its first `apply` writes the whole table;
// later ones write what differs. A change that fails is tried again before the table is made anew,
// for that loses the conversations.
//
// Acts in the network namespace of the calling thread. Thread-safe; one call at a time, which
// blocks the others. Needs CAP_NET_ADMIN.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "drivers/firewall/firewall.h"
#include "drivers/firewall/nftables/table.h"

namespace stellwerk::firewall {

// One conversation with the kernel, to `action` ("change") our table: its answer as JSON text.
using Conversation = std::function<absl::StatusOr<std::string>(std::string_view action,
                                                               const std::string& commands)>;
absl::StatusOr<std::string> converse(std::string_view action, const std::string& commands);

// Whether the kernel would take a table such as ours: asks it, and changes nothing. Errors as
// `apply` has them.
absl::Status try_table();

class NftablesFirewall final : public Firewall {
 public:
  explicit NftablesFirewall(Conversation conversation = converse) : run_(std::move(conversation)) {}

  // PermissionDenied: not root. FailedPrecondition: the kernel lacks nftables for bridges.
  absl::StatusOr<Outcome> apply(const Ruleset& ruleset) override;
  absl::Status clear() override;

 private:
  // A table that is gone is touched; so is one of which that cannot be told.
  absl::StatusOr<bool> is_untouched();
  absl::Status remember_listing();
  absl::StatusOr<bool> our_table_exists();
  absl::StatusOr<std::optional<std::string>> our_table();
  absl::StatusOr<Table> names_in_our_table();
  absl::Status rewrite(const Table& table);
  absl::Status replace_contents(const Table& table);

  struct Applied {
    Table table;
    uint32_t generation = 0;             // up to which nobody touched it
    std::optional<std::string> listing;  // as the kernel shows it; nothing: not read yet
  };

  const Conversation run_;
  std::mutex mutex_;
  std::optional<Applied> applied_;  // nothing: what the kernel holds is not known
};

}  // namespace stellwerk::firewall
