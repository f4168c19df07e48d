#include "placement/simulate/plots.h"

#include <gmock/gmock.h>

#include "fixtures.h"

namespace stellwerk::placement::simulate {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Plots, LoadHasTwoCurvesForEachSite) {
  const LoadSeries series{.window = {0, 864'000},
                          .sites = {{"dc1", {0, 1}, {0.5, 0.5}}, {"<dc2>", {2}, {0}}}};
  const std::string svg = load_plot(series);
  EXPECT_THAT(svg, HasSubstr("points=\"240.00,340.00 600.00,40.00\""));
  EXPECT_THAT(svg, HasSubstr("stroke-dasharray=\"4 3\" points=\"240.00,190.00 600.00,190.00\""));
  EXPECT_THAT(svg, HasSubstr("points=\"420.00,40.00\""));  // never above the frame
  EXPECT_THAT(svg, HasSubstr(">dc1</text>"));
  EXPECT_THAT(svg, HasSubstr(">&lt;dc2&gt;</text>"));
  EXPECT_THAT(svg, HasSubstr(">10.0 d</text>"));
  EXPECT_EQ(svg, load_plot(series));
}

TEST(Plots, RackMapShowsEachHost) {
  const std::string svg =
      rack_map({.time = 90, .racks = {{"dc1/a/r01", {0, 1}}, {"dc1/a/r02", {0.5}}, {"", {0.25}}}});
  EXPECT_THAT(svg, HasSubstr("fill=\"#003a70\"><title>dc1/a/r01, host 2: 100 %</title>"));
  EXPECT_THAT(svg, HasSubstr("fill=\"#f0f4f8\"><title>dc1/a/r01, host 1: 0 %</title>"));
  EXPECT_THAT(svg, HasSubstr(">r02</text>"));
  EXPECT_THAT(svg, HasSubstr("(no rack), host 1: 25 %"));
  EXPECT_THAT(svg, HasSubstr("at 90 s"));
}

TEST(Plots, RejectionsHaveABarEach) {
  const std::string svg = rejections_plot({{Reason::kVcpus, 10}, {Reason::kPower, 5}});
  EXPECT_THAT(svg, HasSubstr("width=\"420.00\" height=\"16.00\""));
  EXPECT_THAT(svg, HasSubstr("width=\"210.00\" height=\"16.00\""));
  EXPECT_THAT(svg, HasSubstr(">power</text>"));
  EXPECT_THAT(svg, HasSubstr(">10</text>"));
  EXPECT_THAT(svg, Not(HasSubstr(">none<")));
  EXPECT_THAT(rejections_plot({}), HasSubstr(">none</text>"));
}

}  // namespace
}  // namespace stellwerk::placement::simulate
