// What there is, for whoever named something that is not there. Pure.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <utility>
#include <vector>

namespace stellwerk::controller {

inline constexpr size_t kMostSuggested = 5;

// The first few names of an index, for "there are: ...". `to_name` makes one of a key, or nothing
// of what does not count.
template <class Index, class ToName>
std::string some_names(const Index& index, ToName to_name) {
  std::vector<std::string> names;
  for (const auto& entry : index) {
    std::string name = to_name(entry.first);
    if (name.empty()) continue;
    if (names.size() == kMostSuggested) {
      names.push_back("…");
      break;
    }
    names.push_back(std::move(name));
  }
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace stellwerk::controller
