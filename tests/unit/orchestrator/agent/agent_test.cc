// The agent as a state machine: which steps it orders, when, and what it reports.
#include "orchestrator/agent/agent.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <utility>

namespace stellwerk::agent {
namespace {

using hypervisor::DomainEnd;
using hypervisor::DomainState;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const CellUid kCell(Uuid::v5(Uuid(), "cell"));
const HostUid kHost(Uuid::v5(Uuid(), "host"));

class AgentTest : public ::testing::Test {
 protected:
  AgentTest() : agent_(config()) {
    orders_ = {.cell = kCell, .host = kHost, .epoch = Epoch(2), .sequence = Sequence(10)};
    take(agent_.start(now_));
  }
  static AgentConfig config() {
    AgentConfig config;
    config.cell = kCell;
    config.host = kHost;
    config.max_parallel_steps = 2;
    config.max_destroys_per_minute = 3;
    return config;
  }

  void input(Input input) { take(agent_.step({&input, 1}, now_)); }
  void pass(Duration time) {
    now_.monotonic = now_.monotonic + time;
    input(TimePassed{});
  }
  void order() {
    orders_.sequence = orders_.sequence.next();
    input(OrdersArrived{orders_});
  }
  Instance& want(std::string id, DesiredState state = DesiredState::kRunning) {
    Instance instance;
    instance.uid = InstanceUid(Uuid::v5(Uuid(), id));
    instance.id = std::move(id);
    instance.generation = Generation(1);
    instance.desired = state;
    orders_.instances.push_back(instance);
    return orders_.instances.back();
  }
  void files(const InstanceUid& uid, std::optional<Generation> started = std::nullopt) {
    world_.storage.instances.push_back(
        {.instance = uid, .has_disk = true, .has_seed = true, .started = started});
  }
  void domain(const InstanceUid& uid, CellUid cell = kCell) {
    hypervisor::Ownership owner{.cell = cell, .instance = uid, .project_id = "default"};
    owner.instance_id = "left";
    owner.generation = Generation(1);
    world_.domains.push_back({.uuid = uid.value(),
                              .name = "stellwerk-" + uid.to_string(),
                              .owner = owner,
                              .vcpus = VcpuCount(2),
                              .memory = gibibytes(1)});
  }
  // The observation that was asked for, begun now.
  void observe() {
    ASSERT_TRUE(observing_) << "no observation was asked for";
    observing_ = false;
    input(ObservationFinished{now_.monotonic, world_});
  }
  void finish(StepId id, absl::Status status = absl::OkStatus()) {
    now_.monotonic = now_.monotonic + seconds(1);
    input(StepFinished{id, std::move(status)});
  }
  std::vector<std::string> step_names() const {
    std::vector<std::string> names;
    for (const RunStep& step : steps_) names.emplace_back(name_of(step.step));
    return names;
  }
  const Observed& reported() const { return reports_.back().instances.at(0).observed; }

  void take(StepResult result) {
    for (Output& output : result.outputs) {
      if (auto* step = std::get_if<RunStep>(&output)) {
        steps_.push_back(std::move(*step));
      } else if (auto* status = std::get_if<SendStatus>(&output)) {
        reports_.push_back(std::move(status->status));
      } else {
        EXPECT_FALSE(observing_) << "two observations under way";
        observing_ = true;
      }
    }
  }

  Now now_{.monotonic = {std::chrono::hours(1)}, .wall = WallTime(seconds(1'000'000))};
  HostOrders orders_;
  HostObservation world_;
  std::vector<RunStep> steps_;
  std::vector<HostStatus> reports_;
  bool observing_ = false;
  Agent agent_;
};

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

TEST_F(AgentTest, AnEndThatAnEarlierProcessAskedForDoesNotUndoANewerStart) {
  Instance& wanted = want("web-1");
  const InstanceUid uid = wanted.uid;
  wanted.generation = Generation(3);  // stopped and started again before this process
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

TEST_F(AgentTest, ARebootBeforeThisProcessIsNoReasonToDoubtAGuestsOwnShutdown) {
  Instance& wanted = want("web-1");
  const InstanceUid uid = wanted.uid;
  wanted.generation = Generation(2);
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
