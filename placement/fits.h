// The hard constraints, each a small named rule. One `fits` serves ranking and commit.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "placement/engine.h"

namespace stellwerk::placement {

struct Rule {
  std::string_view name;  // stable, in Refusal::rule
  // What is wrong, with the amounts, or nothing if the host keeps the rule.
  std::optional<std::string> (*check)(const HostLoad&, const Request&, const CpuLimits&);
};

// In the order in which they are checked: "accepting", "disk-type", "topology", "cpu", "memory",
// "disk".
std::span<const Rule> rules();

// The first rule that the host fails, or nothing if the request fits.
std::optional<Refusal> first_refusal(const HostLoad& host, const Request& request,
                                     const CpuLimits& limits);

}  // namespace stellwerk::placement
