#include "placement/amounts.h"

#include <gtest/gtest.h>

namespace stellwerk::placement {
namespace {

constexpr size_t kShared = index_of(CpuClass::kShared);

Amounts some() {
  Amounts amounts;
  amounts.vcpus[kShared] = 3;
  amounts.memory = 5;
  amounts.disk = 7;
  amounts.bandwidth = 11;
  amounts.power = 13;
  amounts.pages = {17, 19};
  amounts.devices = {0, 23};
  amounts.nodes = {{}, {.vcpus = {1, 2, 3, 4}, .memory = 29, .pages = {31, 37}}};
  return amounts;
}

TEST(Amounts, AreEqualWhateverZerosAreWrittenOut) {
  Amounts longer = some();
  longer.devices.resize(5);
  longer.nodes.resize(4);
  EXPECT_EQ(longer, some());
  EXPECT_EQ(some(), longer);
  longer.nodes[3].memory = 1;
  EXPECT_NE(longer, some());
  EXPECT_NE(some(), longer);
  longer = some();
  longer.devices.push_back(1);
  EXPECT_NE(longer, some());
  EXPECT_NE(some(), longer);
}

TEST(Amounts, AreZeroWhereNothingIsCounted) {
  EXPECT_TRUE(Amounts().is_zero());
  Amounts written;
  written.devices.resize(2);
  written.nodes.resize(2);
  EXPECT_TRUE(written.is_zero());
  written.nodes[1].pages[1] = 1;
  EXPECT_FALSE(written.is_zero());
}

TEST(Amounts, AddAndSubtractElementByElement) {
  Amounts sum;
  add(sum, some());
  add(sum, some());
  EXPECT_EQ(sum.memory, 10);
  EXPECT_EQ(sum.devices[1], 46);
  EXPECT_EQ(sum.nodes[1].vcpus[3], 8);
  EXPECT_EQ(sum.nodes[1].pages[0], 62);
  subtract(sum, some());
  EXPECT_EQ(sum, some());
  subtract(sum, some());
  EXPECT_TRUE(sum.is_zero());
}

TEST(Amounts, TakeTheLargerOfEachElement) {
  Amounts one = some();
  Amounts other;
  other.memory = 6;
  other.disk = 1;
  other.nodes = {{.memory = 1}};
  EXPECT_TRUE(raise_to(one, other));
  EXPECT_FALSE(raise_to(one, other));
  EXPECT_EQ(one.memory, 6);
  EXPECT_EQ(one.disk, 7);
  EXPECT_EQ(one.nodes[0].memory, 1);
  EXPECT_EQ(one.nodes[1].memory, 29);
}

TEST(Amounts, TouchWhatTheyAreAsLargeAsAnywhere) {
  Amounts larger = some();
  add(larger, some());
  EXPECT_TRUE(touches(some(), some()));
  EXPECT_FALSE(touches(some(), larger));
  EXPECT_FALSE(touches({}, some())) << "nothing is as large as nothing";
  larger.nodes[1].pages[1] = some().nodes[1].pages[1];
  EXPECT_TRUE(touches(some(), larger));
}

TEST(Amounts, AreSharedByNodesInEqualPartsRoundedUp) {
  Amounts amounts;
  amounts.vcpus[kShared] = 8;
  amounts.memory = 10;
  amounts.pages = {4, 2};
  const NodeAmounts share = share_of_node(amounts, 4);
  EXPECT_EQ(share.vcpus[kShared], 2);
  EXPECT_EQ(share.memory, 3);
  EXPECT_EQ(share.pages, (std::array<int64_t, kHugePageSizes>{1, 1}));
  EXPECT_EQ(share_of_node(amounts, 1).memory, 10);
}

TEST(AmountsDeathTest, AbortWhenMoreIsTakenThanIsThere) {
  Amounts less = some();
  less.nodes[1].memory -= 1;
  EXPECT_DEATH(subtract(less, some()), "");
}

TEST(AmountsDeathTest, AbortWhenTheyOverflow) {
  Amounts most;
  most.memory = INT64_MAX;
  EXPECT_DEATH(add(most, some()), "");
}

}  // namespace
}  // namespace stellwerk::placement
