// What a report shows better than it says, as SVG. Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "placement/simulate/report.h"

namespace stellwerk::placement::simulate {

// vCPUs (solid) and memory (dashed) of each site in use, over the window.
std::string load_plot(const LoadSeries& series);
// A column for each rack, a box for each host, the darker the fuller.
std::string rack_map(const PeakMap& peak);
// A bar for each reason.
std::string rejections_plot(const std::vector<std::pair<Reason, int64_t>>& rejections);

}  // namespace stellwerk::placement::simulate
