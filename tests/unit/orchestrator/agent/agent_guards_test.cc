// What the agent asks of the host as a whole: the firewall before any port, and bridges away.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestrator/agent/adoption.h"
#include "orchestrator/agent/guards.h"
#include "tests/unit/orchestrator/agent/agent_fixture.h"

namespace stellwerk::agent {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class AgentGuards : public AgentTest {
 protected:
  AgentGuards() {
    back_.uid = NetworkUid(Uuid::v5(Uuid(), "back"));
    back_.id = "back";
    back_.bridge = "swbr0";
    back_.v4 = Subnet{.range = *IpPrefix::parse("10.8.0.0/24"),
                      .gateway = IpAddress::parse("10.8.0.1"),
                      .next = {}};
    orders_.networks = {back_};
  }
  Instance& want_on_back(std::string id) {
    Instance& instance = want(std::move(id));
    instance.ports = {{back_.uid, 0x525400000001, {*IpAddress::parse("10.8.0.5")}}};
    return instance;
  }
  // The look that was asked for, after its upkeep was done as the executor does it.
  void keep_up_and_observe(absl::Status guarding = absl::OkStatus()) {
    world_.guarding = guarding;
    world_.guards = guarding.ok() && upkeep_.guards ? *upkeep_.guards : firewall::Ruleset();
    world_.networks_gone.clear();
    for (const Network& network : upkeep_.networks_to_remove) {
      world_.networks_gone.push_back(network.uid);
    }
    observe();
  }
  // A guest that ran before this agent did.
  InstanceUid running(std::string id) {
    const InstanceUid uid = want_on_back(std::move(id)).uid;
    files(uid, Generation(1));
    domain(uid);
    return uid;
  }

  Network back_;
};

TEST_F(AgentGuards, NothingIsGuardedBeforeOrdersAndALook) {
  ASSERT_TRUE(observing_);
  EXPECT_FALSE(upkeep_.guards) << "without orders";
  keep_up_and_observe();
  pass(seconds(5));
  ASSERT_TRUE(observing_);
  EXPECT_FALSE(upkeep_.guards) << "without orders, after a look";
}

TEST_F(AgentGuards, OrdersBeforeTheFirstLookTakeNothingFromGuestsThatTheyDoNotName) {
  running("web");
  order();
  keep_up_and_observe();
  ASSERT_TRUE(observing_) << "the look told who runs; the firewall is due at once";
  ASSERT_TRUE(upkeep_.guards);
  EXPECT_THAT(upkeep_.guards->ports, SizeIs(1));
  keep_up_and_observe();
  EXPECT_FALSE(observing_);
  EXPECT_EQ(reported().phase, Phase::kRunning);
  EXPECT_EQ(reported().reason, "");
}

TEST_F(AgentGuards, NoGuestStartsBeforeItsGuardsAreInForce) {
  files(want_on_back("web").uid);
  observe();
  order();
  ASSERT_TRUE(observing_) << "new guards are due at once";
  ASSERT_TRUE(upkeep_.guards);
  EXPECT_EQ(*upkeep_.guards, guards_of(orders_, {}));
  keep_up_and_observe(unavailable("nftables is away"));
  EXPECT_THAT(steps_, IsEmpty());
  EXPECT_EQ(reported().phase, Phase::kStarting);
  EXPECT_EQ(reported().reason, "WaitingForFirewall");
  EXPECT_EQ(reported().message, "nftables is away");
  EXPECT_FALSE(observing_) << "a firewall that fails is not asked without a pause";
  pass(seconds(5));
  keep_up_and_observe();
  EXPECT_THAT(step_names(), ElementsAre("start-domain"));
}

TEST_F(AgentGuards, DiskAndSeedDoNotWaitForTheFirewall) {
  observe();
  want_on_back("web");
  order();
  keep_up_and_observe(unavailable("nftables is away"));
  EXPECT_THAT(step_names(), ElementsAre("prepare-files"));
}

TEST_F(AgentGuards, AGuestThatRunsKeepsRunningWhileTheFirewallFails) {
  const InstanceUid uid = running("web");
  observe();
  order();
  keep_up_and_observe(unavailable("nftables is away"));
  EXPECT_THAT(steps_, IsEmpty());
  EXPECT_EQ(reported().phase, Phase::kRunning);
  EXPECT_EQ(reported().reason, "WaitingForFirewall");
  EXPECT_EQ(reported().generation, Generation()) << "carried out before it was";
  pass(seconds(5));
  keep_up_and_observe();
  EXPECT_EQ(reported().reason, "");
  EXPECT_EQ(reported().generation, Generation(1));
  EXPECT_EQ(reports_.back().instances.at(0).instance, uid);
}

TEST_F(AgentGuards, ANewRuleIsCarriedOutOnceItIsInForce) {
  running("web");
  observe();
  order();
  keep_up_and_observe();
  ASSERT_EQ(reported().generation, Generation(1));
  orders_.instances[0].generation = Generation(2);
  orders_.instances[0].ingress = {
      {.protocol = IpProtocol::kAny, .ports = {}, .from = *IpPrefix::parse("0.0.0.0/0")}};
  order();
  ASSERT_TRUE(observing_) << "a new rule is due at once";
  ASSERT_TRUE(upkeep_.guards);
  EXPECT_THAT(upkeep_.guards->ports.at(0).ingress, SizeIs(1));
  EXPECT_THAT(steps_, IsEmpty()) << "no new run";
  keep_up_and_observe(unavailable("nftables is away"));
  EXPECT_EQ(reported().generation, Generation(1)) << "carried out before it was";
  pass(seconds(5));
  keep_up_and_observe();
  EXPECT_EQ(reported().generation, Generation(2));
}

TEST_F(AgentGuards, EveryLookMendsTheFirewall) {
  running("web");
  observe();
  order();
  keep_up_and_observe();
  pass(seconds(5));
  ASSERT_TRUE(observing_);
  ASSERT_TRUE(upkeep_.guards) << "somebody may have changed it meanwhile";
  EXPECT_EQ(*upkeep_.guards, guards_of(orders_, {}));
}

TEST_F(AgentGuards, GuestsThatNoOrderNamesKeepTheirGuards) {
  const InstanceUid uid = running("lost");
  world_.domains[0].owner->adoption = adoption_of(orders_.instances[0]);
  const Instance lost = orders_.instances[0];
  observe();
  orders_.instances.clear();
  order();
  ASSERT_TRUE(observing_);
  ASSERT_TRUE(upkeep_.guards);
  EXPECT_TRUE(is_guarded(lost, orders_.networks, *upkeep_.guards));
  keep_up_and_observe();
  EXPECT_FALSE(observing_);
  ASSERT_THAT(reports_.back().orphans, SizeIs(1));
  EXPECT_EQ(reports_.back().orphans[0].uuid, uid.value());
}

TEST_F(AgentGuards, AStrangersPortIsLetBeAtOnce) {
  running("web");
  observe();
  order();
  keep_up_and_observe();
  pass(seconds(5));
  world_.ports.push_back({.interface_name = "swp1", .bridge = "br0"});
  keep_up_and_observe();
  ASSERT_TRUE(observing_) << "its traffic is held up";
  ASSERT_TRUE(upkeep_.guards);
  EXPECT_THAT(upkeep_.guards->strangers, ElementsAre("swp1"));
  keep_up_and_observe();
  EXPECT_FALSE(observing_);
}

TEST_F(AgentGuards, AfterBlindnessTheFirewallIsAskedAtOnceAgain) {
  running("web");
  observe();
  order();
  keep_up_and_observe();
  pass(seconds(5));
  observing_ = false;
  input(ObservationFinished{now_.monotonic, unavailable("libvirtd is gone")});
  pass(seconds(5));
  ASSERT_TRUE(observing_);
  EXPECT_FALSE(upkeep_.guards) << "who runs is not known";
  keep_up_and_observe();
  ASSERT_TRUE(observing_);
  keep_up_and_observe();
  EXPECT_EQ(reported().reason, "");
}

TEST_F(AgentGuards, TellsAtOnceThatANetworksBridgeIsGone) {
  observe();
  order();
  keep_up_and_observe();
  orders_.networks[0].state = NetworkState::kDeleting;
  order();
  ASSERT_TRUE(observing_);
  ASSERT_THAT(upkeep_.networks_to_remove, SizeIs(1));
  EXPECT_EQ(upkeep_.networks_to_remove[0].bridge, "swbr0");
  const size_t before = reports_.size();
  keep_up_and_observe();
  ASSERT_GT(reports_.size(), before) << "the controller waits for it";
  EXPECT_THAT(reports_.back().networks_gone, ElementsAre(back_.uid));
}

TEST_F(AgentGuards, ABridgeThatIsStillBusyIsTriedAgain) {
  observe();
  order();
  keep_up_and_observe();
  orders_.networks[0].state = NetworkState::kDeleting;
  order();
  ASSERT_TRUE(observing_);
  world_.guards = *upkeep_.guards;
  observe();
  EXPECT_THAT(reports_.back().networks_gone, IsEmpty());
  pass(seconds(5));
  ASSERT_TRUE(observing_);
  EXPECT_THAT(upkeep_.networks_to_remove, SizeIs(1));
}

TEST_F(AgentGuards, TheOperatorsBridgeIsNeverTakenAway) {
  observe();
  orders_.networks[0].make_bridge = false;
  orders_.networks[0].state = NetworkState::kDeleting;
  order();
  EXPECT_THAT(upkeep_.networks_to_remove, IsEmpty());
}

}  // namespace
}  // namespace stellwerk::agent
