#include "placement/processors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixtures.h"

namespace stellwerk::placement {
namespace {

using ::testing::ElementsAre;
constexpr CpuClass kThread = CpuClass::kDedicatedThread;
constexpr CpuClass kCore = CpuClass::kDedicatedCore;

// Nodes 0 and 1 with 4 cores of 2 threads each: 0+8 … 3+11 on node 0, 4+12 … 7+15 on node 1.
HostLoad two_nodes() {
  HostLoad host = plain_host(1);
  host.facts.cores = 8;
  host.facts.threads = 16;
  host.facts.numa = topology(8, 16, 4);
  return host;
}

HostLoad with_dedicated(HostLoad host, const std::vector<int32_t>& cpus) {
  for (const int32_t cpu : cpus) host.dedicated[cpu] = 1;
  return host;
}

CpuChoice chosen(const HostLoad& host, CpuClass cpu_class, int64_t vcpus) {
  const auto choice = choose_cpus(host, cpu_class, VcpuCount(vcpus));
  EXPECT_TRUE(choice);
  return choice.value_or(CpuChoice{});
}

TEST(ChooseCpus, GivesACoreWithAllItsThreadsToEachVcpu) {
  const CpuChoice choice = chosen(two_nodes(), kCore, 2);
  EXPECT_THAT(choice.cpus, ElementsAre(0, 8, 1, 9));
  EXPECT_THAT(choice.numa_nodes, ElementsAre(0));
}

TEST(ChooseCpus, GivesSingleThreadsAndFillsOneCoreBeforeTheNext) {
  const CpuChoice choice = chosen(two_nodes(), kThread, 3);
  EXPECT_THAT(choice.cpus, ElementsAre(0, 8, 1));
  EXPECT_THAT(choice.numa_nodes, ElementsAre(0));
}

TEST(ChooseCpus, PrefersThreadsOfCoresThatAreBrokenUpAlready) {
  const HostLoad host = with_dedicated(plain_host(1), {2});
  EXPECT_THAT(chosen(host, kThread, 1).cpus, ElementsAre(6));
  EXPECT_THAT(chosen(host, kThread, 2).cpus, ElementsAre(6, 0));
}

TEST(ChooseCpus, BreaksNoWholeCoreWhereAnotherNodeHasABrokenOne) {
  // Node 0 has less room, but only whole cores left.
  const HostLoad host = with_dedicated(two_nodes(), {0, 8, 1, 9, 7});
  const CpuChoice choice = chosen(host, kThread, 1);
  EXPECT_THAT(choice.cpus, ElementsAre(15));
  EXPECT_THAT(choice.numa_nodes, ElementsAre(1));
}

TEST(ChooseCpus, PassesOverBrokenCoresForClassC) {
  const HostLoad host = with_dedicated(plain_host(1), {0, 6});
  EXPECT_THAT(chosen(host, kCore, 2).cpus, ElementsAre(1, 5, 3, 7));
  EXPECT_FALSE(choose_cpus(host, kCore, VcpuCount(3)));
  EXPECT_EQ(free_whole_cores(host), 2);
}

TEST(ChooseCpus, TakesTheNodeThatIsLeftWithTheLeastRoom) {
  const HostLoad host = with_dedicated(two_nodes(), {4, 12, 5, 13});  // node 1 has 2 cores left
  EXPECT_THAT(chosen(host, kCore, 2).numa_nodes, ElementsAre(1));
  EXPECT_THAT(chosen(host, kCore, 2).cpus, ElementsAre(6, 14, 7, 15));
  EXPECT_THAT(chosen(host, kCore, 3).numa_nodes, ElementsAre(0));
}

TEST(ChooseCpus, TakesTheFewestNodesWhereNoneHasRoom) {
  HostLoad host = two_nodes();
  host.facts.numa = topology(8, 16, 3);  // nodes of 3, 3 and 2 cores
  const CpuChoice all = chosen(host, kCore, 8);
  EXPECT_EQ(all.cpus.size(), 16u);
  EXPECT_THAT(all.numa_nodes, ElementsAre(0, 1, 2));
  // The largest first, and the rest where it fits best.
  EXPECT_THAT(chosen(host, kCore, 5).numa_nodes, ElementsAre(0, 2));
  EXPECT_THAT(chosen(host, kCore, 5).cpus, ElementsAre(0, 8, 1, 9, 2, 10, 6, 14, 7, 15));
}

TEST(ChooseCpus, GivesTheSameForTheSame) {
  const HostLoad host = with_dedicated(two_nodes(), {3, 12});
  for (const CpuClass cpu_class : {kThread, kCore}) {
    EXPECT_EQ(chosen(host, cpu_class, 5).cpus, chosen(host, cpu_class, 5).cpus);
  }
}

TEST(ChooseCpus, LeavesSmallerCoresToClassT) {
  HostLoad host = plain_host(1);
  host.facts.numa = topology(4, 6, 4);  // cores 2 and 3 have one thread each
  EXPECT_EQ(free_whole_cores(host), 2);
  EXPECT_FALSE(choose_cpus(host, kCore, VcpuCount(3)));
  EXPECT_EQ(chosen(host, kThread, 6).cpus.size(), 6u);
}

TEST(ChooseCpus, FindsNothingWhereNothingIsKnownOrLeft) {
  HostLoad host = plain_host(1);
  EXPECT_FALSE(choose_cpus(host, kThread, VcpuCount(9)));
  host.facts.numa.clear();
  EXPECT_FALSE(choose_cpus(host, kThread, VcpuCount(1)));
  EXPECT_FALSE(knows_topology(host.facts));
}

TEST(ChooseCpus, PassesOverNodesWithoutProcessors) {
  HostLoad host = plain_host(1);
  host.facts.numa.insert(host.facts.numa.begin(), {.id = 7, .memory = gibibytes(64)});
  EXPECT_THAT(chosen(host, kThread, 1).numa_nodes, ElementsAre(0));
}

TEST(Processors, AreEitherDedicatedOrShared) {
  // Thread 99 is claimed and was there once.
  const HostLoad host = with_dedicated(plain_host(1), {1, 5, 99});
  EXPECT_THAT(dedicated_cpus(host), ElementsAre(1, 5));
  EXPECT_THAT(shared_cpus(host), ElementsAre(0, 2, 3, 4, 6, 7));
}

TEST(Place, NamesTheThreadsInClaimsOfDedicatedClassesAlone) {
  Fleet fleet = fleet_of({plain_host(1)});
  Request request = plain_request();
  EXPECT_TRUE(std::get<Placed>(place(fleet, request)).claim.cpus.empty());
  request.cpu_class = kCore;
  const Claim claim = std::get<Placed>(place(fleet, request)).claim;
  EXPECT_THAT(claim.cpus, ElementsAre(0, 4, 1, 5));
  EXPECT_THAT(claim.numa_nodes, ElementsAre(0));
  fleet.charge(claim);
  request.cpu_class = kThread;
  request.vcpus = VcpuCount(1);
  EXPECT_THAT(std::get<Placed>(place(fleet, request)).claim.cpus, ElementsAre(2));
}

}  // namespace
}  // namespace stellwerk::placement
