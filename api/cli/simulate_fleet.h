// Reads the fleet of a simulation from TOML. docs/simulate.md describes the format. One thread.
#pragma once

#include <string>
#include <string_view>

#include "core/status.h"
#include "placement/simulate/fleet_plan.h"

namespace stellwerk::cli {

// Mistakes are usage errors that name file and line: the first one, and how many more there are.
absl::StatusOr<placement::simulate::FleetPlan> parse_fleet(std::string_view text,
                                                           const std::string& origin);
absl::StatusOr<placement::simulate::FleetPlan> read_fleet(const std::string& path);

}  // namespace stellwerk::cli
