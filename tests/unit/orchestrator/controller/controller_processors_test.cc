// Whose which processors are: decided at admission, told to agents and to operators, given back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cell_harness.h"

namespace stellwerk::controller {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ControllerProcessors : public ::testing::Test {
 protected:
  ControllerProcessors() { prepare(cell_); }

  static void prepare(CellHarness& cell) {
    cell.connect_host();
    cell.import_image();
    for (const auto& [id, cpu_class] : {std::pair("thread", CpuClass::kDedicatedThread),
                                        std::pair("core", CpuClass::kDedicatedCore)}) {
      EXPECT_TRUE(cell.run(CreateFlavor{.id = id,
                                        .cpu_class = cpu_class,
                                        .vcpus = VcpuCount(1),
                                        .memory = mebibytes(512)})
                      .ok());
    }
  }
  static CreateInstance on(const std::string& flavor, std::string id) {
    CreateInstance create = CellHarness::web(std::move(id));
    create.flavor = flavor;
    create.ports.clear();
    return create;
  }
  static HostView host(CellHarness& cell) {
    return std::get<HostView>(*cell.read(GetHost{"host-1"}));
  }

  CellHarness cell_;
};

TEST_F(ControllerProcessors, AreNamedInTheInstanceItsOrdersAndTheHost) {
  const Instance core = cell_.create(on("core", "a"));
  EXPECT_THAT(core.claim.cpus, ElementsAre(0, 4));
  EXPECT_THAT(core.claim.numa_nodes, ElementsAre(0));
  const Instance thread = cell_.create(on("thread", "b"));
  EXPECT_THAT(thread.claim.cpus, ElementsAre(1));
  EXPECT_THAT(cell_.create(on("SCS-1V-2", "c")).claim.cpus, IsEmpty());
  EXPECT_THAT(cell_.orders.back().shared_cpus, ElementsAre(2, 3, 5, 6, 7));
  EXPECT_THAT(host(cell_).dedicated_cpus, ElementsAre(0, 1, 4));
  EXPECT_THAT(host(cell_).shared_cpus, ElementsAre(2, 3, 5, 6, 7));
  EXPECT_EQ(host(cell_).unpinned, VcpuCount());
}

TEST_F(ControllerProcessors, AreKeptUntilTheHostHasReportedTheGuestGone) {
  const Instance thread = cell_.create(on("thread", "a"));
  ASSERT_TRUE(cell_.run(DeleteInstance{"default", "a"}).ok());
  EXPECT_THAT(cell_.orders.back().shared_cpus, ElementsAre(1, 2, 3, 4, 5, 6, 7));
  EXPECT_THAT(cell_.create(on("thread", "b")).claim.cpus, ElementsAre(4));
  const Generation generation = cell_.state().instances.at(thread.uid).generation;
  cell_.report(thread.claim.host,
               {thread.uid, {.phase = Phase::kDeleted, .generation = generation}, std::nullopt});
  EXPECT_THAT(cell_.orders.back().shared_cpus, ElementsAre(0, 1, 2, 3, 5, 6, 7));
  EXPECT_THAT(cell_.create(on("thread", "c")).claim.cpus, ElementsAre(0));
}

TEST_F(ControllerProcessors, AreStillTheirOwnersAfterARestart) {
  cell_.create(on("core", "a"));
  CellState state = cell_.state();
  state.requests.clear();  // the harness counts its requests from one again
  CellHarness again(CellHarness::default_config(), std::move(state), cell_.head());
  again.connect_host();
  EXPECT_THAT(again.create(on("core", "b")).claim.cpus, ElementsAre(1, 5));
}

TEST_F(ControllerProcessors, OneIsAlwaysLeftForTheHostAndItsSharedGuests) {
  for (const char* id : {"a", "b", "c"}) cell_.create(on("core", id));
  const auto refused = cell_.run(on("core", "d")).status();
  EXPECT_EQ(reason_of(refused), "NO_HOST_FITS");
  EXPECT_THAT(std::string(message_of(refused)),
              HasSubstr("1 dedicated-core vCPUs asked, the largest free is 0"));
  EXPECT_THAT(cell_.create(on("thread", "e")).claim.cpus, ElementsAre(3));
  EXPECT_EQ(reason_of(cell_.run(on("thread", "f")).status()), "NO_HOST_FITS");
  EXPECT_THAT(cell_.orders.back().shared_cpus, ElementsAre(7));
}

TEST_F(ControllerProcessors, OfClaimsThatNameNoneAreCountedAndShown) {
  cell_.create(on("thread", "old"));
  CellState old = cell_.state();
  old.instances.begin()->second.claim.cpus.clear();
  old.instances.begin()->second.claim.numa_nodes.clear();
  old.requests.clear();  // the harness counts its requests from one again
  CellHarness again(CellHarness::default_config(), std::move(old), cell_.head());
  again.connect_host();
  EXPECT_EQ(host(again).unpinned, VcpuCount(1));
  EXPECT_THAT(host(again).dedicated_cpus, IsEmpty());
  for (const char* id : {"a", "b", "c"}) again.create(on("core", id));
  // Two threads are left, of which one is the old guest's by number, and one stays for the others.
  EXPECT_EQ(reason_of(again.run(on("thread", "d")).status()), "NO_HOST_FITS");
}

TEST_F(ControllerProcessors, CannotBeGivenByAHostThatHasNotToldThem) {
  CellHarness blind;
  const HostUid host(test_uuid("blind"));
  blind.input(HostConnected{
      {.cell = blind.state().cell->uid,
       .host = host,
       .id = "blind",
       .facts = {.cores = 4, .threads = 8, .memory = gibibytes(16), .disk = gibibytes(500)}}});
  blind.input(HostReported{{.host = host, .epoch = blind.head().epoch}});
  blind.import_image();
  ASSERT_TRUE(blind
                  .run(CreateFlavor{.id = "thread",
                                    .cpu_class = CpuClass::kDedicatedThread,
                                    .vcpus = VcpuCount(1),
                                    .memory = mebibytes(512)})
                  .ok());
  const auto refused = blind.run(on("thread", "a")).status();
  EXPECT_EQ(reason_of(refused), "NO_HOST_FITS");
  EXPECT_THAT(std::string(message_of(refused)), HasSubstr("cores and threads are not known"));
  EXPECT_THAT(blind.create(on("SCS-1V-2", "b")).claim.cpus, IsEmpty());
  EXPECT_THAT(blind.orders.back().shared_cpus, IsEmpty());
}

TEST_F(ControllerProcessors, OfAnOrphanAreNobodyElsesUntilItIsGone) {
  const HostUid uid = cell_.state().hosts.begin()->first;
  cell_.report_orphans(uid, {{.uuid = test_uuid("lost"), .name = "stellwerk-lost", .cpus = {1}}});
  EXPECT_THAT(cell_.orders.back().shared_cpus, ElementsAre(0, 2, 3, 4, 5, 6, 7));
  EXPECT_THAT(cell_.create(on("core", "a")).claim.cpus, ElementsAre(0, 4));
  EXPECT_THAT(cell_.create(on("thread", "b")).claim.cpus, ElementsAre(5)) << "of the broken core";
  cell_.report_orphans(uid, {});
  EXPECT_THAT(cell_.orders.back().shared_cpus, ElementsAre(1, 2, 3, 6, 7));
}

}  // namespace
}  // namespace stellwerk::controller
