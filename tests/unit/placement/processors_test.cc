#include "placement/processors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixtures.h"

namespace stellwerk::placement {
namespace {

using ::testing::ElementsAre;
constexpr CpuClass kThread = CpuClass::kDedicatedThread;
constexpr CpuClass kCore = CpuClass::kDedicatedCore;

HostLoad load_with(int64_t cores, int64_t threads, std::vector<NumaNode> nodes) {
  Host host = plain_host(1);
  host.facts.cores = cores;
  host.facts.threads = threads;
  host.facts.numa = std::move(nodes);
  return load_of(host);
}

int64_t free_whole_cores(const HostLoad& host) {
  return pin_room(host).whole_cores;
}

// Nodes 0 and 1 with 4 cores of 2 threads each: 0+8 … 3+11 on node 0, 4+12 … 7+15 on node 1.
HostLoad two_nodes() {
  return load_with(8, 16, topology(8, 16, 4));
}

// As if one guest of class T had them.
HostLoad with_dedicated(HostLoad host, const std::vector<int32_t>& cpus) {
  for (const int32_t cpu : cpus) host.dedicated[cpu] = 1;
  host.used.vcpus[index_of(kThread)] += std::ssize(cpus);
  host.pinned[index_of(kThread)] += std::ssize(cpus);
  return renewed(std::move(host));
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
  const HostLoad host = with_dedicated(plain_load(), {2});
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
  const HostLoad host = with_dedicated(plain_load(), {0, 6});
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
  const HostLoad host = load_with(8, 16, topology(8, 16, 3));  // nodes of 3, 3 and 2 cores
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
  const HostLoad host = load_with(4, 6, topology(4, 6, 4));  // cores 2 and 3 have one thread each
  EXPECT_EQ(free_whole_cores(host), 2);
  EXPECT_FALSE(choose_cpus(host, kCore, VcpuCount(3)));
  EXPECT_EQ(chosen(host, kThread, 6).cpus.size(), 6u);
  // And smaller cores are what class T gets first.
  EXPECT_THAT(chosen(host, kThread, 2).cpus, ElementsAre(2, 3));
}

TEST(ChooseCpus, FindsNothingWhereNothingIsKnownOrLeft) {
  EXPECT_FALSE(choose_cpus(plain_load(), kThread, VcpuCount(9)));
  const HostLoad unknown = load_with(4, 8, {});
  EXPECT_FALSE(choose_cpus(unknown, kThread, VcpuCount(1)));
  EXPECT_EQ(pin_room(unknown), PinRoom());
}

TEST(ChooseCpus, PassesOverNodesWithoutProcessors) {
  std::vector<NumaNode> nodes = topology(4, 8, 4);
  nodes.insert(nodes.begin(), {.id = 7, .memory = gibibytes(64)});
  EXPECT_THAT(chosen(load_with(4, 8, nodes), kThread, 1).numa_nodes, ElementsAre(0));
}

TEST(Processors, AreEitherDedicatedOrShared) {
  // Thread 99 is claimed and was there once.
  const HostLoad host = with_dedicated(plain_load(), {1, 5, 99});
  EXPECT_THAT(dedicated_cpus(host), ElementsAre(1, 5));
  EXPECT_THAT(shared_cpus(host), ElementsAre(0, 2, 3, 4, 6, 7));
}

TEST(Processors, PinRoomCountsWholeCoresOfTheLargestSize) {
  const HostLoad host = load_with(4, 6, topology(4, 6, 2));
  EXPECT_EQ(pin_room(host), (PinRoom{.cores = 4,
                                     .threads = 6,
                                     .claimed_threads = 0,
                                     .whole_cores = 2,
                                     .threads_of_largest = 2}));
  EXPECT_EQ(pin_room(host, 1).whole_cores, 0);
  EXPECT_EQ(pin_room(host, 1).threads, 2);
  const HostLoad used = with_dedicated(host, {0, 2, 99});
  EXPECT_EQ(pin_room(used).claimed_threads, 2);
  EXPECT_EQ(pin_room(used).whole_cores, 1);
}

TEST(ChooseCpusOn, TakesAnEqualPartOfEachNode) {
  const auto choice = choose_cpus_on(two_nodes(), kCore, VcpuCount(4), {0, 1});
  ASSERT_TRUE(choice);
  EXPECT_THAT(choice->cpus, ElementsAre(0, 8, 1, 9, 4, 12, 5, 13));
  EXPECT_THAT(choice->numa_nodes, ElementsAre(0, 1));
  EXPECT_FALSE(choose_cpus_on(two_nodes(), kCore, VcpuCount(5), {1}));
  const HostLoad used = with_dedicated(two_nodes(), {0, 1, 2});
  EXPECT_FALSE(choose_cpus_on(used, kCore, VcpuCount(4), {0, 1}));
  EXPECT_TRUE(choose_cpus_on(used, kThread, VcpuCount(8), {0, 1}));
}

TEST(ChooseCpus, LeavesNodesToWhatIsBoundToThem) {
  HostLoad host = two_nodes();
  host.used.nodes.assign(2, {});
  host.used.nodes[0].vcpus[index_of(CpuClass::kShared)] = 19;  // needs all 8 threads of node 0
  host.used.vcpus[index_of(CpuClass::kShared)] = 19;
  host = renewed(host);
  EXPECT_THAT(chosen(host, kThread, 2).numa_nodes, ElementsAre(1));
  EXPECT_FALSE(choose_cpus_on(host, kThread, VcpuCount(1), {0}));
  EXPECT_FALSE(choose_cpus(host, kThread, VcpuCount(9)));
}

TEST(ChooseCpus, BreaksNoCoreThatIsKeptForAFailure) {
  // One loose thread on each node, and two whole cores are kept: of two threads one from each.
  HostLoad host = with_dedicated(two_nodes(), {0, 1, 9, 2, 10, 4, 5, 13, 6, 14});
  EXPECT_THAT(chosen(host, kThread, 2).numa_nodes, ElementsAre(0));
  host.backups.largest.vcpus[index_of(kCore)] = 2;
  const CpuChoice choice = chosen(renewed(host), kThread, 2);
  EXPECT_THAT(choice.cpus, ElementsAre(8, 12));
  EXPECT_THAT(choice.numa_nodes, ElementsAre(0, 1));
}

TEST(Place, NamesTheThreadsInClaimsOfDedicatedClassesAlone) {
  Engine engine = engine_of({plain_host(1)});
  Request request = plain_request();
  EXPECT_TRUE(admit(engine, request).front().claim.cpus.empty());
  request.cpu_class = kCore;
  request.vcpus = VcpuCount(2);
  const Claim claim = admit(engine, request).front().claim;
  EXPECT_THAT(claim.cpus, ElementsAre(0, 4, 1, 5));
  EXPECT_THAT(claim.numa_nodes, ElementsAre(0));
  request.cpu_class = kThread;
  request.vcpus = VcpuCount(1);
  EXPECT_THAT(admit(engine, request).front().claim.cpus, ElementsAre(2));
}

TEST(Place, PassesOverThreadsThatAreHeldForOrphans) {
  Engine engine = engine_of({plain_host(1)});
  engine.hold_cpus(host_uid(1), {0, 4, 1});
  Request request = plain_request();
  request.cpu_class = kCore;
  request.vcpus = VcpuCount(1);
  EXPECT_THAT(std::get<Placed>(engine.place(request)).placements.front().claim.cpus,
              ElementsAre(2, 6));
  engine.let_go_cpus(host_uid(1), {0, 4, 1});
  EXPECT_THAT(std::get<Placed>(engine.place(request)).placements.front().claim.cpus,
              ElementsAre(0, 4));
  engine.hold_cpus(host_uid(9), {1});
}

}  // namespace
}  // namespace stellwerk::placement
