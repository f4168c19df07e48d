#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/cli/wait.h"

namespace stellwerk::cli {
namespace {

using ::testing::HasSubstr;
using v1::Instance;

Instance seen(Instance::Phase phase, uint64_t generation, uint64_t observed) {
  Instance instance;
  instance.set_name("projects/default/instances/web-1");
  instance.set_desired_state(Instance::RUNNING);
  instance.set_phase(phase);
  instance.set_generation(generation);
  instance.set_observed_generation(observed);
  return instance;
}

WaitOrder order(Goal goal, const Instance& answer) {
  return {.answer = answer, .goal = goal, .timeout = std::chrono::seconds(1)};
}

std::string failure_in(const Verdict& verdict) {
  const auto* failed = std::get_if<Failed>(&verdict);
  return failed == nullptr ? "" : describe(failed->why);
}

const Instance kPending = seen(Instance::PHASE_PENDING, 1, 0);

TEST(Judge, GoesOnUntilThePhaseIsTheWantedOne) {
  const WaitOrder running = order(Goal::kRunning, kPending);
  EXPECT_TRUE(std::holds_alternative<GoOn>(judge(kPending, running)));
  EXPECT_TRUE(std::holds_alternative<GoOn>(judge(seen(Instance::PHASE_STARTING, 1, 1), running)));
  EXPECT_TRUE(std::holds_alternative<Reached>(judge(seen(Instance::PHASE_RUNNING, 1, 1), running)));
}

TEST(Judge, IsNotDeceivedByThePhaseOfAnOlderGeneration) {
  const WaitOrder start = order(Goal::kRunning, seen(Instance::PHASE_RUNNING, 3, 2));
  EXPECT_TRUE(std::holds_alternative<GoOn>(judge(seen(Instance::PHASE_RUNNING, 3, 2), start)));
  EXPECT_TRUE(std::holds_alternative<Reached>(judge(seen(Instance::PHASE_RUNNING, 3, 3), start)));
}

TEST(Judge, TakesARebootAsDoneWhenItsGenerationIsCarriedOut) {
  const WaitOrder reboot = order(Goal::kRebooted, seen(Instance::PHASE_RUNNING, 2, 1));
  EXPECT_TRUE(std::holds_alternative<GoOn>(judge(seen(Instance::PHASE_RUNNING, 2, 1), reboot)));
  EXPECT_TRUE(std::holds_alternative<Reached>(judge(seen(Instance::PHASE_STARTING, 2, 2), reboot)));
}

TEST(Judge, EndsOnACrashWithReasonAndMessage) {
  Instance crashed = seen(Instance::PHASE_CRASHED, 1, 1);
  crashed.set_reason("RestartBackOff");
  crashed.set_message("QEMU ended with \x1b signal 6");
  EXPECT_EQ(failure_in(judge(crashed, order(Goal::kRunning, kPending))),
            "FAILED_PRECONDITION: web-1 is CRASHED, reason RestartBackOff: QEMU ended with \\x1b "
            "signal 6");
}

TEST(Judge, OverlooksTheCrashThatAStartIsToEnd) {
  Instance crashed = seen(Instance::PHASE_CRASHED, 2, 1);
  crashed.mutable_phase_time()->set_seconds(100);
  const WaitOrder start = order(Goal::kRunning, crashed);
  EXPECT_TRUE(std::holds_alternative<GoOn>(judge(crashed, start)));
  crashed.mutable_phase_time()->set_seconds(101);
  EXPECT_THAT(failure_in(judge(crashed, start)), HasSubstr("web-1 is CRASHED"));
}

TEST(Judge, DoesNotMindACrashWhileStopping) {
  const WaitOrder stop = order(Goal::kStopped, seen(Instance::PHASE_RUNNING, 2, 1));
  EXPECT_TRUE(std::holds_alternative<GoOn>(judge(seen(Instance::PHASE_CRASHED, 2, 1), stop)));
}

TEST(Judge, EndsOnAReasonThatCannotHeal) {
  Instance foreign = seen(Instance::PHASE_UNKNOWN, 1, 0);
  foreign.set_reason("ForeignDomain");
  EXPECT_THAT(failure_in(judge(foreign, order(Goal::kRunning, kPending))),
              HasSubstr("reason ForeignDomain"));
  EXPECT_THAT(failure_in(judge(foreign, order(Goal::kGone, kPending))),
              HasSubstr("web-1 is not deleted"));
}

TEST(Judge, MindsAGuestThatShutItselfDownOnlyWhenItShallRun) {
  Instance ended = seen(Instance::PHASE_STOPPED, 2, 1);
  ended.set_reason("ShutDownByGuest");
  const Instance answer = seen(Instance::PHASE_RUNNING, 2, 1);
  EXPECT_THAT(failure_in(judge(ended, order(Goal::kRunning, answer))),
              HasSubstr("reason ShutDownByGuest"));
  EXPECT_TRUE(std::holds_alternative<GoOn>(judge(ended, order(Goal::kStopped, answer))));
}

TEST(Judge, IsPatientWithReasonsThatHeal) {
  Instance retrying = seen(Instance::PHASE_PREPARING, 1, 0);
  retrying.set_reason("RetryingAfterError");
  EXPECT_TRUE(std::holds_alternative<GoOn>(judge(retrying, order(Goal::kRunning, kPending))));
}

TEST(Judge, EndsWhenAnotherCallerWantsSomethingElseNow) {
  Instance stopped = seen(Instance::PHASE_STOPPING, 2, 1);
  stopped.set_desired_state(Instance::STOPPED);
  EXPECT_THAT(failure_in(judge(stopped, order(Goal::kRunning, kPending))),
              HasSubstr("ABORTED: web-1 was changed meanwhile and shall be STOPPED now"));
}

}  // namespace
}  // namespace stellwerk::cli
