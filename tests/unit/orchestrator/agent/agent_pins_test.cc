// Processors that become one guest's own: the others are moved off them first.
#include "agent_fixture.h"

namespace stellwerk::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const InstanceUid kDedicated(Uuid::v5(Uuid(), "dedicated"));

// From here on processor 1 is to be its own.
void want_dedicated(HostOrders& orders) {
  orders.shared_cpus = {0};
  Instance dedicated;
  dedicated.uid = kDedicated;
  dedicated.generation = Generation(1);
  dedicated.vcpus = VcpuCount(1);
  dedicated.claim.cpus = {1};
  orders.instances.push_back(std::move(dedicated));
  std::ranges::sort(orders.instances, {}, &Instance::uid);
}

class AgentPins : public AgentTest {
 protected:
  // A shared guest runs on everything; then a dedicated one is ordered that is to have processor 1.
  AgentPins() {
    orders_.shared_cpus = {0, 1};
    Instance& shared = want("shared");
    shared.vcpus = VcpuCount(1);
    shared_ = shared.uid;
    files(shared_, Generation(1));
    files(dedicated_);
    domain(shared_);
    shared_domain().pins = hypervisor::CpuPins{{{0, 1}}, {0, 1}};
    order();
    observe();
    EXPECT_TRUE(steps_.empty());
    want_dedicated(orders_);
  }
  hypervisor::ObservedDomain& shared_domain() { return world_.domains.front(); }
  Observed report_of(const InstanceUid& uid) const {
    for (const InstanceReport& report : reports_.back().instances) {
      if (report.instance == uid) return report.observed;
    }
    return {};
  }

  InstanceUid shared_;
  const InstanceUid dedicated_ = kDedicated;
};

TEST_F(AgentPins, StartsADedicatedGuestOnlyOnceTheOthersAreOffItsProcessors) {
  order();
  pass(seconds(6));
  observe();
  ASSERT_THAT(step_names(), ElementsAre("pin-domain"));
  EXPECT_EQ(instance_of(steps_[0].step), shared_);
  EXPECT_EQ(report_of(dedicated_).reason, "WaitingForProcessors");
  // That it was told to move is not enough: it must have been seen there.
  finish(steps_[0].id);
  EXPECT_EQ(steps_.size(), 1u);
  shared_domain().pins = hypervisor::CpuPins{{{0}}, {0}};
  observe();
  ASSERT_THAT(step_names(), ElementsAre("pin-domain", "start-domain"));
  EXPECT_EQ(instance_of(steps_[1].step), dedicated_);
}

TEST_F(AgentPins, GoesOnWaitingWhileTheMoveFails) {
  order();
  pass(seconds(6));
  observe();
  finish(steps_.at(0).id, unavailable("libvirt is away"));
  observe();
  EXPECT_THAT(step_names(), ElementsAre("pin-domain"));
  EXPECT_EQ(report_of(shared_).reason, "RetryingAfterError");
  EXPECT_EQ(report_of(dedicated_).reason, "WaitingForProcessors");
  pass(seconds(6));
  observe();
  EXPECT_THAT(step_names(), ElementsAre("pin-domain", "pin-domain"));
}

TEST_F(AgentPins, ForgetsFailedMovesWhenOneSucceeds) {
  order();
  pass(seconds(6));
  observe();
  for (size_t i = 0; i < 3; ++i) {
    ASSERT_EQ(steps_.size(), i + 1);
    finish(steps_.back().id, unavailable("libvirt is away"));
    observe();
    pass(seconds(60));
    observe();
  }
  ASSERT_THAT(step_names(), ElementsAre("pin-domain", "pin-domain", "pin-domain", "pin-domain"));
  finish(steps_.back().id);
  shared_domain().pins = hypervisor::CpuPins{{{0}}, {0}};
  observe();
  EXPECT_EQ(report_of(shared_).reason, "");
  // The next one that fails is the first again.
  shared_domain().pins = hypervisor::CpuPins{{{0, 1}}, {0, 1}};
  pass(seconds(60));
  observe();
  ASSERT_EQ(instance_of(steps_.back().step), shared_);
  finish(steps_.back().id, unavailable("libvirt is away"));
  observe();
  EXPECT_THAT(report_of(shared_).message, HasSubstr("(failed 1 times)"));
}

TEST_F(AgentPins, DoesNotNameAGuestOfAnotherProject) {
  order();
  pass(seconds(6));
  observe();
  EXPECT_EQ(report_of(dedicated_).message.find("shared"), std::string::npos);
  EXPECT_NE(report_of(dedicated_).message.find("processors 1"), std::string::npos);
}

TEST_F(AgentTest, ADedicatedGuestAwaitsAnotherThatIsBeingStartedOnItsProcessors) {
  orders_.shared_cpus = {0, 1};
  Instance& shared = want("shared");
  shared.vcpus = VcpuCount(1);
  const InstanceUid uid = shared.uid;
  files(uid);
  files(kDedicated);
  order();
  observe();
  ASSERT_THAT(step_names(), ElementsAre("start-domain"));  // on both processors
  want_dedicated(orders_);
  order();
  EXPECT_EQ(steps_.size(), 1u);
  domain(uid);
  world_.domains.front().pins = hypervisor::CpuPins{{{0, 1}}, {0, 1}};
  finish(steps_[0].id);
  EXPECT_EQ(steps_.size(), 1u);  // nobody has looked yet
  observe();
  ASSERT_THAT(step_names(), ElementsAre("start-domain", "mark-started"));
  world_.storage.instances.front().started = Generation(1);
  finish(steps_[1].id);
  observe();
  EXPECT_THAT(step_names(), ElementsAre("start-domain", "mark-started", "pin-domain"));
}

// Of what was ordered together, each begins where it belongs: none has to wait.
TEST_F(AgentTest, AGuestThatStartsBesideADedicatedOneIsNotInItsWay) {
  Instance& shared = want("shared");
  shared.vcpus = VcpuCount(1);
  files(shared.uid);
  files(kDedicated);
  want_dedicated(orders_);
  order();
  observe();
  EXPECT_THAT(step_names(), ElementsAre("start-domain", "start-domain"));
}

TEST_F(AgentPins, MovesTheOthersBackWhenTheProcessorsAreFreeAgain) {
  shared_domain().pins = hypervisor::CpuPins{{{0}}, {0}};
  orders_.instances.erase(std::ranges::find(orders_.instances, dedicated_, &Instance::uid));
  orders_.shared_cpus = {0, 1};
  order();
  pass(seconds(6));
  observe();
  ASSERT_THAT(step_names(), ElementsAre("pin-domain"));
  EXPECT_EQ(std::get<PinDomain>(steps_[0].step).pins, (hypervisor::CpuPins{{{0, 1}}, {0, 1}}));
}

TEST_F(AgentPins, LeavesForeignAndUnclaimedDomainsWhereTheyAre) {
  orders_.instances.erase(std::ranges::find(orders_.instances, shared_, &Instance::uid));
  order();
  pass(seconds(6));
  observe();
  EXPECT_THAT(step_names(), ElementsAre("start-domain"));
}

}  // namespace
}  // namespace stellwerk::agent
