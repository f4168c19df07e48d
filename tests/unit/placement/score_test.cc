#include "placement/score.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "fixtures.h"

namespace stellwerk::placement {
namespace {

constexpr std::array kAll = {Policy::kDefault,  Policy::kFirstFit,   Policy::kBestFit,
                             Policy::kWorstFit, Policy::kDotProduct, Policy::kL2,
                             Policy::kFgd,      Policy::kFgdInUse};

HostLoad with_used_memory(int64_t gib) {
  HostLoad host = plain_load();
  host.used.memory = gibibytes(gib).count();
  return renewed(host);
}

int32_t with(Policy policy, int64_t gib) {
  return score_of(policy, with_used_memory(gib), ask_for(plain_request()));
}

TEST(Score, PoliciesHaveNames) {
  for (const Policy policy : kAll) {
    EXPECT_EQ(parse_policy(to_string(policy)), policy) << to_string(policy);
  }
  EXPECT_EQ(to_string(Policy::kFirstFit), "first-fit");
  EXPECT_EQ(parse_policy("no-fit"), std::nullopt);
}

TEST(Score, BestFitTakesTheFullestHostAndWorstFitTheEmptiest) {
  EXPECT_LT(with(Policy::kBestFit, 8), with(Policy::kBestFit, 4));
  EXPECT_LT(with(Policy::kL2, 8), with(Policy::kL2, 4));
  EXPECT_GT(with(Policy::kWorstFit, 8), with(Policy::kWorstFit, 4));
  EXPECT_EQ(with(Policy::kFirstFit, 8), with(Policy::kFirstFit, 4));
}

TEST(Score, OfAHostIsTheSameWhoeverElseThereIs) {
  for (const Policy policy : kAll) {
    EXPECT_EQ(with(policy, 5), with(policy, 5)) << to_string(policy);
  }
}

Mixes any_mixes(Dice& dice) {
  const SizeMix::Size whole{8, 16384};
  std::map<SizeMix::Size, int64_t> counts;
  for (int64_t i = dice.in(0, 24); i > 0; --i) {
    const auto threads = static_cast<float>(dice.in(0, 64)) / 8;
    counts[{threads, static_cast<float>(dice.in(0, 20000))}] += dice.in(1, 99);
  }
  Mixes mixes{.hosts = SizeMix(counts, whole), .nodes = SizeMix(counts, whole)};
  mixes.threads_per_vcpu = {0.0625F, 0.4F, 1, 2};
  mixes.fullness = static_cast<int32_t>(dice.in(0, kFullFleet + 1));
  return mixes;
}

RC_GTEST_PROP(Score, IsWithinItsBoundsForEveryHostThatFits, ()) {
  Dice dice = any_dice();
  const Mixes mixes = any_mixes(dice);
  HostLoad host = load_of(any_host(dice, 1));
  host.used.memory = mebibytes(dice.in(0, 4096)).count();
  host.guests = dice.in(0, 9);
  host = renewed(host);
  Request request = plain_request();
  request.cpu_class = any_cpu_class(dice);
  request.vcpus = VcpuCount(dice.in(1, 9));
  request.memory = mebibytes(dice.in(1, 8192));
  request.disk = Bytes();
  request.numa_nodes = dice.one_in(3) ? 1 : 0;
  const Ask ask = ask_for(request);
  RC_PRE(fits(host, ask));
  for (const Policy policy : kAll) {
    const int32_t score = score_of(policy, host, ask, mixes);
    RC_ASSERT(score >= 0);
    RC_ASSERT(score < kNoFit);
  }
}

TEST(SizeMix, OfNothingHasNoValue) {
  const SizeMix none;
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(none.value(100, 100), 0);
  EXPECT_TRUE(SizeMix({{{0, 0}, 5}}, {1, 1}).empty());
}

TEST(SizeMix, ValuesWhatGuestsStillFindRoomIn) {
  const SizeMix mix({{{1, 1024}, 10}, {{4, 4096}, 10}}, {8, 8192});
  EXPECT_FALSE(mix.empty());
  EXPECT_NEAR(mix.value(8, 8192), SizeMix::kWhole, SizeMix::kWhole / 1000);
  EXPECT_EQ(mix.value(0.9F, 8192), 0);
  EXPECT_EQ(mix.value(8, 1000), 0);
  EXPECT_LT(mix.value(3.9F, 8192), mix.value(4, 8192));
  EXPECT_EQ(mix.value(4, 8192), mix.value(4, 4096));
}

RC_GTEST_PROP(SizeMix, MoreRoomIsNeverWorthLess, ()) {
  Dice dice = any_dice();
  const SizeMix mix = any_mixes(dice).hosts;
  const auto threads = static_cast<float>(dice.in(0, 100)) / 8;
  const auto memory = static_cast<float>(dice.in(0, 30000));
  const auto more = static_cast<float>(dice.in(0, 100)) / 8;
  RC_ASSERT(mix.value(threads, memory) >= 0);
  RC_ASSERT(mix.value(threads + more, memory) >= mix.value(threads, memory));
  RC_ASSERT(mix.value(threads, memory + 100 * more) >= mix.value(threads, memory));
}

TEST(SizeMix, DistanceIsNothingToItselfAndTwoToWhatHasNothingInCommon) {
  const SizeMix one({{{1, 1024}, 3}, {{2, 1024}, 5}}, {8, 8192});
  const SizeMix other({{{3, 1024}, 3}}, {8, 8192});
  EXPECT_FLOAT_EQ(one.distance(one), 0);
  EXPECT_FLOAT_EQ(one.distance(other), 2);
  EXPECT_FLOAT_EQ(other.distance(one), 2);
}

TEST(Fullness, GrowsWithTheShareInUseAndDoesNotChangeForLittle) {
  EXPECT_EQ(fullness_of(0, 0), 0);
  EXPECT_EQ(fullness_of(1, 0), kFullFleet);
  int32_t before = 0;
  for (int percent = 0; percent <= 100; ++percent) {
    const int32_t now = fullness_of(percent / 100.0, before);
    EXPECT_GE(now, before);
    EXPECT_EQ(fullness_of(percent / 100.0, now), now);
    before = now;
  }
}

TEST(Fullness, StaysAsItIsBesideAStep) {
  EXPECT_EQ(fullness_of(0.565, 0), 0);
  EXPECT_EQ(fullness_of(0.58, 0), 1);
  EXPECT_EQ(fullness_of(0.585, 2), 2);
}

}  // namespace
}  // namespace stellwerk::placement
