#include "placement/index.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "world.h"

namespace stellwerk::placement {
namespace {

int32_t expected(const HostLoad& host, const Ask& ask, Purpose purpose, Policy policy) {
  if (purpose == Purpose::kBackup) return least_backup_cost(host, ask).value_or(kNoFit);
  return fits(host, ask) ? score_of(policy, host, ask) : kNoFit;
}

void check_column(Index& index, const Fleet& fleet, const Ask& ask, Purpose purpose) {
  const size_t column = index.column(fleet, ask, purpose);
  for (uint32_t block = 0; block < index.blocks().size(); ++block) {
    const Block& at = index.blocks()[block];
    int32_t least = kNoFit;
    for (uint32_t host = at.first_host; host < at.end_host; ++host) {
      RC_ASSERT(index.block_of(host) == block);
      const int32_t score = index.scores(column, block)[host - at.first_host];
      RC_ASSERT(score == expected(fleet.hosts()[host], ask, purpose, Policy::kBestFit));
      least = std::min(least, score);
    }
    RC_ASSERT(index.least(column)[block] == least);
    const auto blocks = static_cast<uint32_t>(index.blocks().size());
    RC_ASSERT(index.next_block(column, block, blocks, least) == block);
    RC_ASSERT(index.next_block(column, block, block + 1, least - 1) == block + 1);
  }
}

// Beside an engine, and told of every change.
RC_GTEST_PROP(Index, NeverLags, ()) {
  Dice dice = any_dice();
  World world = any_world(dice, {.guarantee = DomainLevel::kHost, .shrinks = true});
  Engine engine = empty_engine(world);
  Index index(engine.fleet(), Policy::kBestFit);
  std::vector<Ask> asks;
  for (int i = 0; i < 12; ++i) {
    asks.push_back(ask_of(engine.fleet(), any_request(dice, world)));
    index.column(engine.fleet(), asks.back(), dice.of({Purpose::kGuest, Purpose::kBackup}));
  }
  for (int i = 0; i < 25; ++i) {
    take_step(dice, world, engine);
    for (uint32_t host = 0; host < engine.fleet().hosts().size(); ++host) {
      index.describe(engine.fleet(), host);
    }
    const Ask& ask = asks[static_cast<size_t>(dice.in(0, std::ssize(asks)))];
    check_column(index, engine.fleet(), ask, dice.of({Purpose::kGuest, Purpose::kBackup}));
  }
}

// The engine's own, seen through its answers: one that has every column from the beginning decides
// as one that makes them now.
RC_GTEST_PROP(Index, OfAnOldEngineAnswersAsThatOfANewOne, ()) {
  Dice dice = any_dice();
  World world = any_world(
      dice, {.guarantee = DomainLevel::kRack, .shrinks = true, .policy = Policy::kFirstFit});
  Engine engine = empty_engine(world);
  std::vector<Request> requests;
  for (int i = 0; i < 10; ++i) requests.push_back(any_request(dice, world));
  for (const Request& request : requests) engine.place(request);
  for (int i = 0; i < 30; ++i) {
    take_step(dice, world, engine);
    const Request& request = requests[static_cast<size_t>(dice.in(0, 10))];
    Engine fresh = engine_from_scratch(world);
    RC_ASSERT(text_of(engine.place(request)) == text_of(fresh.place(request)));
  }
}

std::vector<Host> hosts_in(const std::string& rack, int count, int first) {
  std::vector<Host> hosts;
  for (int i = 0; i < count; ++i) {
    hosts.push_back(in_rack(plain_host(static_cast<uint8_t>(first + i)), rack));
  }
  return hosts;
}

TEST(Index, HasBlocksOfOneRackAndOfLimitedSize) {
  std::vector<Host> hosts = hosts_in("dc1/a/r1", 130, 1);
  for (Host& host : hosts_in("dc1/a/r2", 3, 140)) hosts.push_back(host);
  const Fleet fleet({}, topology_of({{"dc1/a/r1"}, {"dc1/a/r2"}}), hosts);
  const Index index(fleet, Policy::kFirstFit);
  std::vector<uint32_t> sizes;
  for (const Block& block : index.blocks()) sizes.push_back(block.end_host - block.first_host);
  EXPECT_EQ(sizes, (std::vector<uint32_t>{64, 64, 2, 3}));
  EXPECT_EQ(index.blocks()[2].rack, 0u);
  EXPECT_EQ(index.blocks()[3].rack, 1u);
  EXPECT_EQ(index.block_of(129), 2u);
}

Ask of_memory(const Fleet& fleet, int64_t mib) {
  Request request = plain_request();
  request.memory = mebibytes(mib);
  return ask_of(fleet, request);
}

TEST(Index, KnowsAShapeAgainWhateverGroupCountAndPoolItComesWith) {
  Fleet fleet({}, {}, {plain_host(1)});
  Index index(fleet, Policy::kFirstFit);
  Request request = plain_request();
  const size_t column = index.column(fleet, ask_of(fleet, request), Purpose::kGuest);
  request.group = group_uid(1);
  request.count = 7;
  request.pool = "ceph";
  request.wishes.within = "dc1";
  EXPECT_EQ(index.column(fleet, ask_of(fleet, request), Purpose::kGuest), column);
  EXPECT_NE(index.column(fleet, ask_of(fleet, request), Purpose::kBackup), column);
  request.wishes.required_labels = {{"a", "b"}};
  EXPECT_NE(index.column(fleet, ask_of(fleet, request), Purpose::kGuest), column);
}

TEST(Index, GivesUpTheColumnThatWasNotUsedForLongest) {
  Fleet fleet({}, {}, {plain_host(1), plain_host(2)});
  fleet.set_accepting(0, true);
  fleet.set_accepting(1, true);
  Index index(fleet, Policy::kBestFit);
  const size_t first = index.column(fleet, of_memory(fleet, 1), Purpose::kGuest);
  const size_t second = index.column(fleet, of_memory(fleet, 2), Purpose::kGuest);
  for (size_t i = 3; i <= Index::kMostColumns; ++i) {
    index.column(fleet, of_memory(fleet, static_cast<int64_t>(i)), Purpose::kGuest);
  }
  EXPECT_EQ(index.column(fleet, of_memory(fleet, 1), Purpose::kGuest), first);
  const Ask large = of_memory(fleet, 64 * 1024);
  EXPECT_EQ(index.column(fleet, large, Purpose::kGuest), second);
  EXPECT_EQ(index.least(second)[0], kNoFit);
  EXPECT_LT(index.least(first)[0], kNoFit);
  // All columns follow, also those that took the place of others.
  fleet.set_accepting(0, false);
  fleet.set_accepting(1, false);
  index.describe(fleet, 0);
  EXPECT_LT(index.least(first)[0], kNoFit);
  index.describe(fleet, 1);
  EXPECT_EQ(index.least(first)[0], kNoFit);
}

Mixes mixes_of_one_size(float memory) {
  Mixes mixes;
  mixes.threads_per_vcpu.fill(0.4F);
  mixes.hosts = SizeMix({{{1, memory}, 1}}, {8, 16 * 1024});
  mixes.nodes = mixes.hosts;
  return mixes;
}

// More scores than are replaced at once.
TEST(Index, ReplacesScoresOfAFormerMixByAndBy) {
  const std::vector<Host> hosts = hosts_in("dc1/a/r1", 2000, 1);
  Fleet fleet({}, topology_of({{"dc1/a/r1"}}), hosts);
  for (uint32_t host = 0; host < 2000; ++host) fleet.set_accepting(host, true);
  Index index(fleet, Policy::kDefault);
  index.adopt(fleet, mixes_of_one_size(1024));
  constexpr int64_t kColumns = 30;
  for (int64_t i = 1; i <= kColumns; ++i) {
    index.column(fleet, of_memory(fleet, i * 64), Purpose::kGuest);
  }
  index.adopt(fleet, mixes_of_one_size(3000));
  Index fresh(fleet, Policy::kDefault);
  fresh.adopt(fleet, mixes_of_one_size(3000));
  const auto differ = [&] {
    int64_t count = 0;
    for (int64_t i = 1; i <= kColumns; ++i) {
      const Ask ask = of_memory(fleet, i * 64);
      const size_t mine = index.column(fleet, ask, Purpose::kGuest);
      const size_t wanted = fresh.column(fleet, ask, Purpose::kGuest);
      for (uint32_t block = 0; block < index.blocks().size(); ++block) {
        if (index.least(mine)[block] != fresh.least(wanted)[block]) ++count;
      }
    }
    return count;
  };
  const auto blocks = static_cast<int64_t>(index.blocks().size());
  EXPECT_GT(differ(), blocks * kColumns / 2) << "the test sees no difference between the mixes";
  for (int64_t i = 0; i < blocks * kColumns; ++i) index.refresh(fleet, 0);
  EXPECT_EQ(differ(), 0);
}

// More sizes than are remembered.
TEST(Index, ScoresRightAfterManySizesCameAndWent) {
  Fleet fleet({}, {}, {plain_host(1)});
  fleet.set_accepting(0, true);
  Index index(fleet, Policy::kBestFit);
  for (int64_t mib = 1; mib <= 1000; ++mib) {
    index.column(fleet, of_memory(fleet, mib), Purpose::kGuest);
  }
  fleet.charge(0, claim_on(host_uid(1), plain_request()));
  index.refresh(fleet, 0);
  for (int64_t mib = 1000; mib > 1000 - static_cast<int64_t>(Index::kMostColumns); --mib) {
    const Ask ask = of_memory(fleet, mib);
    EXPECT_EQ(index.least(index.column(fleet, ask, Purpose::kGuest))[0],
              score_of(Policy::kBestFit, fleet.hosts()[0], ask, index.mixes()));
  }
}

}  // namespace
}  // namespace stellwerk::placement
