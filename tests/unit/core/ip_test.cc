#include "core/ip.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace stellwerk {
namespace {

IpAddress address(std::string_view text) {
  return IpAddress::parse(text).value();
}
IpPrefix prefix(std::string_view text) {
  return IpPrefix::parse(text).value();
}
IpAddress any_v6() {
  std::array<uint8_t, 16> bytes;
  for (uint8_t& byte : bytes) byte = *rc::gen::arbitrary<uint8_t>();
  return IpAddress::v6(bytes);
}

TEST(IpAddress, ReadsAndWritesBothFamilies) {
  EXPECT_EQ(address("10.0.0.7"), IpAddress::v4(0x0a000007));
  EXPECT_EQ(address("10.0.0.7").to_string(), "10.0.0.7");
  EXPECT_EQ(address("2001:DB8:0:0:0:0:0:1").to_string(), "2001:db8::1");
  EXPECT_FALSE(address("::").is_v4());
}

RC_GTEST_PROP(IpAddress, ComesBackFromItsText, (uint32_t number)) {
  RC_ASSERT(IpAddress::parse(IpAddress::v4(number).to_string()) == IpAddress::v4(number));
  const IpAddress v6 = any_v6();
  RC_ASSERT(IpAddress::parse(v6.to_string()) == v6);
}

TEST(IpAddress, RefusesWhatIsNone) {
  for (const std::string_view text : {"", "10.0.0", "10.0.0.256", "10.0.0.1 ", "010.0.0.1x",
                                      ":::", "localhost", "fe80::1%eth0", "1::2::3", "10.0.0.-1"}) {
    EXPECT_EQ(IpAddress::parse(text), std::nullopt) << text;
  }
  EXPECT_EQ(IpAddress::parse(std::string_view("10.0.0.1\0junk", 13)), std::nullopt);
}

TEST(IpAddress, CountsAndStopsWhereItsFamilyEnds) {
  EXPECT_EQ(address("10.0.0.255").plus(2), address("10.0.1.1"));
  EXPECT_EQ(address("fd00::ffff").plus(1), address("fd00::1:0"));
  EXPECT_EQ(address("255.255.255.255").plus(1), std::nullopt);
  EXPECT_EQ(address("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff").plus(1), std::nullopt);
  EXPECT_EQ(address("10.0.1.1").minus(address("10.0.0.255")), 2u);
  EXPECT_EQ(address("10.0.0.1").minus(address("10.0.0.2")), std::nullopt);
  EXPECT_EQ(address("fd01::").minus(address("fd00::")), std::nullopt);
  EXPECT_EQ(address("fd00::").minus(address("10.0.0.1")), std::nullopt);
}

RC_GTEST_PROP(IpAddress, MinusUndoesPlus, (uint64_t offset)) {
  const IpAddress from = any_v6();
  const auto to = from.plus(offset);
  RC_PRE(to.has_value());
  RC_ASSERT(to->minus(from) == offset);
  RC_ASSERT(from <= *to);
}

TEST(IpAddress, OrdersByFamilyThenNumber) {
  EXPECT_LT(address("9.255.255.255"), address("10.0.0.0"));
  EXPECT_LT(address("255.255.255.255"), address("::"));
  EXPECT_LT(address("fd00::ffff"), address("fd00::1:0"));
}

TEST(IpPrefix, ReadsAndWrites) {
  EXPECT_EQ(prefix("10.0.0.0/8").to_string(), "10.0.0.0/8");
  EXPECT_EQ(prefix("fd00:0::/64").to_string(), "fd00::/64");
  for (const std::string_view text :
       {"10.0.0.0", "10.0.0.1/24", "10.0.0.0/33", "fd00::1/64", "::/129", "10.0.0.0/-1", "/8",
        "10.0.0.0/", "10.0.0.0/8 ", "10.0.0.0/256"}) {
    EXPECT_EQ(IpPrefix::parse(text), std::nullopt) << text;
  }
}

TEST(IpPrefix, KnowsWhatItHolds) {
  EXPECT_TRUE(prefix("10.0.0.0/23").contains(address("10.0.1.255")));
  EXPECT_FALSE(prefix("10.0.0.0/23").contains(address("10.0.2.0")));
  EXPECT_TRUE(prefix("0.0.0.0/0").contains(address("255.1.2.3")));
  EXPECT_FALSE(prefix("0.0.0.0/0").contains(address("::1")));
  EXPECT_TRUE(prefix("fd00::/65").contains(address("fd00::7fff:0:0:1")));
  EXPECT_FALSE(prefix("fd00::/65").contains(address("fd00::8000:0:0:1")));
  EXPECT_EQ(prefix("10.0.0.0/23").last(), address("10.0.1.255"));
  EXPECT_EQ(prefix("fd00::/127").last(), address("fd00::1"));
}

TEST(IpPrefix, OverlapsInBothDirections) {
  EXPECT_TRUE(prefix("10.0.0.0/8").overlaps(prefix("10.3.0.0/16")));
  EXPECT_TRUE(prefix("10.3.0.0/16").overlaps(prefix("10.0.0.0/8")));
  EXPECT_FALSE(prefix("10.0.0.0/16").overlaps(prefix("10.1.0.0/16")));
  EXPECT_FALSE(prefix("0.0.0.0/0").overlaps(prefix("::/0")));
}

TEST(IpAddress, LinkLocalFollowsTheMac) {
  EXPECT_EQ(link_local_of(0x52540000002a), address("fe80::5054:ff:fe00:2a"));
}

}  // namespace
}  // namespace stellwerk
