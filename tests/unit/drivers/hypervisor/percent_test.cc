#include "drivers/hypervisor/libvirt/percent.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace stellwerk::hypervisor {
namespace {

TEST(Percent, LeavesVisibleAsciiAlone) {
  EXPECT_EQ(percent_encode("web-1/<&>\"'"), "web-1/<&>\"'");
}

TEST(Percent, EncodesTheRest) {
  EXPECT_EQ(percent_encode(std::string("\0 %\n\xff", 5)), "%00%20%25%0A%FF");
}

TEST(Percent, RefusesWhatIsNoEncoding) {
  EXPECT_EQ(percent_decode("%"), std::nullopt);
  EXPECT_EQ(percent_decode("%4"), std::nullopt);
  EXPECT_EQ(percent_decode("%4z"), std::nullopt);
  EXPECT_EQ(percent_decode("%-1"), std::nullopt);
}

RC_GTEST_PROP(Percent, DecodesWhatItEncodes, ()) {
  const auto bytes = *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
  const std::string text = percent_encode(bytes);
  for (const char c : text) RC_ASSERT(c > 0x20 && c < 0x7f);
  RC_ASSERT(percent_decode(text) == bytes);
}

}  // namespace
}  // namespace stellwerk::hypervisor
