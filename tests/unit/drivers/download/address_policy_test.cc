#include "drivers/download/address_policy.h"

#include <gtest/gtest.h>

namespace stellwerk::download {
namespace {

std::optional<std::string> refusal(const AddressPolicy& policy, std::string_view address) {
  return policy.refusal(IpAddress::parse(address).value());
}

TEST(AddressPolicy, AllowsThePublicInternet) {
  const AddressPolicy policy;
  for (const char* address : {"1.1.1.1", "9.9.9.9", "100.63.255.255", "100.128.0.0", "172.15.0.1",
                              "172.32.0.1", "192.169.0.1", "223.255.255.255", "2a00:1450::1",
                              "2606:4700::1111", "64:ff9b::101:101", "2002:101:101::"}) {
    EXPECT_EQ(refusal(policy, address), std::nullopt) << address;
  }
}

TEST(AddressPolicy, RefusesWhatIsNotPublicAndSaysWhatItIs) {
  const AddressPolicy policy;
  const std::pair<const char*, const char*> kRefused[] = {
      {"0.0.0.0", "an address of this host"},
      {"0.1.2.3", "an address of this host"},
      {"10.0.0.1", "a private address"},
      {"100.64.0.1", "a carrier's shared address"},
      {"100.127.255.255", "a carrier's shared address"},
      {"127.0.0.1", "a loopback address"},
      {"127.255.255.254", "a loopback address"},
      {"169.254.169.254", "a link-local address"},
      {"172.16.0.1", "a private address"},
      {"172.31.255.255", "a private address"},
      {"192.0.0.8", "a reserved address"},
      {"192.0.2.1", "a documentation address"},
      {"192.168.1.1", "a private address"},
      {"198.19.0.1", "a benchmarking address"},
      {"224.0.0.1", "a multicast address"},
      {"239.255.255.255", "a multicast address"},
      {"240.0.0.1", "a reserved address"},
      {"255.255.255.255", "a broadcast address"},
      {"::", "an address of this host"},
      {"::1", "a loopback address"},
      {"fe80::1", "a link-local address"},
      {"fec0::1", "a site-local address"},
      {"fc00::1", "a private address"},
      {"fdff::1", "a private address"},
      {"ff02::1", "a multicast address"},
      {"2001:db8::1", "a documentation address"},
      {"2001::1", "a reserved address"},  // Teredo
      {"4000::1", "no public address"},
  };
  for (const auto& [address, what] : kRefused) {
    EXPECT_EQ(refusal(policy, address), what) << address;
  }
}

TEST(AddressPolicy, JudgesAnAddressWithinAnAddressByTheInner) {
  const AddressPolicy policy;
  for (const char* address : {"::ffff:127.0.0.1", "::127.0.0.1", "::ffff:0:127.0.0.1",
                              "64:ff9b::7f00:1", "2002:7f00:1::"}) {
    EXPECT_EQ(refusal(policy, address), "a loopback address") << address;
  }
  for (const char* address : {"::ffff:10.1.2.3", "64:ff9b::a01:203", "2002:a01:203::1"}) {
    EXPECT_EQ(refusal(policy, address), "a private address") << address;
  }
  EXPECT_EQ(refusal(policy, "64:ff9b:1::1"), "a private translation address");
  EXPECT_EQ(refusal(policy, "::ffff:8.8.8.8"), std::nullopt);
}

TEST(AddressPolicy, AllowsWhatConfigurationLists) {
  const AddressPolicy policy({IpPrefix::parse("10.20.0.0/16").value(),
                              IpPrefix::parse("fd00:1::/64").value(),
                              IpPrefix::parse("127.0.0.1/32").value()});
  for (const char* address :
       {"10.20.0.1", "10.20.255.255", "fd00:1::7", "127.0.0.1", "::ffff:10.20.0.1"}) {
    EXPECT_EQ(refusal(policy, address), std::nullopt) << address;
  }
  for (const char* address : {"10.21.0.1", "10.19.255.255", "fd00:1:0:1::1", "127.0.0.2"}) {
    EXPECT_NE(refusal(policy, address), std::nullopt) << address;
  }
}

}  // namespace
}  // namespace stellwerk::download
