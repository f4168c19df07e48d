// The agent as a state machine: which steps it orders, when, and what it reports.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <utility>

#include "orchestrator/agent/adoption.h"
#include "tests/unit/orchestrator/agent/agent_fixture.h"

namespace stellwerk::agent {
namespace {

using hypervisor::DomainEnd;
using hypervisor::DomainState;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(AgentTest, DoesNothingBeforeItHasOrdersAndAnObservation) {
  const InstanceUid uid = want("web-1").uid;
  domain(uid);
  observe();
  EXPECT_THAT(steps_, IsEmpty());
  EXPECT_THAT(reports_, IsEmpty());
}

TEST_F(AgentTest, CarriesAnInstanceFromNothingToRunning) {
  const InstanceUid uid = want("web-1").uid;
  order();
  observe();
  EXPECT_THAT(step_names(), ElementsAre("prepare-files"));
  files(uid);
  finish(steps_.back().id);
  observe();
  EXPECT_EQ(reported().phase, Phase::kStarting);
  domain(uid);
  finish(steps_.back().id);
  observe();
  world_.storage.instances[0].started = Generation(1);
  finish(steps_.back().id);
  observe();
  EXPECT_THAT(step_names(), ElementsAre("prepare-files", "start-domain", "mark-started"));
  EXPECT_EQ(reported().phase, Phase::kRunning);
  EXPECT_EQ(reported().generation, Generation(1));
}

TEST_F(AgentTest, DoesNotActOnWhatItSawBeforeItsLastStep) {
  want("web-1");
  order();
  observe();
  input(DomainChanged{{.uuid = orders_.instances[0].uid.value()}});
  ASSERT_TRUE(observing_);
  const MonotonicTime begun = now_.monotonic;
  finish(steps_.back().id);
  observing_ = false;
  input(ObservationFinished{begun, world_});
  EXPECT_THAT(steps_, SizeIs(1)) << "the same step again, on an observation older than its end";
  EXPECT_TRUE(observing_);
}

TEST_F(AgentTest, RunsOneStepPerInstanceAndNotTooManyAtOnce) {
  for (const char* id : {"a", "b", "c", "d"}) want(id);
  order();
  observe();
  EXPECT_THAT(steps_, SizeIs(2));
  EXPECT_NE(instance_of(steps_[0].step), instance_of(steps_[1].step));
  pass(seconds(5));
  observe();
  EXPECT_THAT(steps_, SizeIs(2));
}

TEST_F(AgentTest, RefusesOlderOrders) {
  const InstanceUid uid = want("web-1").uid;
  files(uid, Generation(1));
  domain(uid);
  order();
  HostOrders old = orders_;
  old.sequence = Sequence(5);
  old.instances[0].desired = DesiredState::kDeleted;
  input(OrdersArrived{old});
  HostOrders former = orders_;
  former.epoch = Epoch(1);
  former.sequence = Sequence(99);
  former.instances[0].desired = DesiredState::kDeleted;
  input(OrdersArrived{former});
  HostOrders foreign = orders_;
  foreign.cell = CellUid(Uuid::v5(Uuid(), "another cell"));
  foreign.instances[0].desired = DesiredState::kDeleted;
  foreign.sequence = Sequence(999);
  input(OrdersArrived{foreign});
  observe();
  EXPECT_THAT(steps_, IsEmpty()) << "an older controller was obeyed";
}

TEST_F(AgentTest, AbsenceIsNotAnOrder) {
  const InstanceUid uid = want("web-1").uid;
  files(uid, Generation(1));
  domain(uid);
  orders_.instances.clear();
  order();
  observe();
  EXPECT_THAT(steps_, IsEmpty());
  ASSERT_THAT(reports_.back().orphans, SizeIs(1));
  EXPECT_EQ(reports_.back().orphans[0].uuid, uid.value());
  EXPECT_EQ(reports_.back().orphans[0].instance_id, "left");
}

TEST_F(AgentTest, TellsOfADiskWhenItIsThere) {
  const InstanceUid uid = want("web-1", DesiredState::kStopped).uid;
  order();
  observe();
  EXPECT_FALSE(reports_.back().instances.at(0).has_disk);
  const size_t before = reports_.size();
  files(uid);
  input(DomainChanged{uid.value(), {}});
  observe();
  ASSERT_GT(reports_.size(), before);
  EXPECT_TRUE(reports_.back().instances.at(0).has_disk);
}

TEST_F(AgentTest, TellsWhatAnOrphanHolds) {
  Instance web = want("web-1");
  web.ports = {{.network = NetworkUid(Uuid::v5(Uuid(), "net")),
                .mac = 0x525400000001,
                .addresses = {*IpAddress::parse("10.8.0.5")}}};
  web.claim.cpus = {3, 1};
  domain(web.uid);
  world_.domains.back().owner->adoption = adoption_of(web);
  domain(InstanceUid(Uuid::v5(Uuid(), "unreadable")));
  orders_.instances.clear();
  order();
  observe();
  ASSERT_THAT(reports_.back().orphans, SizeIs(2));
  EXPECT_EQ(reports_.back().orphans[0].ports, web.ports);
  EXPECT_EQ(reports_.back().orphans[0].cpus, web.claim.cpus);
  EXPECT_THAT(reports_.back().orphans[1].ports, IsEmpty());
}

TEST_F(AgentTest, CountsForeignDomainsAndLeavesThemAlone) {
  domain(InstanceUid(Uuid::v5(Uuid(), "theirs")), CellUid(Uuid::v5(Uuid(), "another cell")));
  order();
  observe();
  EXPECT_THAT(steps_, IsEmpty());
  EXPECT_EQ(reports_.back().foreign,
            (ForeignUse{.domains = 1, .vcpus = VcpuCount(2), .memory = gibibytes(1)}));
  EXPECT_THAT(reports_.back().orphans, IsEmpty());
}

TEST_F(AgentTest, UnreachableHypervisorMeansUnknownNeverStopped) {
  const InstanceUid uid = want("web-1").uid;
  files(uid, Generation(1));
  domain(uid);
  order();
  observe();
  EXPECT_EQ(reported().phase, Phase::kRunning);
  pass(seconds(5));
  observing_ = false;
  input(ObservationFinished{now_.monotonic, unavailable("libvirtd is gone")});
  EXPECT_EQ(reported().phase, Phase::kUnknown);
  EXPECT_THAT(steps_, IsEmpty());
  pass(seconds(5));
  observe();
  EXPECT_EQ(reported().phase, Phase::kRunning);
}

}  // namespace
}  // namespace stellwerk::agent
