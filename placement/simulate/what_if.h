// What shall happen during a simulation: a failure domain is lost, hosts are added. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/status.h"
#include "core/topology.h"
#include "placement/simulate/fleet_plan.h"

namespace stellwerk::placement::simulate {

struct LoseDomain {
  DomainLevel level = DomainLevel::kHost;
  std::string name;  // "dc2", "dc1/a/r07", or of a host
  friend bool operator==(const LoseDomain&, const LoseDomain&) = default;
};
struct AddHosts {
  int64_t count = 0;
  std::string rack;
  friend bool operator==(const AddHosts&, const AddHosts&) = default;
};
struct WhatIf {
  std::string text;  // as it was asked
  int64_t time = 0;  // seconds, as the trace counts them
  std::variant<LoseDomain, AddHosts> what;
};

// "lose site dc2 at 3d", "add 8 hosts to rack dc1/a/r07", "add 8 hosts to rack dc1/a/r07 at 36h".
// Times are whole numbers of seconds, or of s, m, h, d, w; hosts without one are there from the
// beginning.
absl::StatusOr<WhatIf> parse_what_if(std::string_view text);

// Of all hosts that are added: where they stand in the plan.
struct AddedHosts {
  size_t what_if = 0;  // an index
  size_t first = 0;    // in the plan
  size_t end = 0;
};

// The plan with the hosts that will be added at its end, each like the first host of its rack, and
// a check that what is to be lost is there. The order of `what_ifs` stays.
absl::StatusOr<std::vector<AddedHosts>> add_to_plan(const std::vector<WhatIf>& what_ifs,
                                                    FleetPlan& plan);

}  // namespace stellwerk::placement::simulate
