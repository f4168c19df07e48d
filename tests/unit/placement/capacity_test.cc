#include "placement/capacity.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "fixtures.h"
#include "placement/processors.h"

namespace stellwerk::placement {
namespace {

constexpr CpuLimits kStandard;  // 5 a core, 3 a thread, L 16 a thread

constexpr size_t kLow = index_of(CpuClass::kLowPerformance);
constexpr size_t kShared = index_of(CpuClass::kShared);
constexpr size_t kThread = index_of(CpuClass::kDedicatedThread);
constexpr size_t kCore = index_of(CpuClass::kDedicatedCore);

int64_t free_of(const HostLoad& host, CpuClass cpu_class) {
  return free_vcpus(host, cpu_class, kStandard).count();
}

HostLoad using_cpus(std::map<CpuClass, int64_t> used, HostLoad host = plain_load()) {
  for (const auto& [cpu_class, vcpus] : used) host.used.vcpus[index_of(cpu_class)] = vcpus;
  return host;
}

TEST(Capacity, MemoryLeavesReserveForeignGuestsAndClaimsAlone) {
  HostLoad host = plain_load();
  EXPECT_EQ(free_memory(host), gibibytes(16));
  host.reserve.memory = gibibytes(1);
  host.foreign.memory = gibibytes(2);
  host.used.memory = gibibytes(4).count();
  EXPECT_EQ(free_memory(host), gibibytes(9));
  EXPECT_EQ(renewed(host).room.memory, gibibytes(9).count());
  host.foreign.memory = gibibytes(20);
  EXPECT_EQ(free_memory(host), Bytes());
}

TEST(Capacity, MemoryLeavesHugePagesAlone) {
  Host host = plain_host(1);
  host.facts.numa.front().pages_2mib = 1024;
  host.facts.numa.front().pages_1gib = 3;
  EXPECT_EQ(free_memory(load_of(host)), gibibytes(11));
  const Room& room = load_of(host).room;
  EXPECT_EQ(room.pages, (std::array<int64_t, kHugePageSizes>{1024, 3}));
  EXPECT_EQ(room.nodes.front().memory, gibibytes(3).count());  // the node has 8
  EXPECT_EQ(room.nodes.front().pages, room.pages);
}

TEST(Capacity, DiskLeavesReserveAndClaimsAlone) {
  HostLoad host = plain_load();
  host.reserve.disk = gigabytes(10);
  host.used.disk = gigabytes(30).count();
  EXPECT_EQ(free_disk(host), gigabytes(60));
  host.images = gigabytes(7);
  EXPECT_EQ(free_disk(host), gigabytes(53));
  host.used.disk = gigabytes(95).count();
  EXPECT_EQ(free_disk(host), Bytes());
}

TEST(Capacity, WhatIsKeptForFailuresIsTakenOffEverything) {
  Host described = plain_host(1);
  described.facts.bandwidth = MegabitsPerSecond(1000);
  described.facts.devices = {{"gpu", 4}};
  described.facts.numa.front().pages_2mib = 10;
  HostLoad host = load_of(described);
  Amounts& kept = host.backups.largest;
  kept.vcpus[kShared] = 3;
  kept.memory = gibibytes(1).count();
  kept.disk = gigabytes(1).count();
  kept.bandwidth = 300;
  kept.devices = {1};
  kept.pages = {4, 0};
  kept.nodes = {{.memory = gibibytes(1).count(), .pages = {4, 0}}};
  const Room room = renewed(host).room;
  const Room before = room_without_backups(host, kStandard);
  EXPECT_EQ(before, load_of(described).room);
  EXPECT_EQ(room.vcpus[kShared], before.vcpus[kShared] - 3);
  EXPECT_EQ(room.memory, before.memory - gibibytes(1).count());
  EXPECT_EQ(room.disk, before.disk - gigabytes(1).count());
  EXPECT_EQ(room.bandwidth, 700);
  EXPECT_EQ(room.devices, std::vector<int64_t>{3});
  EXPECT_EQ(room.pages[0], 6);
  EXPECT_EQ(room.nodes[0].pages[0], 6);
  EXPECT_EQ(room.nodes[0].memory, before.nodes[0].memory - gibibytes(1).count());
  EXPECT_FALSE(is_overcommitted(host, kStandard));
}

TEST(Capacity, ThreadsKeptForFailuresBreakWholeCoresOnlyWhereNoneAreLoose) {
  HostLoad host = plain_load();  // 4 cores of 2 threads
  host.backups.largest.vcpus[kThread] = 1;
  Room room = renewed(host).room;
  EXPECT_EQ(room.vcpus[kThread], 6);
  EXPECT_EQ(room.vcpus[kCore], 3);
  host.used.vcpus[kThread] = host.pinned[kThread] = 1;
  host.dedicated = {{0, 1}};  // its sibling will do
  room = renewed(host).room;
  EXPECT_EQ(room.vcpus[kThread], 5);
  EXPECT_EQ(room.vcpus[kCore], 2);  // one thread is for shared guests
  EXPECT_TRUE(keeps_pins(host, kStandard));
  host.backups.largest.vcpus[kCore] = 4;
  EXPECT_FALSE(keeps_pins(host, kStandard));
}

// Nodes 0 to 3 of one core with two threads each.
HostLoad four_small_nodes() {
  Host host = plain_host(1);
  host.facts.numa = topology(4, 8, 1);
  return load_of(host);
}

TEST(Capacity, GuestsBoundToNodesNeedWholeThreadsOfEach) {
  HostLoad host = four_small_nodes();
  // Of the host one V takes a third of a thread; bound to four nodes, four threads have to be left.
  host.used.vcpus[kShared] = 4;
  host.used.nodes.assign(4, {});
  for (NodeAmounts& node : host.used.nodes) node.vcpus[kShared] = 1;
  const Room room = renewed(host).room;
  EXPECT_EQ(room.vcpus[kThread], 4);
  EXPECT_EQ(room.vcpus[kCore], 0);
  EXPECT_EQ(room.nodes[2].vcpus[kThread], 1);
  EXPECT_EQ(room.nodes[2].vcpus[kCore], 0);
  host.backups.largest.vcpus[kThread] = 4;
  EXPECT_TRUE(keeps_pins(host, kStandard));
  host.backups.largest.vcpus[kThread] = 5;
  EXPECT_FALSE(keeps_pins(host, kStandard));
  EXPECT_TRUE(is_overcommitted(host, kStandard));
}

TEST(Capacity, WhatIsKeptLeavesAThreadToTheHostItself) {
  HostLoad host = plain_load();  // 4 cores of 2 threads
  host.backups.largest.vcpus[kCore] = 3;
  host.backups.largest.vcpus[kThread] = 1;
  EXPECT_TRUE(keeps_pins(host, kStandard));
  EXPECT_FALSE(is_overcommitted(host, kStandard));
  host.backups.largest.vcpus[kThread] = 2;
  EXPECT_FALSE(keeps_pins(host, kStandard));
  EXPECT_TRUE(is_overcommitted(host, kStandard));
}

TEST(Capacity, ThreadsKeptOnANodeBreakItsOwnCores) {
  HostLoad host = four_small_nodes();
  host.backups.largest.vcpus[kThread] = 2;
  host.backups.largest.nodes.assign(4, {});
  host.backups.largest.nodes[0].vcpus[kThread] = 1;
  host.backups.largest.nodes[1].vcpus[kThread] = 1;
  const Room room = renewed(host).room;
  EXPECT_EQ(room.vcpus[kCore], 2);  // two cores have lost a thread each
  EXPECT_EQ(room.nodes[0].vcpus[kThread], 1);
  EXPECT_EQ(room.nodes[2].vcpus[kThread], 2);
}

TEST(Capacity, RoomHoldsWhatIsNowhereMore) {
  const HostLoad host = plain_load();
  Amounts amounts;
  amounts.memory = host.room.memory;
  amounts.disk = host.room.disk;
  amounts.vcpus[kShared] = 20;
  EXPECT_TRUE(has_room(host.room, amounts));
  const auto refuses = [&](auto change) {
    Amounts more = amounts;
    change(more);
    EXPECT_FALSE(has_room(host.room, more));
  };
  refuses([](Amounts& more) { ++more.memory; });
  refuses([](Amounts& more) { ++more.disk; });
  refuses([](Amounts& more) { ++more.bandwidth; });
  refuses([](Amounts& more) { ++more.vcpus[kShared]; });
  refuses([](Amounts& more) { ++more.pages[1]; });
  refuses([](Amounts& more) { more.devices = {1}; });
  refuses([](Amounts& more) { more.nodes = {{.memory = gibibytes(8).count() + 1}}; });
  refuses([](Amounts& more) { more.nodes = {{}, {.memory = 1}}; });
}

TEST(Capacity, IsOvercommittedByOneMoreThanThereIs) {
  const auto expect_limit = [](auto change) {
    HostLoad host = plain_load();
    change(host, 0);
    EXPECT_FALSE(is_overcommitted(host, kStandard));
    change(host, 1);
    EXPECT_TRUE(is_overcommitted(host, kStandard));
  };
  expect_limit([](HostLoad& h, int64_t more) { h.used.memory = gibibytes(16).count() + more; });
  expect_limit([](HostLoad& h, int64_t more) { h.used.disk = gigabytes(100).count() + more; });
  expect_limit([](HostLoad& h, int64_t more) { h.used.bandwidth = more; });
  expect_limit([](HostLoad& h, int64_t more) { h.used.devices = {more}; });
  expect_limit([](HostLoad& h, int64_t more) { h.used.pages = {more, 0}; });
  expect_limit([](HostLoad& h, int64_t more) { h.used.vcpus[kShared] = 20 + more; });
  expect_limit([](HostLoad& h, int64_t more) { h.used.vcpus[kLow] = 128 + more; });
  expect_limit([](HostLoad& h, int64_t more) { h.used.vcpus[kThread] = 8 + more; });
  expect_limit([](HostLoad& h, int64_t more) { h.backups.largest.vcpus[kCore] = 4 + more; });
  expect_limit(
      [](HostLoad& h, int64_t more) { h.used.nodes = {{.memory = gibibytes(8).count() + more}}; });
  expect_limit([](HostLoad& h, int64_t more) { h.used.nodes = {{}, {.memory = more}}; });
}

TEST(Capacity, AllOfAHostIsWhatItWouldOfferEmpty) {
  const HostLoad host = plain_load();
  EXPECT_EQ(host.all_vcpus, (std::array<int64_t, kCpuClasses>{128, 20, 8, 4}));
  EXPECT_EQ(host.all_memory, gibibytes(16).count());
}

TEST(Capacity, SharedVcpusAreLimitedByTheCoreWhereItHasTwoThreads) {
  EXPECT_EQ(free_of(plain_load(), CpuClass::kShared), 20);  // 4 cores; threads alone allow 24
  EXPECT_EQ(free_of(using_cpus({{CpuClass::kShared, 18}}), CpuClass::kShared), 2);
}

TEST(Capacity, SharedVcpusAreLimitedByTheThreadWhereACoreHasOne) {
  Host described = plain_host(1);
  described.facts.threads = 4;
  const HostLoad host = load_of(described);
  EXPECT_EQ(free_of(host, CpuClass::kShared), 12);
}

TEST(Capacity, LowPerformanceVcpusFollowConfiguration) {
  EXPECT_EQ(free_of(plain_load(), CpuClass::kLowPerformance), 128);
  EXPECT_EQ(free_vcpus(plain_load(), CpuClass::kLowPerformance, {.low_performance_per_thread = 32}),
            VcpuCount(256));
}

TEST(Capacity, SharedAndLowPerformanceGuestsAddUpTheirFractionsOfAThread) {
  // 12 V take 4 of the 8 threads; on the other 4 fit 64 L.
  const HostLoad half = using_cpus({{CpuClass::kShared, 12}});
  EXPECT_EQ(free_of(half, CpuClass::kLowPerformance), 64);
  // 96 L take 6 threads; on the other 2 fit 6 V.
  const HostLoad crowded = using_cpus({{CpuClass::kLowPerformance, 96}});
  EXPECT_EQ(free_of(crowded, CpuClass::kShared), 6);
  // 1 V takes a third of a thread: 7 2/3 threads are left, so 122 2/3 L.
  const HostLoad third = using_cpus({{CpuClass::kShared, 1}});
  EXPECT_EQ(free_of(third, CpuClass::kLowPerformance), 122);
}

TEST(Capacity, GuestsOfOthersCountAsSharedLoad) {
  HostLoad host = plain_load();
  host.foreign.vcpus = VcpuCount(7);
  EXPECT_EQ(free_of(host, CpuClass::kShared), 13);
  EXPECT_EQ(free_of(host, CpuClass::kDedicatedThread), 5);  // 7 need 2.8 threads by the core
  host.foreign.vcpus = VcpuCount(200);
  for (const CpuClass cpu_class : {CpuClass::kShared, CpuClass::kLowPerformance,
                                   CpuClass::kDedicatedThread, CpuClass::kDedicatedCore}) {
    EXPECT_EQ(free_of(host, cpu_class), 0);
  }
}

TEST(Capacity, DedicatedThreadsAreTakenOutOfWhatOthersShare) {
  const HostLoad host = using_cpus({{CpuClass::kDedicatedThread, 2}});
  EXPECT_EQ(free_of(host, CpuClass::kDedicatedThread), 5);  // one is kept for shared guests
  EXPECT_EQ(free_of(host, CpuClass::kShared), 15);
  EXPECT_EQ(free_of(host, CpuClass::kLowPerformance), 96);
  EXPECT_EQ(free_of(host, CpuClass::kDedicatedCore), 2);
}

TEST(Capacity, DedicatedCoresTakeAllTheirThreads) {
  const HostLoad host = using_cpus({{CpuClass::kDedicatedCore, 3}});
  EXPECT_EQ(free_of(host, CpuClass::kDedicatedCore), 0);  // the last thread is not given away
  EXPECT_EQ(free_of(host, CpuClass::kDedicatedThread), 1);
  EXPECT_EQ(free_of(host, CpuClass::kShared), 5);
}

TEST(Capacity, CoresThatAreBrokenUpAreNotThereForWholeOnes) {
  HostLoad host = using_cpus({{CpuClass::kDedicatedThread, 2}});
  host.pinned = host.used.vcpus;
  host.dedicated = {{0, 1}, {4, 1}};                      // both threads of one core
  EXPECT_EQ(free_of(host, CpuClass::kDedicatedCore), 2);  // by number, with one thread kept
  host.dedicated = {{0, 1}, {1, 1}};                      // two cores are broken up
  EXPECT_EQ(free_of(host, CpuClass::kDedicatedCore), 2);
  EXPECT_EQ(free_of(host, CpuClass::kDedicatedThread), 5);
  host.dedicated = {{0, 1}, {1, 1}, {2, 1}};
  host.used.vcpus[kThread] = host.pinned[kThread] = 3;
  EXPECT_EQ(free_of(host, CpuClass::kDedicatedCore), 1);  // four more threads, but one core
}

TEST(Capacity, ThreadsAreKeptForSharedGuestsAsConfigured) {
  const CpuLimits limits{.shared_threads_min = 6};
  EXPECT_EQ(free_vcpus(plain_load(), CpuClass::kDedicatedThread, limits), VcpuCount(2));
  EXPECT_EQ(free_vcpus(plain_load(), CpuClass::kDedicatedCore, limits), VcpuCount(1));
}

TEST(Capacity, NothingCanBeDedicatedWhereTheTopologyIsNotKnown) {
  HostLoad host = plain_load();
  host.offer.layout = nullptr;
  EXPECT_EQ(free_of(host, CpuClass::kDedicatedThread), 0);
  EXPECT_EQ(free_of(host, CpuClass::kDedicatedCore), 0);
  EXPECT_EQ(free_of(host, CpuClass::kShared), 20);
}

TEST(Capacity, ClaimsThatNameNoThreadsCountByNumber) {
  // 2 T from before claims named threads, and 1 that has thread 0.
  HostLoad host = using_cpus({{CpuClass::kDedicatedThread, 3}});
  host.pinned[kThread] = 1;
  host.dedicated = {{0, 1}};
  EXPECT_EQ(free_of(host, CpuClass::kDedicatedThread), 4);
  EXPECT_EQ(free_of(host, CpuClass::kShared), 12);  // on 5 of 8 threads
  EXPECT_EQ(unpinned_vcpus(host, CpuClass::kDedicatedThread), VcpuCount(2));
}

TEST(Capacity, SharedGuestsKeepTheThreadsThatTheyNeed) {
  const HostLoad host = using_cpus({{CpuClass::kShared, 11}});
  EXPECT_EQ(free_of(host, CpuClass::kDedicatedThread), 3);  // 11 need 4.4 threads by the core
  EXPECT_EQ(free_of(host, CpuClass::kDedicatedCore), 1);
}

TEST(Capacity, AHostWithoutProcessorsOffersNone) {
  HostLoad host = plain_load();
  host.offer.cores = 0;
  EXPECT_EQ(free_of(host, CpuClass::kShared), 0);
  host.offer.cores = 8;
  host.offer.threads = 4;
  EXPECT_EQ(free_of(host, CpuClass::kShared), 0);
}

TEST(Capacity, AFasterDiskMayServeASlowerPromise) {
  using enum DiskType;
  for (const DiskType offered : {kUnspecified, kHardDisk, kSsd, kNvme}) {
    EXPECT_TRUE(offers(offered, kUnspecified));
    EXPECT_FALSE(offers(offered, kNetwork));
    EXPECT_EQ(offers(offered, kHardDisk), offered != kUnspecified);
    EXPECT_EQ(offers(offered, kSsd), offered == kSsd || offered == kNvme);
    EXPECT_EQ(offers(offered, kNvme), offered == kNvme);
  }
}

TEST(Capacity, NothingFitsWhereGuestsOfOthersExceedALimitOfTheCore) {
  HostLoad host = plain_load();
  host.foreign.vcpus = VcpuCount(21);  // 7 of 8 threads, but 20 are the most on 4 cores
  EXPECT_EQ(free_of(host, CpuClass::kLowPerformance), 0);
  EXPECT_EQ(free_of(host, CpuClass::kShared), 0);
}

// The limits as the standard words them, in real numbers, apart from the code's integers.
bool within_limits(const HostLoad& host, const CpuLimits& limits) {
  const auto used = [&](size_t cpu_class) {
    return static_cast<long double>(host.used.vcpus[cpu_class]);
  };
  const long double cores = host.offer.cores;
  const long double threads = host.offer.threads;
  const int64_t per_core = (host.offer.threads + host.offer.cores - 1) / host.offer.cores;
  const long double left = threads - used(kThread) - per_core * used(kCore);
  const long double shared = used(kShared) + host.foreign.vcpus.count();
  constexpr long double kRounding = 1e-9L;
  return left >= 0 &&
         shared / limits.shared_per_thread + used(kLow) / limits.low_performance_per_thread <=
             left + kRounding &&
         shared / limits.shared_per_core <= left * cores / threads + kRounding;
}

HostLoad any_load(Dice& dice, const CpuLimits& limits) {
  HostLoad host = load_of(any_host(dice, 1), limits);
  host.foreign.vcpus = VcpuCount(dice.in(0, 5));
  return host;
}

RC_GTEST_PROP(Capacity, WhatIsFreeFitsTheLimits, ()) {
  Dice dice = any_dice();
  const CpuLimits limits = any_limits(dice);
  HostLoad host = any_load(dice, limits);
  RC_PRE(within_limits(host, limits));
  const int guests = *rc::gen::inRange(0, 8);
  for (int i = 0; i < guests; ++i) {
    const CpuClass cpu_class = any_cpu_class(dice);
    const VcpuCount free = free_vcpus(host, cpu_class, limits);
    host.used.vcpus[index_of(cpu_class)] += dice.in(0, free.count() + 1);
    RC_ASSERT(within_limits(host, limits));
  }
}

// For the classes whose limits are not rounded to whole threads, nothing that fits is withheld.
RC_GTEST_PROP(Capacity, OneMoreThanIsFreeBreaksALimit, ()) {
  Dice dice = any_dice();
  const CpuLimits limits = any_limits(dice);
  HostLoad host = any_load(dice, limits);
  RC_PRE(within_limits(host, limits));
  const CpuClass cpu_class = dice.of({CpuClass::kShared, CpuClass::kLowPerformance});
  host.used.vcpus[index_of(cpu_class)] += free_vcpus(host, cpu_class, limits).count() + 1;
  RC_ASSERT(!within_limits(host, limits));
}

// What is computed for the whole room is what each question answers for itself.
RC_GTEST_PROP(Capacity, RoomAndQuestionsAgree, ()) {
  Dice dice = any_dice();
  const CpuLimits limits = any_limits(dice);
  HostLoad host = any_load(dice, limits);
  for (int64_t& vcpus : host.used.vcpus) vcpus = dice.in(0, 3);
  host.used.memory = mebibytes(dice.in(0, 4096)).count();
  host.backups.largest.memory = mebibytes(dice.in(0, 4096)).count();
  const Room room = renewed(host, limits).room;
  RC_ASSERT(room.memory == free_memory(host).count());
  RC_ASSERT(room.disk == free_disk(host).count());
  for (size_t i = 0; i < kCpuClasses; ++i) {
    RC_ASSERT(room.vcpus[i] == free_vcpus(host, static_cast<CpuClass>(i), limits).count());
  }
}

}  // namespace
}  // namespace stellwerk::placement
