#include "placement/simulate/svg.h"

#include <fmt/format.h>

#include <cmath>

namespace stellwerk::placement::simulate {
namespace {

// Two decimals, and never "-0.00".
std::string number(double value) {
  if (!std::isfinite(value)) value = 0;
  const std::string text = fmt::format("{:.2f}", value);
  return text == "-0.00" ? "0.00" : text;
}

std::string_view anchor_name(Anchor anchor) {
  switch (anchor) {
    case Anchor::kStart:
      return "start";
    case Anchor::kMiddle:
      return "middle";
    case Anchor::kEnd:
      return "end";
  }
  return "";
}

}  // namespace

std::string escape_xml(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        // XML 1.0 has no way to write these; bytes that may be no UTF-8 are not let through either.
        escaped += c >= ' ' && c <= '~' ? c : '?';
    }
  }
  return escaped;
}

Svg::Svg(double width, double height, std::string_view title)
    : body_(fmt::format("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" "
                        "viewBox=\"0 0 {0} {1}\" font-family=\"sans-serif\" font-size=\"12\">\n"
                        "<title>{2}</title>\n"
                        "<rect width=\"{0}\" height=\"{1}\" fill=\"#ffffff\"/>\n",
                        number(width), number(height), escape_xml(title))) {}

void Svg::rectangle(const Box& box, std::string_view colour, std::string_view tooltip) {
  body_ +=
      fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\"", number(box.x),
                  number(box.y), number(box.width), number(box.height), escape_xml(colour));
  body_ +=
      tooltip.empty() ? "/>\n" : fmt::format("><title>{}</title></rect>\n", escape_xml(tooltip));
}

void Svg::line(Point from, Point to, std::string_view colour) {
  body_ +=
      fmt::format("<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" stroke=\"{}\"/>\n", number(from.x),
                  number(from.y), number(to.x), number(to.y), escape_xml(colour));
}

void Svg::polyline(const std::vector<Point>& points, std::string_view colour, Stroke stroke) {
  body_ += fmt::format("<polyline fill=\"none\" stroke=\"{}\"{} points=\"", escape_xml(colour),
                       stroke == Stroke::kDashed ? " stroke-dasharray=\"4 3\"" : "");
  for (size_t i = 0; i < points.size(); ++i) {
    body_ += fmt::format("{}{},{}", i == 0 ? "" : " ", number(points[i].x), number(points[i].y));
  }
  body_ += "\"/>\n";
}

void Svg::text(Point at, Anchor anchor, std::string_view text) {
  body_ += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"{}\">{}</text>\n", number(at.x),
                       number(at.y), anchor_name(anchor), escape_xml(text));
}

std::string Svg::finish() && {
  return std::move(body_) + "</svg>\n";
}

}  // namespace stellwerk::placement::simulate
