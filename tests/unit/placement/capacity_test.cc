#include "placement/capacity.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "fixtures.h"
#include "placement/processors.h"

namespace stellwerk::placement {
namespace {

constexpr CpuLimits kStandard;  // 5 a core, 3 a thread, L 16 a thread

int64_t free_of(const HostLoad& host, CpuClass cpu_class) {
  return free_vcpus(host, cpu_class, kStandard).count();
}

HostLoad using_cpus(std::map<CpuClass, VcpuCount> used) {
  HostLoad host = plain_host(1);
  host.vcpus_used = std::move(used);
  return host;
}

TEST(Capacity, MemoryLeavesReserveForeignGuestsAndClaimsAlone) {
  HostLoad host = plain_host(1);
  EXPECT_EQ(free_memory(host), gibibytes(16));
  host.reserve.memory = gibibytes(1);
  host.foreign.memory = gibibytes(2);
  host.memory_used = gibibytes(4);
  EXPECT_EQ(free_memory(host), gibibytes(9));
  host.foreign.memory = gibibytes(20);
  EXPECT_EQ(free_memory(host), Bytes());
}

TEST(Capacity, DiskLeavesReserveAndClaimsAlone) {
  HostLoad host = plain_host(1);
  host.reserve.disk = gigabytes(10);
  host.disk_used = gigabytes(30);
  EXPECT_EQ(free_disk(host), gigabytes(60));
  host.images = gigabytes(7);
  EXPECT_EQ(free_disk(host), gigabytes(53));
  host.disk_used = gigabytes(95);
  EXPECT_EQ(free_disk(host), Bytes());
}

TEST(Capacity, SharedVcpusAreLimitedByTheCoreWhereItHasTwoThreads) {
  EXPECT_EQ(free_of(plain_host(1), CpuClass::kShared), 20);  // 4 cores; threads alone allow 24
  EXPECT_EQ(free_of(using_cpus({{CpuClass::kShared, VcpuCount(18)}}), CpuClass::kShared), 2);
}

TEST(Capacity, SharedVcpusAreLimitedByTheThreadWhereACoreHasOne) {
  HostLoad host = plain_host(1);
  host.facts.threads = 4;
  EXPECT_EQ(free_of(host, CpuClass::kShared), 12);
}

TEST(Capacity, LowPerformanceVcpusFollowConfiguration) {
  EXPECT_EQ(free_of(plain_host(1), CpuClass::kLowPerformance), 128);
  EXPECT_EQ(
      free_vcpus(plain_host(1), CpuClass::kLowPerformance, {.low_performance_per_thread = 32}),
      VcpuCount(256));
}

TEST(Capacity, SharedAndLowPerformanceGuestsAddUpTheirFractionsOfAThread) {
  // 12 V take 4 of the 8 threads; on the other 4 fit 64 L.
  const HostLoad half = using_cpus({{CpuClass::kShared, VcpuCount(12)}});
  EXPECT_EQ(free_of(half, CpuClass::kLowPerformance), 64);
  // 96 L take 6 threads; on the other 2 fit 6 V.
  const HostLoad crowded = using_cpus({{CpuClass::kLowPerformance, VcpuCount(96)}});
  EXPECT_EQ(free_of(crowded, CpuClass::kShared), 6);
  // 1 V takes a third of a thread: 7 2/3 threads are left, so 122 2/3 L.
  const HostLoad third = using_cpus({{CpuClass::kShared, VcpuCount(1)}});
  EXPECT_EQ(free_of(third, CpuClass::kLowPerformance), 122);
}

TEST(Capacity, GuestsOfOthersCountAsSharedLoad) {
  HostLoad host = plain_host(1);
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
  const HostLoad host = using_cpus({{CpuClass::kDedicatedThread, VcpuCount(2)}});
  EXPECT_EQ(free_of(host, CpuClass::kDedicatedThread), 5);  // one is kept for shared guests
  EXPECT_EQ(free_of(host, CpuClass::kShared), 15);
  EXPECT_EQ(free_of(host, CpuClass::kLowPerformance), 96);
  EXPECT_EQ(free_of(host, CpuClass::kDedicatedCore), 2);
}

TEST(Capacity, DedicatedCoresTakeAllTheirThreads) {
  const HostLoad host = using_cpus({{CpuClass::kDedicatedCore, VcpuCount(3)}});
  EXPECT_EQ(free_of(host, CpuClass::kDedicatedCore), 0);  // the last thread is not given away
  EXPECT_EQ(free_of(host, CpuClass::kDedicatedThread), 1);
  EXPECT_EQ(free_of(host, CpuClass::kShared), 5);
}

TEST(Capacity, CoresThatAreBrokenUpAreNotThereForWholeOnes) {
  HostLoad host = using_cpus({{CpuClass::kDedicatedThread, VcpuCount(2)}});
  host.vcpus_pinned = host.vcpus_used;
  host.dedicated = {{0, 1}, {4, 1}};                      // both threads of one core
  EXPECT_EQ(free_of(host, CpuClass::kDedicatedCore), 2);  // by number, with one thread kept
  host.dedicated = {{0, 1}, {1, 1}};                      // two cores are broken up
  EXPECT_EQ(free_of(host, CpuClass::kDedicatedCore), 2);
  EXPECT_EQ(free_of(host, CpuClass::kDedicatedThread), 5);
  host.dedicated = {{0, 1}, {1, 1}, {2, 1}};
  host.vcpus_used = host.vcpus_pinned = {{CpuClass::kDedicatedThread, VcpuCount(3)}};
  EXPECT_EQ(free_of(host, CpuClass::kDedicatedCore), 1);  // four more threads, but one core
}

TEST(Capacity, ThreadsAreKeptForSharedGuestsAsConfigured) {
  const CpuLimits limits{.shared_threads_min = 6};
  EXPECT_EQ(free_vcpus(plain_host(1), CpuClass::kDedicatedThread, limits), VcpuCount(2));
  EXPECT_EQ(free_vcpus(plain_host(1), CpuClass::kDedicatedCore, limits), VcpuCount(1));
}

TEST(Capacity, NothingCanBeDedicatedWhereTheTopologyIsNotKnown) {
  HostLoad host = plain_host(1);
  host.facts.numa.clear();
  EXPECT_EQ(free_of(host, CpuClass::kDedicatedThread), 0);
  EXPECT_EQ(free_of(host, CpuClass::kDedicatedCore), 0);
  EXPECT_EQ(free_of(host, CpuClass::kShared), 20);
}

TEST(Capacity, ClaimsThatNameNoThreadsCountByNumber) {
  // 2 T from before claims named threads, and 1 that has thread 0.
  HostLoad host = using_cpus({{CpuClass::kDedicatedThread, VcpuCount(3)}});
  host.vcpus_pinned = {{CpuClass::kDedicatedThread, VcpuCount(1)}};
  host.dedicated = {{0, 1}};
  EXPECT_EQ(free_of(host, CpuClass::kDedicatedThread), 4);
  EXPECT_EQ(free_of(host, CpuClass::kShared), 12);  // on 5 of 8 threads
  EXPECT_EQ(unpinned_vcpus(host, CpuClass::kDedicatedThread), VcpuCount(2));
}

TEST(Capacity, SharedGuestsKeepTheThreadsThatTheyNeed) {
  const HostLoad host = using_cpus({{CpuClass::kShared, VcpuCount(11)}});
  EXPECT_EQ(free_of(host, CpuClass::kDedicatedThread), 3);  // 11 need 4.4 threads by the core
  EXPECT_EQ(free_of(host, CpuClass::kDedicatedCore), 1);
}

TEST(Capacity, AHostWithoutProcessorsOffersNone) {
  HostLoad host = plain_host(1);
  host.facts.cores = 0;
  EXPECT_EQ(free_of(host, CpuClass::kShared), 0);
  host.facts.cores = 8;
  host.facts.threads = 4;
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
  HostLoad host = plain_host(1);
  host.foreign.vcpus = VcpuCount(21);  // 7 of 8 threads, but 20 are the most on 4 cores
  EXPECT_EQ(free_of(host, CpuClass::kLowPerformance), 0);
  EXPECT_EQ(free_of(host, CpuClass::kShared), 0);
}

// The limits as the standard words them, in real numbers, apart from the code's integers.
bool within_limits(const HostLoad& host, const CpuLimits& limits) {
  const auto used = [&](CpuClass cpu_class) {
    const auto found = host.vcpus_used.find(cpu_class);
    return found == host.vcpus_used.end() ? 0.0L : static_cast<long double>(found->second.count());
  };
  const long double cores = host.facts.cores;
  const long double threads = host.facts.threads;
  const int64_t per_core = (host.facts.threads + host.facts.cores - 1) / host.facts.cores;
  const long double left =
      threads - used(CpuClass::kDedicatedThread) - per_core * used(CpuClass::kDedicatedCore);
  const long double shared = used(CpuClass::kShared) + host.foreign.vcpus.count();
  const long double low = used(CpuClass::kLowPerformance);
  constexpr long double kRounding = 1e-9L;
  return left >= 0 &&
         shared / limits.shared_per_thread + low / limits.low_performance_per_thread <=
             left + kRounding &&
         shared / limits.shared_per_core <= left * cores / threads + kRounding;
}

RC_GTEST_PROP(Capacity, WhatIsFreeFitsTheLimits, ()) {
  const CpuLimits limits = any_limits();
  HostLoad host = any_host(1);
  RC_PRE(within_limits(host, limits));
  const int guests = *rc::gen::inRange(0, 8);
  for (int i = 0; i < guests; ++i) {
    const CpuClass cpu_class = any_cpu_class();
    const VcpuCount free = free_vcpus(host, cpu_class, limits);
    host.vcpus_used[cpu_class] += VcpuCount(*rc::gen::inRange<int64_t>(0, free.count() + 1));
    RC_ASSERT(within_limits(host, limits));
  }
}

// For the classes whose limits are not rounded to whole threads, nothing that fits is withheld.
RC_GTEST_PROP(Capacity, OneMoreThanIsFreeBreaksALimit, ()) {
  const CpuLimits limits = any_limits();
  HostLoad host = any_host(1);
  RC_PRE(within_limits(host, limits));
  const CpuClass cpu_class = *rc::gen::element(CpuClass::kShared, CpuClass::kLowPerformance);
  host.vcpus_used[cpu_class] += free_vcpus(host, cpu_class, limits) + VcpuCount(1);
  RC_ASSERT(!within_limits(host, limits));
}

}  // namespace
}  // namespace stellwerk::placement
