#include "placement/simulate/plots.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "placement/simulate/svg.h"

namespace stellwerk::placement::simulate {
namespace {

// Okabe and Ito's, which the colour-blind tell apart.
constexpr std::array<std::string_view, 7> kColours = {"#0072b2", "#e69f00", "#009e73", "#d55e00",
                                                      "#cc79a7", "#56b4e9", "#000000"};
constexpr std::string_view kFrame = "#888888";
constexpr std::string_view kGrid = "#dddddd";
constexpr Box kPlot{60, 40, 720, 300};

std::string percent(double share) {
  return fmt::format("{:.0f} %", share * 100);
}

// "3.5 d", "36.0 h", "90 s".
std::string time_text(double seconds) {
  if (seconds >= 2 * 86'400) return fmt::format("{:.1f} d", seconds / 86'400);
  if (seconds >= 2 * 3600) return fmt::format("{:.1f} h", seconds / 3600);
  return fmt::format("{:.0f} s", seconds);
}

void draw_axes(const LoadSeries& series, Svg& svg) {
  constexpr int kSteps = 4;
  for (int i = 0; i <= kSteps; ++i) {
    const double share = static_cast<double>(i) / kSteps;
    const double y = kPlot.y + kPlot.height * (1 - share);
    svg.line({kPlot.x, y}, {kPlot.x + kPlot.width, y}, i == 0 ? kFrame : kGrid);
    svg.text({kPlot.x - 6, y + 4}, Anchor::kEnd, percent(share));
    const double x = kPlot.x + kPlot.width * share;
    const double time = static_cast<double>(series.window.begin) +
                        share * static_cast<double>(series.window.length());
    svg.text({x, kPlot.y + kPlot.height + 18}, Anchor::kMiddle, time_text(time));
  }
}

std::vector<Point> curve_of(const std::vector<double>& values) {
  std::vector<Point> points;
  for (size_t i = 0; i < values.size(); ++i) {
    const double share = (static_cast<double>(i) + 0.5) / static_cast<double>(values.size());
    points.push_back({kPlot.x + kPlot.width * share,
                      kPlot.y + kPlot.height * (1 - std::clamp(values[i], 0.0, 1.0))});
  }
  return points;
}

// White to dark blue.
std::string shade(double share) {
  share = std::clamp(share, 0.0, 1.0);
  const auto mix = [share](int empty, int full) {
    return static_cast<int>(empty + share * (full - empty) + 0.5);
  };
  return fmt::format("#{:02x}{:02x}{:02x}", mix(0xf0, 0x00), mix(0xf4, 0x3a), mix(0xf8, 0x70));
}

std::string shown(const std::string& id) {
  return id.empty() ? "(no rack)" : id;
}

}  // namespace

std::string load_plot(const LoadSeries& series) {
  const double height = kPlot.y + kPlot.height + 40 + 18 * static_cast<double>(series.sites.size());
  Svg svg(kPlot.x + kPlot.width + 40, height, "Load over time, by site");
  svg.text({kPlot.x, 24}, Anchor::kStart,
           "Load over time, by site: vCPUs (solid) and memory (dashed)");
  draw_axes(series, svg);
  double y = kPlot.y + kPlot.height + 44;
  for (size_t i = 0; i < series.sites.size(); ++i) {
    const LoadSeries::Site& site = series.sites[i];
    const std::string_view colour = kColours[i % kColours.size()];
    svg.polyline(curve_of(site.vcpus), colour, Stroke::kSolid);
    svg.polyline(curve_of(site.memory), colour, Stroke::kDashed);
    svg.rectangle({kPlot.x, y - 10, 12, 12}, colour);
    svg.text({kPlot.x + 18, y}, Anchor::kStart, site.id.empty() ? "(no site)" : site.id);
    y += 18;
  }
  return std::move(svg).finish();
}

std::string rack_map(const PeakMap& peak) {
  constexpr size_t kRacksPerRow = 24;
  constexpr double kCell = 30;
  constexpr double kHost = 8;
  size_t tallest = 1;
  for (const PeakMap::Rack& rack : peak.racks) tallest = std::max(tallest, rack.vcpus.size());
  const double row_height = static_cast<double>(tallest) * kHost + 34;
  const size_t rows = (peak.racks.size() + kRacksPerRow - 1) / kRacksPerRow;
  Svg svg(40 + kCell * kRacksPerRow, 50 + row_height * static_cast<double>(rows),
          "Racks at the peak");
  svg.text({20, 24}, Anchor::kStart,
           fmt::format("vCPUs in use on each host when most hosts were, at {}",
                       time_text(static_cast<double>(peak.time))));
  for (size_t r = 0; r < peak.racks.size(); ++r) {
    const PeakMap::Rack& rack = peak.racks[r];
    const double x = 20 + kCell * static_cast<double>(r % kRacksPerRow);
    const double y = 44 + row_height * static_cast<double>(r / kRacksPerRow);
    for (size_t h = 0; h < rack.vcpus.size(); ++h) {
      svg.rectangle({x, y + kHost * static_cast<double>(h), kCell - 6, kHost - 1},
                    shade(rack.vcpus[h]),
                    fmt::format("{}, host {}: {}", shown(rack.id), h + 1, percent(rack.vcpus[h])));
    }
    const size_t slash = rack.id.rfind('/');
    svg.text({x, y + row_height - 20}, Anchor::kStart,
             slash == std::string::npos ? shown(rack.id) : rack.id.substr(slash + 1));
  }
  return std::move(svg).finish();
}

std::string rejections_plot(const std::vector<std::pair<Reason, int64_t>>& rejections) {
  constexpr double kBar = 22;
  constexpr double kLongest = 420;
  Svg svg(700, 60 + kBar * static_cast<double>(std::max<size_t>(rejections.size(), 1)),
          "Rejections by reason");
  svg.text({20, 24}, Anchor::kStart, "Rejections by reason");
  int64_t most = 1;
  for (const auto& [reason, count] : rejections) most = std::max(most, count);
  double y = 44;
  for (const auto& [reason, count] : rejections) {
    const double length = kLongest * static_cast<double>(count) / static_cast<double>(most);
    svg.text({150, y + 13}, Anchor::kEnd, to_string(reason));
    svg.rectangle({160, y, length, kBar - 6}, kColours[0]);
    svg.text({166 + length, y + 13}, Anchor::kStart, std::to_string(count));
    y += kBar;
  }
  if (rejections.empty()) svg.text({20, y + 13}, Anchor::kStart, "none");
  return std::move(svg).finish();
}

}  // namespace stellwerk::placement::simulate
