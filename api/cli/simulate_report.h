// A simulation's report as JSON, as a table for people, and as plots in files. One thread.
#pragma once

#include <optional>
#include <string>

#include "api/cli/context.h"
#include "placement/simulate/fleet_plan.h"
#include "placement/simulate/report.h"

namespace stellwerk::cli {

// What was simulated.
struct SimulatedCase {
  std::string trace;  // as it was named
  std::string fleet;  // likewise; empty: generated
  placement::Policy policy = placement::Policy::kDefault;
  placement::simulate::OnFull on_full = placement::simulate::OnFull::kReject;
  std::optional<DomainLevel> failover;
  int64_t from_row = 1;
  int64_t oversubscription = 1;
  int64_t sites = 0;
  int64_t racks = 0;
};

// `without` is the same case without any what-if, where there is one.
std::string report_json(const SimulatedCase& simulated, const placement::simulate::Report& report,
                        const std::optional<placement::simulate::Report>& without);

void print_report(const Context& context, const SimulatedCase& simulated,
                  const placement::simulate::Report& report,
                  const std::optional<placement::simulate::Report>& without);

// Whether a file could be made at this path later; nothing is made yet.
absl::Status check_writable(const std::string& path);
absl::Status write_file(const std::string& path, const std::string& content);
// load.svg, racks.svg and rejections.svg in this directory, which is made unless it is there.
absl::Status write_plots(const std::string& directory, const placement::simulate::Report& report);

}  // namespace stellwerk::cli
