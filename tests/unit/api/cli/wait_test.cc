#include <thread>

#include "harness.h"

namespace stellwerk::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using v1::Instance;

class Wait : public CliTest {
 protected:
  Wait() {
    daemon.script().mutation_answer = at(Instance::PHASE_PENDING, 0);
    daemon.script().watch = {watch_response("cell:10")};
  }

  static Instance at(Instance::Phase phase, uint64_t observed) {
    Instance instance = running_instance();
    instance.set_phase(phase);
    instance.set_observed_generation(observed);
    return instance;
  }

  // Each response of the watch makes the CLI look once.
  void let_pass(const std::vector<Instance>& seen) {
    daemon.script().get_answers.assign(seen.begin(), seen.end());
    for (size_t i = 1; i < seen.size(); ++i) {
      daemon.script().watch.push_back(watch_response("cell:" + std::to_string(10 + i)));
    }
  }

  Ran create(const std::string& timeout = "20") {
    return run({"instance", "create", "web-1", "--flavor", "f", "--image", "i", "--wait",
                "--timeout", timeout});
  }
};

TEST_F(Wait, TellsEachPhaseOnceAndEndsWhenItRuns) {
  let_pass({at(Instance::PHASE_PREPARING, 0), at(Instance::PHASE_STARTING, 0),
            at(Instance::PHASE_STARTING, 0), at(Instance::PHASE_RUNNING, 1)});
  const Ran ran = create();
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.err,
            "web-1: PENDING (0 s)\n"
            "web-1: PREPARING (0 s)\n"
            "web-1: STARTING (0 s)\n"
            "web-1: RUNNING (0 s)\n");
  EXPECT_THAT(ran.out, HasSubstr("web-1   RUNNING"));
}

TEST_F(Wait, RewritesOneLineOnATerminal) {
  err_is_terminal = true;
  let_pass({at(Instance::PHASE_PREPARING, 0), at(Instance::PHASE_RUNNING, 1)});
  const Ran ran = create();
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("\r\x1b[K| web-1: PENDING (0 s)"),
                             HasSubstr("web-1: PREPARING ("), ::testing::EndsWith("\r\x1b[K")));
  EXPECT_THAT(ran.err, ::testing::Not(HasSubstr("\n")));
}

TEST_F(Wait, WatchesThisInstanceOnly) {
  let_pass({at(Instance::PHASE_RUNNING, 1)});
  EXPECT_EQ(create().code, 0);
  bool watched = false;
  for (const Call& call : daemon.script().calls) {
    if (call.method != "WatchEvents") continue;
    watched = true;
    EXPECT_EQ(call.request,
              "parent: \"projects/default\" resource: \"projects/default/instances/web-1\"");
  }
  EXPECT_TRUE(watched);
}

TEST_F(Wait, NeedsNoLookWhenTheAnswerIsDoneAlready) {
  daemon.script().mutation_answer = running_instance();
  const Ran ran = run({"instance", "start", "web-1", "--wait"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(daemon.calls().size(), 1U);
}

TEST_F(Wait, EndsWithTheCrashAndItsReason) {
  Instance crashed = at(Instance::PHASE_CRASHED, 0);
  crashed.set_reason("RestartBackOff");
  crashed.set_message("no such file");
  let_pass({crashed});
  const Ran ran = create();
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("error: web-1 is CRASHED, reason RestartBackOff: no such file\n"));
}

TEST_F(Wait, GivesUpAfterTheTimeoutWithACodeOfItsOwn) {
  time_runs = true;
  let_pass({at(Instance::PHASE_PREPARING, 0)});
  const Ran ran = create("1");
  EXPECT_EQ(ran.code, 6);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("error: web-1 is PREPARING after 1 s\n"),
                             HasSubstr("hint: it goes on without you")));
}

TEST_F(Wait, DeleteIsDoneWhenTheInstanceIsGone) {
  daemon.script().mutation_answer.set_desired_state(Instance::DELETED);
  let_pass({at(Instance::PHASE_DELETING, 1), Instance()});
  const Ran ran = run({"instance", "delete", "web-1", "--wait"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, "instance web-1 is deleted\n");
}

TEST_F(Wait, DeleteIsDoneWhenTheNameBelongsToAnother) {
  Instance other = running_instance();
  other.set_uid("another");
  let_pass({other});
  EXPECT_EQ(run({"instance", "delete", "web-1", "--wait"}).code, 0);
}

TEST_F(Wait, CreateFailsWhenTheInstanceIsDeletedMeanwhile) {
  let_pass({Instance()});
  const Ran ran = create();
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.err, HasSubstr("error: web-1 was deleted meanwhile"));
}

TEST_F(Wait, RebootIsDoneWhenItsGenerationIsCarriedOut) {
  Instance answer = at(Instance::PHASE_RUNNING, 1);
  answer.set_generation(2);
  daemon.script().mutation_answer = answer;
  Instance done = answer;
  done.set_observed_generation(2);
  let_pass({answer, done});
  EXPECT_EQ(run({"instance", "reboot", "web-1", "--wait"}).code, 0);
  EXPECT_EQ(daemon.calls().size(), 3U);  // the reboot and two looks
}

TEST_F(Wait, LooksAnewWhenItsPlaceInTheLogIsTrimmed) {
  daemon.script().watch_end = failure(grpc::StatusCode::OUT_OF_RANGE, "trimmed", "TOKEN_TRIMMED");
  let_pass({at(Instance::PHASE_STARTING, 0), at(Instance::PHASE_RUNNING, 1)});
  EXPECT_EQ(create().code, 0);
}

TEST_F(Wait, LooksWithoutAWatchWhenTooManyAreOpen) {
  daemon.script().watch_refusal =
      failure(grpc::StatusCode::RESOURCE_EXHAUSTED, "256 watchers are open", "TOO_MANY_STREAMS");
  time_runs = true;
  let_pass({at(Instance::PHASE_RUNNING, 1)});
  const Ran ran = create();
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_LE(daemon.script().calls.size(), 4U);  // neither look nor watch in a busy loop
}

TEST_F(Wait, SurvivesARestartOfTheDaemonAndResumesTheToken) {
  daemon.script().get_answers = {at(Instance::PHASE_PREPARING, 0)};
  Ran ran;
  std::thread cli([&] { ran = create("60"); });
  // The CLI looks because of the watch's response, as time stands still.
  EXPECT_TRUE(daemon.wait_until([](Script& script) {
    return !script.calls.empty() && script.calls.back().method == "GetInstance";
  }));
  daemon.stop();
  daemon.script().get_answers = {at(Instance::PHASE_RUNNING, 1)};
  daemon.script().calls.clear();
  daemon.script().watch = {watch_response("cell:20")};
  daemon.start();
  cli.join();
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("web-1   RUNNING"));
  for (const Call& call : daemon.script().calls) {
    if (call.method == "WatchEvents") {
      EXPECT_THAT(call.request, HasSubstr("token: \"cell:10\""));
    }
  }
}

TEST_F(Wait, SaysThatTheDaemonDoesNotAnswer) {
  daemon.script().get_answers = {at(Instance::PHASE_PREPARING, 0)};
  time_runs = true;
  err_is_terminal = true;
  Ran ran;
  std::thread cli([&] { ran = create("3"); });
  EXPECT_TRUE(daemon.wait_until([](Script& script) {
    return !script.calls.empty() && script.calls.back().method == "GetInstance";
  }));
  daemon.stop();
  cli.join();
  EXPECT_EQ(ran.code, 6);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("the daemon does not answer, trying again"),
                             HasSubstr("the daemon has not answered; last seen P")));
}

}  // namespace
}  // namespace stellwerk::test
