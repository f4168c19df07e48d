// How guests end, and what the agent makes of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <utility>

#include "tests/unit/orchestrator/agent/agent_fixture.h"

namespace stellwerk::agent {
namespace {

using hypervisor::DomainEnd;
using hypervisor::DomainState;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(AgentTest, AGuestThatShutsItselfDownIsReportedAndNotRestarted) {
  const InstanceUid uid = want("web-1").uid;
  files(uid, Generation(1));
  domain(uid);
  order();
  observe();
  world_.domains.clear();
  input(DomainChanged{{.uuid = uid.value(), .ended = DomainEnd::kShutDownByGuest}});
  observe();
  EXPECT_THAT(steps_, IsEmpty());
  EXPECT_EQ(reports_.back().instances[0].final_end, FinalEnd::kShutDownByGuest);
}

TEST_F(AgentTest, ACrashIsRestartedWithGrowingBackOff) {
  const InstanceUid uid = want("web-1").uid;
  files(uid, Generation(1));
  domain(uid);
  order();
  observe();
  const auto crash = [&] {
    world_.domains.clear();
    input(DomainChanged{{.uuid = uid.value(), .ended = DomainEnd::kCrashed}});
    observe();
  };
  const auto restart_after = [&] {
    const MonotonicTime crashed = now_.monotonic;
    while (steps_.empty()) {
      pass(std::chrono::milliseconds(500));
      if (observing_) observe();
    }
    const Duration waited = now_.monotonic - crashed;
    domain(uid);
    finish(steps_.back().id);
    steps_.clear();
    observe();
    return waited;
  };
  crash();
  EXPECT_THAT(steps_, IsEmpty());
  EXPECT_EQ(reported().phase, Phase::kCrashed);
  EXPECT_EQ(restart_after(), seconds(1));
  crash();
  EXPECT_EQ(restart_after(), seconds(2));
  pass(std::chrono::minutes(11));
  observe();
  crash();
  EXPECT_EQ(restart_after(), seconds(1)) << "a long calm run did not end the back-off";
}

class PowerCycleTest : public AgentTest {
 protected:
  // Of a running guest that no end of its own would bring back.
  InstanceUid begin_power_cycle() {
    Instance& wanted = want("web-1");
    wanted.restart_policy = RestartPolicy::kNever;
    const InstanceUid uid = wanted.uid;
    files(uid, Generation(1));
    domain(uid);
    order();
    observe();
    orders_.instances[0].reboot = {.count = 1, .kind = RebootKind::kPowerCycle};
    orders_.instances[0].run = Generation(2);
    orders_.instances[0].generation = Generation(2);
    order();
    return uid;
  }
};

// Its own destroy may take effect late, be told late, or be found done by the next process.
TEST_F(PowerCycleTest, IsNoCrashHoweverItsEndIsTold) {
  const InstanceUid uid = begin_power_cycle();
  ASSERT_THAT(step_names(), ElementsAre("destroy-domain"));
  finish(steps_.back().id, absl::DeadlineExceededError("no answer"));
  world_.domains.clear();
  input(DomainChanged{{.uuid = uid.value(), .ended = DomainEnd::kDestroyed}});
  observe();
  EXPECT_THAT(reports_.back().instances[0].final_end, testing::Eq(std::nullopt));
  pass(seconds(5));
  if (observing_) observe();
  EXPECT_EQ(step_names().back(), "start-domain");
  EXPECT_FALSE(reports_.back().instances[0].final_end);
}

TEST_F(PowerCycleTest, IsNoCrashIfItsEndIsToldAfterTheNextStartWasRefused) {
  const InstanceUid uid = begin_power_cycle();
  ASSERT_THAT(step_names(), ElementsAre("destroy-domain"));
  world_.domains.clear();
  finish(steps_.back().id);
  observe();
  ASSERT_EQ(step_names().back(), "start-domain");
  finish(steps_.back().id, absl::UnavailableError("not now"));
  input(DomainChanged{{.uuid = uid.value(), .ended = DomainEnd::kDestroyed}});
  observe();
  EXPECT_THAT(reports_.back().instances[0].final_end, testing::Eq(std::nullopt));
}

TEST_F(AgentTest, ANewGenerationOfTheSameRunDoesNotForgetThatTheGuestShutItselfDown) {
  const InstanceUid uid = want("web-1").uid;
  files(uid, Generation(1));
  domain(uid);
  order();
  observe();
  world_.domains.clear();
  input(DomainChanged{{.uuid = uid.value(), .ended = DomainEnd::kShutDownByGuest}});
  observe();
  orders_.instances[0].generation = Generation(2);  // its labels, say
  order();
  EXPECT_THAT(steps_, IsEmpty());
  EXPECT_EQ(reports_.back().instances[0].final_end, FinalEnd::kShutDownByGuest);
}

TEST_F(AgentTest, AnEndWithoutAnEventCountsAsACrash) {
  const InstanceUid uid = want("web-1").uid;
  files(uid, Generation(1));
  domain(uid);
  order();
  observe();
  world_.domains.clear();
  pass(seconds(5));
  observe();
  EXPECT_EQ(reported().phase, Phase::kCrashed);
  EXPECT_THAT(steps_, IsEmpty());
}

TEST_F(AgentTest, AnEndThatItAskedForIsNoShutdownByTheGuest) {
  const InstanceUid uid = want("web-1", DesiredState::kStopped).uid;
  files(uid, Generation(1));
  domain(uid);
  order();
  observe();
  EXPECT_THAT(step_names(), ElementsAre("request-shutdown"));
  finish(steps_.back().id);
  observe();
  // Before the guest is down, the client wants it up again.
  orders_.instances[0].desired = DesiredState::kRunning;
  orders_.instances[0].generation = Generation(2);
  orders_.instances[0].run = Generation(2);
  order();
  world_.domains.clear();
  input(DomainChanged{{.uuid = uid.value(), .ended = DomainEnd::kShutDownByGuest}});
  observe();
  EXPECT_THAT(step_names(), ElementsAre("request-shutdown", "start-domain"));
  EXPECT_FALSE(reports_.back().instances[0].final_end);
}

TEST_F(AgentTest, ASlowShutdownThatItAskedForDoesNotUndoANewerStart) {
  const InstanceUid uid = want("web-1", DesiredState::kStopped).uid;
  files(uid, Generation(1));
  domain(uid);
  order();
  observe();
  finish(steps_.back().id);
  observe();
  orders_.instances[0].desired = DesiredState::kRunning;
  orders_.instances[0].generation = Generation(2);
  orders_.instances[0].run = Generation(2);
  order();
  pass(seconds(75));  // longer than patience
  observe();
  EXPECT_THAT(step_names(), ElementsAre("request-shutdown"));
  world_.domains.clear();
  input(DomainChanged{{.uuid = uid.value(), .ended = DomainEnd::kShutDownByGuest}});
  observe();
  EXPECT_FALSE(reports_.back().instances[0].final_end);
  EXPECT_THAT(step_names(), ElementsAre("request-shutdown", "start-domain"));
}

// The hypervisor may carry out a destroy after its deadline, and tell so after the domain was seen
// to be gone.
TEST_F(AgentTest, ALateDestroyThatItAskedForDoesNotUndoANewerStart) {
  want("web-1", DesiredState::kStopped).stop_hard = true;
  orders_.instances[0].restart_policy = RestartPolicy::kNever;
  const InstanceUid uid = orders_.instances[0].uid;
  files(uid, Generation(1));
  domain(uid);
  order();
  observe();
  ASSERT_THAT(step_names(), ElementsAre("destroy-domain"));
  orders_.instances[0].desired = DesiredState::kRunning;
  orders_.instances[0].generation = Generation(2);
  orders_.instances[0].run = Generation(2);
  order();
  finish(steps_.back().id, absl::DeadlineExceededError("no answer"));
  observe();
  EXPECT_THAT(step_names(), ElementsAre("destroy-domain"));
  EXPECT_EQ(reported().phase, Phase::kStopping);
  world_.domains.clear();
  input(DomainChanged{{.uuid = uid.value(), .ended = {}}});
  observe();
  input(DomainChanged{{.uuid = uid.value(), .ended = DomainEnd::kDestroyed}});
  observe();
  pass(seconds(5));
  if (observing_) observe();
  EXPECT_FALSE(reports_.back().instances[0].final_end);
  EXPECT_THAT(step_names(), ElementsAre("destroy-domain", "start-domain"));
}

TEST_F(AgentTest, ALateEventOfAnEarlierProcessSaysNothingOfTheOneThatRuns) {
  const InstanceUid uid = want("web-1").uid;
  files(uid, Generation(1));
  domain(uid);
  order();
  observe();
  input(DomainChanged{{.uuid = uid.value(), .ended = DomainEnd::kCrashed}});
  observe();
  EXPECT_EQ(reported().phase, Phase::kRunning);
  world_.domains.clear();
  input(DomainChanged{{.uuid = uid.value(), .ended = DomainEnd::kShutDownByGuest}});
  observe();
  EXPECT_EQ(reports_.back().instances[0].final_end, FinalEnd::kShutDownByGuest);
}

TEST_F(AgentTest, AnEndThatAnEarlierProcessAskedForDoesNotUndoANewerStart) {
  Instance& wanted = want("web-1");
  const InstanceUid uid = wanted.uid;
  wanted.generation = Generation(3);
  wanted.run = Generation(3);  // stopped and started again before this process
  files(uid, Generation(1));
  domain(uid);
  order();
  observe();
  world_.domains.clear();
  input(DomainChanged{{.uuid = uid.value(), .ended = DomainEnd::kShutDownByGuest}});
  observe();
  EXPECT_FALSE(reports_.back().instances[0].final_end);
  EXPECT_THAT(step_names(), ElementsAre("start-domain"));
}

TEST_F(AgentTest, AnEndBeforeItsFirstLookDoesNotUndoANewerStart) {
  Instance& wanted = want("web-1");
  const InstanceUid uid = wanted.uid;
  wanted.generation = Generation(3);
  wanted.run = Generation(3);  // stopped and started again before this process
  files(uid, Generation(1));
  order();
  input(DomainChanged{{.uuid = uid.value(), .ended = DomainEnd::kShutDownByGuest}});
  observe();
  EXPECT_THAT(step_names(), ElementsAre("start-domain"));
}

TEST_F(AgentTest, AnOwnShutdownBeforeItsFirstLookIsRespected) {
  const InstanceUid uid = want("web-1").uid;
  files(uid, Generation(1));
  order();
  input(DomainChanged{{.uuid = uid.value(), .ended = DomainEnd::kShutDownByGuest}});
  observe();
  EXPECT_EQ(reports_.back().instances[0].final_end, FinalEnd::kShutDownByGuest);
}

TEST_F(AgentTest, ARebootBeforeThisProcessIsNoReasonToDoubtAGuestsOwnShutdown) {
  Instance& wanted = want("web-1");
  const InstanceUid uid = wanted.uid;
  wanted.generation = Generation(2);
  wanted.run = Generation(2);
  wanted.reboot.count = 1;
  files(uid, Generation(1));
  domain(uid);
  order();
  observe();
  EXPECT_THAT(step_names(), ElementsAre("reboot-domain"));
  finish(steps_.back().id);
  world_.domains.clear();
  input(DomainChanged{{.uuid = uid.value(), .ended = DomainEnd::kShutDownByGuest}});
  observe();
  EXPECT_EQ(reports_.back().instances[0].final_end, FinalEnd::kShutDownByGuest);
}

TEST_F(AgentTest, AskingIsRepeatedWhenTheRequestCertainlyFailed) {
  const InstanceUid uid = want("web-1", DesiredState::kStopped).uid;
  files(uid, Generation(1));
  domain(uid);
  order();
  observe();
  finish(steps_.back().id, unavailable("the domain is busy"));
  observe();
  pass(seconds(5));
  if (observing_) observe();
  EXPECT_THAT(step_names(), ElementsAre("request-shutdown", "request-shutdown"));
}

TEST_F(AgentTest, PolicyNeverHoldsEvenBeforeTheStartIsMarked) {
  want("web-1").restart_policy = RestartPolicy::kNever;
  const InstanceUid uid = orders_.instances[0].uid;
  files(uid);
  order();
  observe();
  ASSERT_THAT(step_names(), ElementsAre("start-domain"));
  domain(uid);
  finish(steps_.back().id);
  world_.domains.clear();
  input(DomainChanged{{.uuid = uid.value(), .ended = DomainEnd::kCrashed}});
  observe();
  EXPECT_THAT(step_names(), ElementsAre("start-domain"));
  EXPECT_EQ(reports_.back().instances[0].final_end, FinalEnd::kCrashedAndNotRestarted);
}

TEST_F(AgentTest, AnObservationThatOverlapsItsOwnDestroyIsNoCrash) {
  const InstanceUid uid = want("web-1").uid;
  files(uid, Generation(1));
  domain(uid);
  order();
  observe();
  orders_.instances[0].desired = DesiredState::kStopped;
  orders_.instances[0].stop_hard = true;
  orders_.instances[0].generation = Generation(2);
  orders_.instances[0].run = Generation(2);
  order();
  ASSERT_THAT(step_names(), ElementsAre("destroy-domain"));
  const MonotonicTime begun = now_.monotonic;
  pass(seconds(5));
  ASSERT_TRUE(observing_);
  finish(steps_.back().id);
  observing_ = false;
  input(ObservationFinished{begun, world_});  // still shows it
  world_.domains.clear();
  observe();
  EXPECT_EQ(reported().phase, Phase::kStopped);
  EXPECT_THAT(reported().reason, IsEmpty());
}

TEST_F(AgentTest, ResumingAfterADiskErrorIsPaced) {
  const InstanceUid uid = want("web-1").uid;
  files(uid, Generation(1));
  domain(uid);
  world_.domains[0].state = DomainState::kPausedOnError;
  order();
  observe();
  finish(steps_.back().id);
  for (int i = 0; i < 10; ++i) {
    if (observing_) observe();
  }
  EXPECT_THAT(step_names(), ElementsAre("resume-domain"));
  EXPECT_EQ(reported().reason, "DiskError");
  pass(seconds(2));
  if (observing_) observe();
  EXPECT_THAT(steps_, SizeIs(2));
}

TEST_F(AgentTest, AFailingMarkIsPaced) {
  const InstanceUid uid = want("web-1").uid;
  files(uid);
  domain(uid);
  order();
  observe();
  ASSERT_THAT(step_names(), ElementsAre("mark-started"));
  finish(steps_.back().id, resource_exhausted("the disk is full"));
  for (int i = 0; i < 5; ++i) {
    if (observing_) observe();
  }
  EXPECT_THAT(steps_, SizeIs(1));
}

TEST_F(AgentTest, NoInstanceWaitsForEverBehindOthersThatFail) {
  for (const char* id : {"a", "b", "c", "d", "e", "f"}) want(id);
  order();
  observe();
  std::set<InstanceUid> served;
  for (int i = 0; i < 40; ++i) {
    for (const RunStep& step : std::exchange(steps_, {})) {
      served.insert(instance_of(step.step));
      finish(step.id, unavailable("not now"));
    }
    pass(seconds(1));
    if (observing_) observe();
  }
  EXPECT_THAT(served, SizeIs(6));
}

TEST_F(AgentTest, WhileBlindItStillCountsTheGuestsOfOthers) {
  domain(InstanceUid(Uuid::v5(Uuid(), "theirs")), CellUid(Uuid::v5(Uuid(), "another cell")));
  order();
  observe();
  pass(seconds(10));
  observing_ = false;
  input(ObservationFinished{now_.monotonic, unavailable("libvirtd is gone")});
  EXPECT_EQ(reports_.back().foreign.memory, gibibytes(1));
}

TEST_F(AgentTest, AnOrphanCountsAgainstCapacity) {
  domain(InstanceUid(Uuid::v5(Uuid(), "left")));
  order();
  observe();
  EXPECT_THAT(reports_.back().orphans, SizeIs(1));
  EXPECT_EQ(reports_.back().foreign.memory, gibibytes(1));
  EXPECT_EQ(reports_.back().foreign.domains, 0);
}

TEST_F(AgentTest, ANewGenerationClearsFailures) {
  want("web-1");
  order();
  observe();
  finish(steps_.back().id, resource_exhausted("no space"));
  observe();
  EXPECT_THAT(steps_, SizeIs(1));
  EXPECT_EQ(reported().reason, "RetryingAfterError");
  EXPECT_THAT(reported().message, testing::HasSubstr("no space"));
  orders_.instances[0].generation = Generation(2);
  orders_.instances[0].run = Generation(2);
  order();
  EXPECT_THAT(steps_, SizeIs(2));
}

TEST_F(AgentTest, DestroysNoMoreThanAFewGuestsAMinute) {
  for (const char* id : {"a", "b", "c", "d", "e"}) {
    domain(want(id, DesiredState::kDeleted).uid);
  }
  order();
  observe();
  for (int i = 0; i < 10; ++i) {
    if (!steps_.empty()) finish(steps_[std::min<size_t>(i, steps_.size() - 1)].id);
    if (observing_) observe();
  }
  EXPECT_THAT(steps_, SizeIs(3));
  EXPECT_THAT(reports_.back().instances,
              testing::Contains(testing::Field(&InstanceReport::observed,
                                               testing::Field(&Observed::reason, "DestroyLimit"))));
  pass(seconds(61));
  if (observing_) observe();
  EXPECT_GT(steps_.size(), 3u);
}

}  // namespace
}  // namespace stellwerk::agent
