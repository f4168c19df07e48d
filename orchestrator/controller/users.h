// Who still needs a thing that is to be deleted. Pure.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/controller/ledger.h"

namespace stellwerk::controller {

// The ids of instances that match, the first few by name, then an ellipsis.
template <class Matches>
std::vector<std::string> users(const Ledger& ledger, Matches matches) {
  constexpr size_t kMostNamed = 5;
  std::vector<std::string> names;
  for (const auto& [name, uid] : ledger.instance_names()) {
    if (!matches(ledger.state().instances.at(uid))) continue;
    names.push_back(names.size() == kMostNamed ? "…" : name.second);
    if (names.size() > kMostNamed) break;
  }
  return names;
}

}  // namespace stellwerk::controller
