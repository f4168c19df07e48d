#include "core/network_checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stellwerk {
namespace {

using ::testing::HasSubstr;

IpAddress address(std::string_view text) {
  return IpAddress::parse(text).value();
}
IpPrefix range(std::string_view text) {
  return parse_range(text).value();
}
std::string problem_of(const Problem& problem) {
  return problem.value_or("");
}

Network dual() {
  Network network;
  network.v4 = Subnet{.range = range("10.8.0.0/24"), .gateway = address("10.8.0.1"), .next = {}};
  network.v6 = Subnet{.range = range("fd00:8::/64"), .gateway = address("fd00:8::1"), .next = {}};
  return network;
}

TEST(NetworkChecks, ReadRangesAlsoWithBitsBehindTheLength) {
  EXPECT_EQ(range("10.8.0.7/24"), (IpPrefix{address("10.8.0.7"), 24}));
  EXPECT_EQ(range("fd00::/0").length, 0);
  for (const char* text :
       {"", "/", "10.8.0.0", "10.8.0.0/", "10.8.0.0/33", "10.8.0.0/-1", "fd00::/129", "10.8.0/24",
        "10.8.0.0/24/1", " 10.8.0.0/24", "10.8.0.0/2 4", "10.8.0.0/256", "ten/24"}) {
    EXPECT_EQ(parse_range(text), std::nullopt) << text;
  }
}

TEST(NetworkChecks, SubnetsAreNeitherTooLargeNorTooSmall) {
  for (const char* good : {"10.8.0.0/16", "10.8.0.0/29", "fd00:8::/48", "fd00:8::/120",
                           "192.0.2.0/24", "2001:db8::/64"}) {
    EXPECT_EQ(problem_of(check_subnet_range(range(good))), "") << good;
  }
  EXPECT_EQ(problem_of(check_subnet_range(range("10.0.0.0/15"))),
            "/15 is too large; give a prefix length from 16 to 29");
  EXPECT_EQ(problem_of(check_subnet_range(range("10.0.0.0/30"))),
            "/30 is too small; give a prefix length from 16 to 29");
  EXPECT_EQ(problem_of(check_subnet_range(range("fd00::/47"))),
            "/47 is too large; give a prefix length from 48 to 120");
  EXPECT_EQ(problem_of(check_subnet_range(range("fd00::/121"))),
            "/121 is too small; give a prefix length from 48 to 120");
}

TEST(NetworkChecks, AnAddressIsNoSubnetAndTheOneMeantIsNamed) {
  EXPECT_EQ(problem_of(check_subnet_range(range("10.8.0.7/24"))),
            "10.8.0.7/24 is an address within a network; did you mean \"10.8.0.0/24\"?");
  EXPECT_THAT(problem_of(check_subnet_range(range("fd00::1/64"))), HasSubstr("\"fd00::/64\"?"));
}

TEST(NetworkChecks, ReservedRangesAreNoSubnets) {
  for (const char* reserved : {"0.0.0.0/24", "127.0.0.0/24", "224.0.0.0/24", "240.0.0.0/24",
                               "255.255.255.0/24", "::/64", "fe80::/64", "ff02::/64"}) {
    EXPECT_THAT(problem_of(check_subnet_range(range(reserved))), HasSubstr("is reserved"))
        << reserved;
  }
}

TEST(NetworkChecks, GatewaysAreOfTheSubnetAndNotReservedThere) {
  const auto with = [](std::string_view subnet, std::string_view gateway) {
    return problem_of(
        check_gateway({.range = range(subnet), .gateway = address(gateway), .next = {}}));
  };
  EXPECT_EQ(with("10.8.0.0/24", "10.8.0.254"), "");
  EXPECT_EQ(with("fd00:8::/64", "fd00:8:0:0:ffff:ffff:ffff:ffff"), "") << "no broadcast in IPv6";
  EXPECT_EQ(with("10.8.0.0/24", "10.8.1.1"), "10.8.1.1 is outside the subnet, 10.8.0.0/24");
  EXPECT_EQ(with("10.8.0.0/24", "fd00::1"), "fd00::1 is outside the subnet, 10.8.0.0/24");
  EXPECT_THAT(with("10.8.0.0/24", "10.8.0.0"), HasSubstr("is the network address"));
  EXPECT_THAT(with("10.8.0.0/24", "10.8.0.255"), HasSubstr("is the broadcast address"));
  EXPECT_THAT(with("fd00:8::/64", "fd00:8::"), HasSubstr("is the network address"));
  EXPECT_EQ(check_gateway({.range = range("10.8.0.0/24"), .gateway = {}, .next = {}}),
            std::nullopt);
}

TEST(NetworkChecks, HostsHaveUnicastAddresses) {
  for (const char* good : {"10.0.0.1", "9.9.9.9", "223.255.255.1", "fd00::1", "2620:fe::fe"}) {
    EXPECT_TRUE(is_unicast(address(good))) << good;
  }
  for (const char* bad : {"0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255", "::", "::1",
                          "ff02::1", "fe80::1", "::ffff:10.0.0.1"}) {
    EXPECT_FALSE(is_unicast(address(bad))) << bad;
  }
}

TEST(NetworkChecks, RoutesLeadThroughANeighbour) {
  const auto check = [](std::string_view to, std::string_view via, Network network = dual()) {
    return problem_of(check_route({.to = range(to), .via = address(via)}, network));
  };
  EXPECT_EQ(check("192.0.2.0/24", "10.8.0.9"), "");
  EXPECT_EQ(check("2001:db8::/32", "fd00:8::9"), "");
  EXPECT_EQ(check("0.0.0.0/0", "10.8.0.9"), "") << "a way out of an isolated network";
  EXPECT_EQ(check("10.0.0.0/8", "10.8.0.9"), "") << "the subnet's own route is longer";
  EXPECT_THAT(check("192.0.2.0/24", "fd00:8::9"), HasSubstr("they are of different families"));
  EXPECT_THAT(check("192.0.2.7/24", "10.8.0.9"), HasSubstr("did you mean 192.0.2.0/24?"));
  for (const char* via : {"10.9.0.1", "10.8.0.0", "10.8.0.255"}) {
    EXPECT_THAT(check("192.0.2.0/24", via), HasSubstr("is no neighbour")) << via;
  }
  Network v4_alone = dual();
  v4_alone.v6.reset();
  EXPECT_THAT(check("2001:db8::/32", "fd00:8::9", v4_alone), HasSubstr("is no neighbour"));
  EXPECT_THAT(check("10.8.0.0/24", "10.8.0.9"), HasSubstr("lies within the network itself"));
  EXPECT_THAT(check("10.8.0.64/26", "10.8.0.9"), HasSubstr("lies within the network itself"));
}

TEST(NetworkChecks, ABridgeOfTheOperatorsHasAnInterfacesNameAndNoneOfOurs) {
  for (const char* good : {"br0", "br-office", "b", "fifteen-letters", "stellwerk0", "eth0.7"}) {
    EXPECT_EQ(problem_of(check_bridge_name(good)), "") << good;
  }
  for (const char* bad :
       {"", "sixteen-letters-", "a/b", "a b", "-a", ".", "..", "\xc3\xbc", "a\nb", "sw", "swbr0"}) {
    EXPECT_THAT(problem_of(check_bridge_name(bad)), HasSubstr("no name of a bridge of yours"))
        << bad;
  }
}

TEST(NetworkChecks, MtusCarryWhatTheirFamilyNeeds) {
  for (const int64_t good : {576, 1280, 1500, 9000, 9216}) {
    EXPECT_EQ(check_mtu(good, false), std::nullopt) << good;
  }
  EXPECT_EQ(problem_of(check_mtu(575, false)), "575 bytes asked; give 576 to 9216");
  EXPECT_EQ(problem_of(check_mtu(9217, false)), "9217 bytes asked; give 576 to 9216");
  EXPECT_EQ(problem_of(check_mtu(-1, false)), "-1 bytes asked; give 576 to 9216");
  EXPECT_EQ(check_mtu(1280, true), std::nullopt);
  EXPECT_EQ(problem_of(check_mtu(1279, true)),
            "1279 bytes asked; give 1280 to 9216 (IPv6 needs at least 1280)");
}

}  // namespace
}  // namespace stellwerk
