#include "orchestrator/controller/addresses.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

namespace stellwerk::controller {
namespace {

using ::testing::ElementsAre;

IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}

Network network(std::string_view v4, std::string_view v6 = "") {
  Network network;
  network.id = "back";
  if (!v4.empty()) {
    const IpPrefix range = IpPrefix::parse(v4).value();
    network.v4 = Subnet{.range = range, .gateway = range.address.plus(1), .next = {}};
  }
  if (!v6.empty()) {
    const IpPrefix range = IpPrefix::parse(v6).value();
    network.v6 = Subnet{.range = range, .gateway = range.address.plus(1), .next = {}};
  }
  return network;
}

std::vector<IpAddress> allocate(Network& network, const std::set<IpAddress>& taken,
                                std::vector<IpAddress> chosen = {}) {
  const auto got = allocate_addresses(network, chosen, {taken});
  EXPECT_TRUE(got.ok()) << describe(got.status());
  return got.value_or(std::vector<IpAddress>());
}

TEST(Addresses, GivesOneOfEachFamilyIpv4First) {
  Network dual = network("10.8.0.0/24", "fd00:8::/64");
  EXPECT_THAT(allocate(dual, {}), ElementsAre(ip("10.8.0.2"), ip("fd00:8::2")));
  EXPECT_THAT(allocate(dual, {}, {ip("fd00:8::9")}),
              ElementsAre(ip("10.8.0.3"), ip("fd00:8::9")));
}

TEST(Addresses, UsesTheFirstOneWhereTheHostHasNone) {
  Network isolated = network("10.8.0.0/29");
  isolated.v4->gateway.reset();
  EXPECT_THAT(allocate(isolated, {}), ElementsAre(ip("10.8.0.1")));
}

TEST(Addresses, GoesRoundAndSkipsWhatIsTaken) {
  Network back = network("10.8.0.0/29");
  back.v4->next = ip("10.8.0.6");
  std::set<IpAddress> taken = {ip("10.8.0.2")};
  EXPECT_THAT(allocate(back, taken), ElementsAre(ip("10.8.0.6")));
  taken.insert(ip("10.8.0.6"));
  EXPECT_THAT(allocate(back, taken), ElementsAre(ip("10.8.0.3")))
      << "neither broadcast, network, gateway nor what is taken";
}

TEST(Addresses, TheLastOfIpv6IsAnAddressLikeOthers) {
  Network back = network("", "fd00:8::/120");
  back.v6->next = ip("fd00:8::ff");
  EXPECT_THAT(allocate(back, {}), ElementsAre(ip("fd00:8::ff")));
  EXPECT_THAT(allocate(back, {ip("fd00:8::ff")}), ElementsAre(ip("fd00:8::2")));
}

TEST(Addresses, StopsWhereTheFamilyEnds) {
  Network back = network("", "fd00:8::/120");
  back.v6->range = {ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ff00"), 120};
  back.v6->gateway.reset();
  back.v6->next = ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
  EXPECT_THAT(allocate(back, {}), ElementsAre(ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")));
  EXPECT_THAT(allocate(back, {}), ElementsAre(ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ff01")));
}

TEST(Addresses, GivesOnlyFreshOnesWhileARecordIsUnreadable) {
  Network back = network("10.8.0.0/29");
  back.v4->next = ip("10.8.0.6");
  const std::set<IpAddress> none;
  EXPECT_TRUE(allocate_addresses(back, {}, {none, /*incomplete=*/true}).ok());
  const auto more = allocate_addresses(back, {}, {none, /*incomplete=*/true});
  EXPECT_EQ(reason_of(more.status()), "ADDRESSES_EXHAUSTED") << "a freed one may be the unread's";
}

TEST(Addresses, SaysHowManyOfTheSubnetAreTaken) {
  Network dual = network("10.8.0.0/29", "fd00:8::/64");
  dual.project = ProjectUid(Uuid({1}));
  std::set<IpAddress> taken;
  for (int i = 0; i < 5; ++i) {
    for (const IpAddress& one : allocate(dual, taken)) taken.insert(one);
  }
  const auto more = allocate_addresses(dual, {}, {taken});
  EXPECT_EQ(message_of(more.status()),
            "network back: no address of 10.8.0.0/29 is free, 5 are taken; delete instances or "
            "make a network with a larger subnet");
}

// Whatever is taken: what is given is free, in the range and nobody's; and nothing free is refused.
RC_GTEST_PROP(Addresses, GivesEveryFreeAddressOnceAndNoOther, ()) {
  Network back = network("10.8.0.0/29");
  if (*rc::gen::arbitrary<bool>()) back.v4->gateway = ip("10.8.0.3");
  if (*rc::gen::arbitrary<bool>()) {
    back.v4->next = back.v4->range.address.plus(*rc::gen::inRange<uint64_t>(0, 8));
  }
  std::set<IpAddress> taken;
  for (uint64_t i = 1; i < 7; ++i) {
    const IpAddress one = *back.v4->range.address.plus(i);
    if (one != back.v4->gateway && *rc::gen::arbitrary<bool>()) taken.insert(one);
  }
  const size_t free = 5 - taken.size();
  for (size_t i = 0; i < free; ++i) {
    const auto got = allocate_addresses(back, {}, {taken});
    RC_ASSERT(got.ok());
    RC_ASSERT(got->size() == 1u);
    RC_ASSERT(!check_address(back, got->front()));
    RC_ASSERT(taken.insert(got->front()).second);
  }
  RC_ASSERT(absl::IsResourceExhausted(allocate_addresses(back, {}, {taken}).status()));
}

TEST(Addresses, MacsAreNeverTheSameAndStayOutOfOthersRanges) {
  EXPECT_EQ(mac_to_string(mac_number(1)), "52:54:00:00:00:01");
  EXPECT_EQ(mac_to_string(mac_number((uint64_t{1} << 24) - 1)), "52:54:00:ff:ff:ff");
  EXPECT_EQ(mac_to_string(mac_number(uint64_t{1} << 24)), "02:00:00:00:00:00");
  EXPECT_EQ(mac_to_string(mac_number((uint64_t{1} << 24) + 5)), "02:00:00:00:00:05");
}

}  // namespace
}  // namespace stellwerk::controller
