// Who stands in the way of a deletion: ids of resources, the first few by name. Pure.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/controller/ledger.h"

namespace stellwerk::controller {

inline constexpr size_t kMostUsersNamed = 5;

// The ids of `index`, a map from Name to uid, whose uid matches; after the first few an ellipsis.
template <class Index, class Matches>
std::vector<std::string> ids_where(const Index& index, Matches matches) {
  std::vector<std::string> ids;
  for (const auto& [name, uid] : index) {
    if (!matches(uid)) continue;
    ids.push_back(ids.size() == kMostUsersNamed ? "…" : name.second);
    if (ids.size() > kMostUsersNamed) break;
  }
  return ids;
}

inline constexpr size_t kMostNamed = 3;

// "2 zones: dc1/a, dc1/b" or "9 zones: dc1/a, dc1/b, dc1/c and 6 more"; nothing for none.
std::string few_of(std::string_view noun, const std::vector<std::string>& ids);
// FailedPrecondition with all of `users`, or OK where each is empty.
absl::Status refuse_for(std::string_view what, std::vector<std::string> users);
// A record of such a kind that cannot be read may stand on it, and would stand on nothing.
absl::Status refuse_if_unreadable(std::string_view what, std::string_view prefix,
                                  const Ledger& ledger);

// Those of instances.
template <class Matches>
std::vector<std::string> users(const Ledger& ledger, Matches matches) {
  return ids_where(ledger.instance_names(), [&](const InstanceUid& uid) {
    return matches(ledger.state().instances.at(uid));
  });
}

}  // namespace stellwerk::controller
