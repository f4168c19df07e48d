#include "placement/simulate/svg.h"

#include <gtest/gtest.h>

namespace stellwerk::placement::simulate {
namespace {

TEST(Svg, EscapesWhatXmlWouldRead) {
  EXPECT_EQ(escape_xml("a<b>&\"c'"), "a&lt;b&gt;&amp;&quot;c&#39;");
  EXPECT_EQ(escape_xml(std::string_view("\0\x1b\xff\n", 4)), "????");
}

TEST(Svg, WritesEachShape) {
  Svg svg(20, 10, "A & B");
  svg.rectangle({1, 2, 3, 4}, "#ffffff", "tip <x>");
  svg.rectangle({1, 2, 3, 4}, "#ffffff");
  svg.line({0, 0}, {1.005, -0.001}, "#000000");
  svg.polyline({{0, 1}, {2, 3}}, "#123456", Stroke::kDashed);
  svg.text({5, 6}, Anchor::kEnd, "1 < 2");
  EXPECT_EQ(std::move(svg).finish(),
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"20.00\" height=\"10.00\" "
            "viewBox=\"0 0 20.00 10.00\" font-family=\"sans-serif\" font-size=\"12\">\n"
            "<title>A &amp; B</title>\n"
            "<rect width=\"20.00\" height=\"10.00\" fill=\"#ffffff\"/>\n"
            "<rect x=\"1.00\" y=\"2.00\" width=\"3.00\" height=\"4.00\" fill=\"#ffffff\">"
            "<title>tip &lt;x&gt;</title></rect>\n"
            "<rect x=\"1.00\" y=\"2.00\" width=\"3.00\" height=\"4.00\" fill=\"#ffffff\"/>\n"
            "<line x1=\"0.00\" y1=\"0.00\" x2=\"1.00\" y2=\"0.00\" stroke=\"#000000\"/>\n"
            "<polyline fill=\"none\" stroke=\"#123456\" stroke-dasharray=\"4 3\" "
            "points=\"0.00,1.00 2.00,3.00\"/>\n"
            "<text x=\"5.00\" y=\"6.00\" text-anchor=\"end\">1 &lt; 2</text>\n"
            "</svg>\n");
}

TEST(Svg, HasNoNumbersThatAreNone) {
  Svg svg(1, 1, "");
  svg.text({0.0 / 0.0, 1.0 / 0.0}, Anchor::kStart, "x");
  EXPECT_NE(std::move(svg).finish().find("x=\"0.00\" y=\"0.00\""), std::string::npos);
}

}  // namespace
}  // namespace stellwerk::placement::simulate
