// Writes a drawing as SVG: the few shapes that plots need, with all texts escaped. The same calls
// give the same bytes. Pure.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stellwerk::placement::simulate {

struct Point {
  double x = 0;
  double y = 0;
};
struct Box {
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;
};
enum class Anchor { kStart, kMiddle, kEnd };
enum class Stroke { kSolid, kDashed };

// For text and for attributes: markup, quotation marks and what XML cannot hold at all.
std::string escape_xml(std::string_view text);

class Svg {
 public:
  Svg(double width, double height, std::string_view title);

  // `tooltip` is shown under the pointer; empty: none. Colours are SVG's: "#1f77b4".
  void rectangle(const Box& box, std::string_view colour, std::string_view tooltip = "");
  void line(Point from, Point to, std::string_view colour);
  void polyline(const std::vector<Point>& points, std::string_view colour, Stroke stroke);
  void text(Point at, Anchor anchor, std::string_view text);

  std::string finish() &&;

 private:
  std::string body_;
};

}  // namespace stellwerk::placement::simulate
