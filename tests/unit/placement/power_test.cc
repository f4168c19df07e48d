#include "placement/power.h"

#include <gtest/gtest.h>

#include "fixtures.h"

namespace stellwerk::placement {
namespace {

struct Grid {
  std::vector<RackLoad> racks;
  std::vector<FeedLoad> feeds;
};

// Racks A and B on feeds 0 and 1, C on 0 and 2, D on 0 alone, E on none.
Grid grid(int64_t budget) {
  Grid grid;
  for (const std::vector<uint32_t>& feeds :
       {std::vector<uint32_t>{0, 1}, {0, 1}, {0, 2}, {0}, std::vector<uint32_t>()}) {
    grid.racks.push_back({.feeds = feeds});
  }
  grid.feeds.assign(3, {.budget = Milliwatts(budget)});
  return grid;
}

void draw(Grid& grid, size_t rack, int64_t more) {
  add_draw(grid.racks[rack], grid.feeds, Milliwatts(more));
}

bool may(const Grid& grid, size_t rack, int64_t more) {
  return may_draw(grid.racks[rack], grid.feeds, Milliwatts(more));
}

TEST(Power, OfTwoFeedsEachHasHalfAndAllAfterTheOtherFails) {
  Grid one = grid(1000);
  draw(one, 0, 600);
  draw(one, 1, 200);
  EXPECT_EQ(one.racks[0].draw, Milliwatts(600));
  EXPECT_EQ(worst_draw(one.feeds[0]), Milliwatts(800));  // 400, and 400 of feed 1
  EXPECT_EQ(worst_draw(one.feeds[1]), Milliwatts(800));
  EXPECT_EQ(worst_draw(one.feeds[2]), Milliwatts());
}

TEST(Power, OnlyTheWorstOfSeveralFailuresCounts) {
  Grid one = grid(10'000);
  draw(one, 0, 600);  // shared with feed 1
  draw(one, 2, 400);  // shared with feed 2
  draw(one, 3, 100);  // alone
  // Normally 300 + 200 + 100; feed 1 fails: 300 more; feed 2 fails: 200 more.
  EXPECT_EQ(worst_draw(one.feeds[0]), Milliwatts(900));
  EXPECT_EQ(worst_draw(one.feeds[1]), Milliwatts(600));
  EXPECT_EQ(worst_draw(one.feeds[2]), Milliwatts(400));
}

TEST(Power, MayBeDrawnUpToTheBudgetAndNotBeyond) {
  Grid one = grid(1000);
  EXPECT_TRUE(may(one, 0, 1000));
  EXPECT_FALSE(may(one, 0, 1001));
  draw(one, 0, 600);
  EXPECT_TRUE(may(one, 1, 400));
  EXPECT_FALSE(may(one, 1, 401));
  // 300 of what is drawn with feed 1, and all of the rack's when feed 2 fails.
  EXPECT_TRUE(may(one, 2, 700));
  EXPECT_FALSE(may(one, 2, 701));
  EXPECT_TRUE(may(one, 3, 400));
  EXPECT_FALSE(may(one, 3, 401));
}

TEST(Power, IsLimitedByEveryFeedOfTheRack) {
  Grid one = grid(1000);
  one.feeds[1].budget = Milliwatts(10);
  EXPECT_TRUE(may(one, 0, 10));
  EXPECT_FALSE(may(one, 0, 11));
}

TEST(Power, IsLimitedByTheRackItself) {
  Grid one = grid(1000);
  one.racks[4].power_limit = Milliwatts(50);
  draw(one, 4, 20);
  EXPECT_TRUE(may(one, 4, 30));
  EXPECT_FALSE(may(one, 4, 31));
  EXPECT_EQ(power_room(one.racks[4], one.feeds), Milliwatts(30));
}

TEST(Power, WhoTakesNothingMoreMayAlsoWhereABudgetIsExceeded) {
  Grid one = grid(10);
  draw(one, 0, 100);
  EXPECT_TRUE(may(one, 0, 0));
  EXPECT_FALSE(may(one, 0, 1));
  EXPECT_EQ(power_room(one.racks[0], one.feeds), Milliwatts());
}

TEST(Power, RoomIsTheMostThatMayBeDrawn) {
  Grid one = grid(1000);
  EXPECT_EQ(power_room(one.racks[4], one.feeds), std::nullopt);
  draw(one, 0, 301);
  draw(one, 2, 77);
  draw(one, 3, 5);
  for (size_t rack = 0; rack < 4; ++rack) {
    const int64_t room = power_room(one.racks[rack], one.feeds)->count();
    EXPECT_TRUE(may(one, rack, room)) << rack;
    EXPECT_FALSE(may(one, rack, room + 1)) << rack;
  }
}

TEST(Power, WhatIsDrawnNoMoreLeavesTheFeedsAsTheyWere) {
  Grid one = grid(1000);
  for (size_t rack = 0; rack < 5; ++rack) draw(one, rack, 0);
  const Grid before = one;
  for (size_t rack = 0; rack < 5; ++rack) draw(one, rack, 101);
  for (size_t rack = 0; rack < 5; ++rack) draw(one, rack, -101);
  EXPECT_EQ(one.racks, before.racks);
  EXPECT_EQ(one.feeds, before.feeds);
}

HostLoad drawing(int64_t idle, int64_t peak) {
  HostLoad host = plain_load();  // 4 cores, 8 threads
  host.power = {.idle = Milliwatts(idle), .peak = Milliwatts(peak)};
  return host;
}

TEST(Power, OfAGuestIsItsPartOfWhatTheHostDrawsBeyondIdle) {
  const HostLoad host = drawing(1000, 1800);
  const auto of = [&](CpuClass cpu_class, int64_t vcpus) {
    return power_of(host, cpu_class, VcpuCount(vcpus), {}).count();
  };
  EXPECT_EQ(of(CpuClass::kDedicatedCore, 4), 800);
  EXPECT_EQ(of(CpuClass::kDedicatedCore, 1), 200);
  EXPECT_EQ(of(CpuClass::kDedicatedThread, 1), 100);
  EXPECT_EQ(of(CpuClass::kShared, 1), 40);         // of 20
  EXPECT_EQ(of(CpuClass::kLowPerformance, 1), 7);  // of 128, rounded up from 6.25
}

TEST(Power, OfAGuestIsNothingWhereItIsNotKnown) {
  EXPECT_EQ(power_of(drawing(0, 0), CpuClass::kShared, VcpuCount(4), {}), Milliwatts());
  EXPECT_EQ(power_of(drawing(5, 5), CpuClass::kShared, VcpuCount(4), {}), Milliwatts());
  HostLoad host = drawing(0, 1000);
  host.offer.cores = 0;
  EXPECT_EQ(power_of(host, CpuClass::kShared, VcpuCount(4), {}), Milliwatts());
}

TEST(Power, OfAFullHostIsAtLeastItsPeak) {
  Dice dice(1);
  for (int i = 0; i < 200; ++i) {
    HostLoad host = load_of(any_host(dice, 1));
    host.power = {.idle = Milliwatts(7), .peak = Milliwatts(7 + dice.in(0, 100'000))};
    const CpuClass cpu_class = any_cpu_class(dice);
    const int64_t most = host.all_vcpus[index_of(cpu_class)];
    int64_t all = 0;
    for (int64_t guest = 0; guest < most; ++guest) {
      all += power_of(host, cpu_class, VcpuCount(1), {}).count();
    }
    if (most > 0) {
      EXPECT_GE(all + 7, host.power.peak.count());
    }
  }
}

}  // namespace
}  // namespace stellwerk::placement
