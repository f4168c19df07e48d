#include "api/daemon/controller_runtime.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <thread>

#include "fakes.h"
#include "orchestrator/records/keys.h"
#include "orchestrator/records/records.h"

namespace stellwerk::daemon {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

using Answered = absl::StatusOr<controller::Answer>;

class ControllerRuntimeTest : public ::testing::Test {
 protected:
  static ControllerRuntimeConfig config() {
    ControllerRuntimeConfig config;
    config.controller.commit_retry = std::chrono::milliseconds(5);
    return config;
  }
  absl::StatusOr<std::unique_ptr<ControllerRuntime>> try_start(
      ControllerRuntimeConfig config = ControllerRuntimeTest::config()) {
    SW_ASSIGN_OR_RETURN(
        auto runtime,
        ControllerRuntime::load(
            std::move(config),
            {.store = store_, .storage = storage_, .downloader = downloader_, .clock = clock_},
            [this](std::string why) { stepped_down_.push(std::move(why)); }));
    SW_RETURN_IF_ERROR(runtime->begin());
    return runtime;
  }
  void start(ControllerRuntimeConfig config = ControllerRuntimeTest::config()) {
    auto runtime = try_start(std::move(config));
    ASSERT_TRUE(runtime.ok()) << describe(runtime.status());
    runtime_ = *std::move(runtime);
  }
  controller::Mutation create_project(std::string id) {
    controller::Mutation mutation;
    mutation.context.caller = "root";
    mutation.context.request_id = runtime_->fresh_request_id();
    mutation.body = controller::CreateProject{.id = std::move(id), .labels = {}};
    return mutation;
  }
  // Of no image that there is: taken, and answered NOT_FOUND.
  controller::Mutation end_of_import() {
    controller::Mutation mutation;
    mutation.context.caller = "root";
    mutation.context.request_id = runtime_->fresh_request_id();
    mutation.body = controller::FinishImageImport{ImageUid(Uuid({9})), unavailable("gone")};
    return mutation;
  }
  void submit(controller::Request request) {
    runtime_->submit(std::move(request), [this](Answered answer) {
      answering_thread_ = std::this_thread::get_id();
      answers_.push(std::move(answer));
    });
  }
  void hold_commits_at(Gate& gate) {
    store_.before_commit([&gate] {
      gate.pass();
      return absl::OkStatus();
    });
  }
  absl::Status next_status() {
    const auto answer = answers_.next();
    return answer ? answer->status() : deadline_exceeded("no answer");
  }

  const SystemClock clock_;
  HookedStore store_;
  FakeStorage storage_;
  FakeDownloader downloader_;
  Channel<std::string> stepped_down_;
  Channel<Answered> answers_;
  std::atomic<std::thread::id> answering_thread_;
  std::unique_ptr<ControllerRuntime> runtime_;
};

TEST_F(ControllerRuntimeTest, StartsWithADurableCellThatItKeeps) {
  start();
  const CellUid cell = runtime_->cell();
  EXPECT_FALSE(cell.is_nil());
  const auto bytes = store_.get(std::string(records::kCellKey)).value();
  ASSERT_TRUE(bytes.has_value());
  EXPECT_EQ(records::decode_cell(*bytes)->uid, cell);
  EXPECT_EQ(runtime_->durable(), store_.observe().value()->sequence);
  runtime_.reset();
  start();
  EXPECT_EQ(runtime_->cell(), cell);
}

TEST_F(ControllerRuntimeTest, ReadsNoUserDataIntoItsMemory) {
  start();
  runtime_.reset();
  const auto head = store_.take_over(store_.observe().value(), Uuid({1})).value();
  const std::string key = records::user_data_key(InstanceUid(Uuid({7})));
  ASSERT_TRUE(store_.commit(head, {{{key, "#cloud-config\n"}}, {}}).ok());
  start();
  EXPECT_THAT(store_.read_keys(), Not(IsEmpty()));
  EXPECT_THAT(store_.read_keys(), Each(Not(StartsWith(std::string(records::kUserDataPrefix)))));
}

TEST_F(ControllerRuntimeTest, RefusesToStartWithoutBeingAbleToReadItsIdentity) {
  const auto head = store_.take_over(std::nullopt, Uuid({1})).value();
  ASSERT_TRUE(store_.commit(head, {{{std::string(records::kCellKey), "garbage"}}, {}}).ok());
  const absl::Status refused = try_start().status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(message_of(refused), HasSubstr("restore the database from a backup"));
  EXPECT_EQ(store_.get(std::string(records::kCellKey)).value(), "garbage");
}

TEST_F(ControllerRuntimeTest, RefusesToStartWhenTheStoreTakesNoCommit) {
  store_.before_commit([] { return unavailable("disk away"); });
  ControllerRuntimeConfig config = ControllerRuntimeTest::config();
  config.first_commit_patience = std::chrono::milliseconds(30);
  const absl::Status refused = try_start(config).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(message_of(refused), HasSubstr("disk away"));
}

TEST_F(ControllerRuntimeTest, RefusesWhoeverWaitsWhenItIsToldTo) {
  start();
  Gate gate;
  hold_commits_at(gate);
  submit(create_project("one"));
  ASSERT_TRUE(gate.await_arrival());
  runtime_->refuse_requests();
  EXPECT_EQ(next_status().code(), absl::StatusCode::kUnavailable);
  submit(create_project("two"));
  EXPECT_EQ(next_status().code(), absl::StatusCode::kUnavailable);
  gate.open();
}

TEST_F(ControllerRuntimeTest, NeverRunsBlockingWorkOnItsOwnThread) {
  ControllerRuntimeConfig config = ControllerRuntimeTest::config();
  config.blocking_threads = 1;
  config.max_blocking = 1;
  start(config);
  Gate gate;
  runtime_->run_blocking([&] { gate.pass(); });
  ASSERT_TRUE(gate.await_arrival());
  runtime_->run_blocking([] {});  // the queue is full
  Channel<std::thread::id> ran_on;
  runtime_->listen(
      [&](Sequence) { runtime_->run_blocking([&] { ran_on.push(std::this_thread::get_id()); }); });
  submit(create_project("one"));
  ASSERT_TRUE(next_status().ok());
  gate.open();
  const auto thread = ran_on.next();
  ASSERT_TRUE(thread);
  EXPECT_NE(*thread, answering_thread_.load());
}

TEST_F(ControllerRuntimeTest, AnswersFromItsOwnThread) {
  start();
  submit(create_project("one"));
  const auto answer = answers_.next();
  ASSERT_TRUE(answer && answer->ok());
  EXPECT_EQ(std::get<controller::ProjectView>(**answer).project.id, "one");
  EXPECT_NE(answering_thread_.load(), std::this_thread::get_id());
}

TEST_F(ControllerRuntimeTest, LogsWhatAMutationHasChanged) {
  std::ostringstream log;
  const auto before = spdlog::default_logger();
  spdlog::set_default_logger(std::make_shared<spdlog::logger>(
      "captured", std::make_shared<spdlog::sinks::ostream_sink_mt>(log)));
  start();
  controller::Mutation network = create_project("one");
  network.body = controller::CreateNetwork{.project = "default",
                                           .id = "back",
                                           .bridge = "",
                                           .v4 = IpPrefix::parse("10.8.0.0/24"),
                                           .v6 = {}};
  submit(create_project("one"));
  EXPECT_EQ(next_status(), absl::OkStatus());
  submit(network);
  EXPECT_EQ(next_status(), absl::OkStatus());
  runtime_.reset();
  spdlog::set_default_logger(before);
  EXPECT_THAT(log.str(), HasSubstr("outcome=OK resource=projects/one\n"));
  EXPECT_THAT(log.str(), HasSubstr("outcome=OK resource=projects/default/networks/back network="));
}

TEST_F(ControllerRuntimeTest, AnswersOnlyWhenTheCommitIsDurable) {
  start();
  Gate gate;
  std::atomic<bool> committed = false;
  store_.before_commit([&] {
    gate.pass();
    committed = true;
    return absl::OkStatus();
  });
  std::atomic<bool> too_early = false;
  runtime_->submit(create_project("one"), [&](Answered answer) {
    too_early = !committed;
    answers_.push(std::move(answer));
  });
  ASSERT_TRUE(gate.await_arrival());
  gate.open();
  EXPECT_TRUE(next_status().ok());
  EXPECT_FALSE(too_early);
  store_.before_commit({});
}

TEST_F(ControllerRuntimeTest, HasOneCommitUnderWayAndGroupsWhatArrivesMeanwhile) {
  start();
  std::atomic<int> under_way = 0;
  std::atomic<int> most = 0;
  std::atomic<int> commits = 0;
  Gate gate;
  store_.before_commit([&] {
    most = std::max<int>(most, ++under_way);
    if (++commits == 1) gate.pass();
    --under_way;
    return absl::OkStatus();
  });
  for (int i = 0; i < 200; ++i) submit(create_project(fmt::format("p{}", i)));
  ASSERT_TRUE(gate.await_arrival());
  gate.open();
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(next_status().ok());
  EXPECT_EQ(most, 1);
  EXPECT_LT(commits, 100);
  store_.before_commit({});
}

TEST_F(ControllerRuntimeTest, RefusesRequestsOverTheLimitAtOnce) {
  ControllerRuntimeConfig config = ControllerRuntimeTest::config();
  config.controller.max_waiting_requests = 2;
  start(config);
  Gate gate;
  hold_commits_at(gate);
  submit(create_project("one"));
  submit(create_project("two"));
  submit(create_project("three"));
  const absl::Status refused = next_status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted) << describe(refused);
  EXPECT_EQ(reason_of(refused), "TOO_MANY_REQUESTS");
  // The end of an import that has begun is taken all the same.
  submit(controller::Request(end_of_import()));
  gate.open();
  EXPECT_TRUE(next_status().ok());
  EXPECT_TRUE(next_status().ok());
  EXPECT_EQ(next_status().code(), absl::StatusCode::kNotFound);
  submit(create_project("four"));
  EXPECT_TRUE(next_status().ok());
  store_.before_commit({});
}

TEST_F(ControllerRuntimeTest, TriesAgainWhenTheStoreWasAway) {
  start();
  std::atomic<int> failures = 3;
  store_.before_commit(
      [&] { return failures-- > 0 ? unavailable("disk away") : absl::OkStatus(); });
  submit(create_project("one"));
  EXPECT_TRUE(next_status().ok());
  store_.before_commit({});
}

TEST_F(ControllerRuntimeTest, ReadsTheHeadBackWhenACommitsAnswerIsLost) {
  start();
  const Sequence before = runtime_->durable();
  store_.lose_next_answer = true;
  submit(create_project("one"));
  EXPECT_TRUE(next_status().ok());
  EXPECT_EQ(runtime_->durable(), before.next());
}

TEST_F(ControllerRuntimeTest, StepsDownWhenAnotherHasTakenOver) {
  start();
  ASSERT_TRUE(store_.take_over(store_.observe().value(), Uuid({9})).ok());
  submit(create_project("one"));
  EXPECT_EQ(next_status().code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(stepped_down_.next().value_or("").find("taken over"), std::string::npos);
  submit(create_project("two"));
  const absl::Status later = next_status();
  EXPECT_EQ(later.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(reason_of(later), "NOT_THE_CONTROLLER");
}

TEST_F(ControllerRuntimeTest, TellsListenersWhatIsDurableUntilTheyLeave) {
  start();
  Channel<Sequence> heard;
  const uint64_t id = runtime_->listen([&](Sequence durable) { heard.push(durable); });
  const Sequence before = runtime_->durable();
  submit(create_project("one"));
  ASSERT_TRUE(next_status().ok());
  EXPECT_TRUE(heard.await([&](Sequence durable) { return durable == before.next(); }));
  const auto page = runtime_->read_log(before, 10).value();
  ASSERT_EQ(page.records.size(), 1u);
  EXPECT_EQ(page.records[0].audit.at(0).method, "CreateProject");
  runtime_->unlisten(id);
  submit(create_project("two"));
  ASSERT_TRUE(next_status().ok());
  heard.push(Sequence());
  EXPECT_EQ(heard.next(), Sequence());
}

TEST_F(ControllerRuntimeTest, AnswersWhoeverStillWaitsWhenItStops) {
  start();
  Gate gate;
  hold_commits_at(gate);
  submit(create_project("one"));
  ASSERT_TRUE(gate.await_arrival());
  EXPECT_FALSE(runtime_->stop(std::chrono::milliseconds(1)));
  EXPECT_EQ(next_status().code(), absl::StatusCode::kUnavailable);
  gate.open();
  EXPECT_TRUE(runtime_->stop(kDeadline));
}

TEST_F(ControllerRuntimeTest, GoesOnMakingStepsWhileItsStoreHangs) {
  start();
  Gate gate;
  hold_commits_at(gate);
  submit(create_project("one"));
  ASSERT_TRUE(gate.await_arrival());
  Channel<std::thread::id> steps;
  for (int i = 0; i < 3; ++i) {
    runtime_->after_a_step([&] { steps.push(std::this_thread::get_id()); });
    EXPECT_TRUE(steps.next().has_value());
  }
  gate.open();
  EXPECT_TRUE(next_status().ok());
}

TEST_F(ControllerRuntimeTest, RunsBlockingWorkElsewhereUntilTooMuchWaits) {
  ControllerRuntimeConfig config = ControllerRuntimeTest::config();
  config.blocking_threads = 1;
  config.max_blocking = 1;
  start(config);
  Gate gate;
  Channel<std::thread::id> threads;
  const auto here = [&] { threads.push(std::this_thread::get_id()); };
  runtime_->run_blocking([&] { gate.pass(); });
  ASSERT_TRUE(gate.await_arrival());
  runtime_->run_blocking(here);  // waits
  runtime_->run_blocking(here);  // its caller runs it
  EXPECT_EQ(threads.next(), std::this_thread::get_id());
  gate.open();
  const auto other = threads.next();
  ASSERT_TRUE(other.has_value());
  EXPECT_NE(*other, std::this_thread::get_id());
}

TEST_F(ControllerRuntimeTest, DeletesTheFilesOfAnImportThatWasGivenUp) {
  start();
  controller::Mutation begin = create_project("unused");
  begin.body = controller::BeginImageImport{.project = "default",
                                            .id = "debian",
                                            .firmware = Firmware::kBios,
                                            .minimum_disk = {},
                                            .minimum_memory = {},
                                            .labels = {}};
  submit(begin);
  const auto answer = answers_.next();
  ASSERT_TRUE(answer && answer->ok());
  const ImageUid image = std::get<controller::ImageView>(**answer).image.uid;
  controller::Mutation finish = begin;
  finish.body = controller::FinishImageImport{image, unavailable("the client went away")};
  submit(finish);
  EXPECT_FALSE(next_status().ok());
  EXPECT_EQ(storage_.deleted_images.next(), image);
}

}  // namespace
}  // namespace stellwerk::daemon
