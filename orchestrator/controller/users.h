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

// Those of instances.
template <class Matches>
std::vector<std::string> users(const Ledger& ledger, Matches matches) {
  return ids_where(ledger.instance_names(), [&](const InstanceUid& uid) {
    return matches(ledger.state().instances.at(uid));
  });
}

}  // namespace stellwerk::controller
