#include <atomic>
#include <thread>

#include "harness.h"

namespace stellwerk::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class EventCommands : public CliTest {
 protected:
  // Runs the watch until the output holds `text`, then presses Ctrl-C.
  Ran watch_until(const std::string& text, std::vector<std::string> options) {
    interrupt.when = [text](const std::string& out, const std::string&) {
      return out.find(text) != out.npos;
    };
    options.insert(options.begin(), {"event", "watch"});
    const Ran ran = run(options);
    EXPECT_FALSE(interrupt.gave_up()) << ran.out << ran.err;
    return ran;
  }

  static v1::WatchEventsResponse with_event(const std::string& token, const v1::Event& event) {
    v1::WatchEventsResponse response = watch_response(token);
    *response.add_events() = event;
    return response;
  }
};

TEST_F(EventCommands, ListShowsTheNewestOldestFirst) {
  daemon.script().events = {event("InstanceCreated", "one", 1), event("PhaseChanged", "two", 2),
                            event("PhaseChanged", "three", 3)};
  daemon.script().largest_page = 2;
  EXPECT_EQ(
      run({"event", "list", "--limit", "2"}).out,
      "TIME                   TYPE           RESOURCE                           REASON   "
      "MESSAGE\n"
      "2026-11-23T04:59:00Z   PhaseChanged   projects/default/instances/web-1            two\n"
      "2026-11-23T04:59:00Z   PhaseChanged   projects/default/instances/web-1            "
      "three\n");
}

TEST_F(EventCommands, ListOfOneInstance) {
  EXPECT_EQ(run({"event", "list", "--instance", "web-1"}).code, 0);
  EXPECT_THAT(daemon.calls().front().request,
              HasSubstr("resource: \"projects/default/instances/web-1\""));
}

TEST_F(EventCommands, WatchPrintsALineAnEventAndTheTokenAtTheEnd) {
  daemon.script().watch = {watch_response("cell:7"),
                           with_event("cell:8", event("PhaseChanged", "it \x1b runs", 8))};
  const Ran ran = watch_until("runs", {});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(
      ran.out,
      "2026-11-23T04:59:00Z  PhaseChanged  projects/default/instances/web-1  it \\x1b runs\n");
  EXPECT_EQ(ran.err, "go on with: stellwerk event watch --from cell:8\n");
}

TEST_F(EventCommands, WatchAsJsonIsOneLineAResponseWithItsToken) {
  daemon.script().watch = {watch_response("cell:7"),
                           with_event("cell:8", event("PhaseChanged", "it runs", 8))};
  const Ran ran = watch_until("cell:8", {"-o", "json"});
  EXPECT_EQ(ran.out,
            "{\"events\":[],\"token\":\"cell:7\"}\n"
            "{\"events\":[{\"type\":\"PhaseChanged\","
            "\"resource\":\"projects/default/instances/web-1\",\"uid\":\"\",\"reason\":\"\","
            "\"message\":\"it runs\",\"sequence\":\"8\","
            "\"time\":\"2026-11-23T04:59:00Z\"}],\"token\":\"cell:8\"}\n");
}

TEST_F(EventCommands, WatchAsYamlIsOneDocumentAResponse) {
  daemon.script().watch = {watch_response("cell:7"),
                           with_event("cell:8", event("PhaseChanged", "it runs", 8))};
  const Ran ran = watch_until("cell:8", {"-o", "yaml"});
  EXPECT_THAT(ran.out, ::testing::StartsWith("---\nevents: []\ntoken: \"cell:7\"\n---\n"
                                             "events:\n  - type: PhaseChanged\n"));
}

TEST_F(EventCommands, WatchStartsAfterTheGivenPlaceAndOfOneInstance) {
  daemon.script().watch = {with_event("cell:6", event("PhaseChanged", "it runs", 6))};
  watch_until("runs", {"--from", "cell:5", "--instance", "web-1"});
  EXPECT_EQ(daemon.script().calls.front().request,
            "parent: \"projects/default\" token: \"cell:5\" "
            "resource: \"projects/default/instances/web-1\"");
}

TEST_F(EventCommands, WatchSurvivesARestartOfTheDaemon) {
  daemon.script().watch = {with_event("cell:8", event("PhaseChanged", "first", 8))};
  std::atomic<bool> first_seen = false;
  std::atomic<bool> loss_told = false;
  interrupt.when = [&](const std::string& out, const std::string& err) {
    first_seen = out.find("first") != out.npos;
    loss_told = err.find("no connection, trying again") != err.npos;
    daemon.script().changed.notify_all();
    return out.find("second") != out.npos;
  };
  Ran ran;
  std::thread cli([&] { ran = run({"event", "watch"}); });
  EXPECT_TRUE(daemon.wait_until([&](Script&) { return first_seen.load(); }));
  daemon.stop();
  EXPECT_TRUE(daemon.wait_until([&](Script&) { return loss_told.load(); }));
  daemon.script().calls.clear();
  daemon.script().watch = {with_event("cell:9", event("PhaseChanged", "second", 9))};
  daemon.start();
  cli.join();
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out, AllOf(HasSubstr("first"), HasSubstr("second")));
  EXPECT_THAT(daemon.script().calls.front().request, HasSubstr("token: \"cell:8\""));
}

// As it does to a client that does not read for long.
TEST_F(EventCommands, WatchResumesWhenTheDaemonCancelsIt) {
  daemon.script().watch_end = grpc::Status(grpc::StatusCode::CANCELLED, "");
  daemon.script().watch = {with_event("cell:8", event("PhaseChanged", "it runs", 8))};
  const Ran ran = watch_until("it runs", {"--from", "cell:7"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  ASSERT_EQ(daemon.script().calls.size(), 2U);
  EXPECT_THAT(daemon.script().calls.back().request, HasSubstr("token: \"cell:7\""));
}

TEST_F(EventCommands, WatchTellsWhatToDoWhenItsPlaceIsTrimmed) {
  daemon.script().watch_end =
      failure(grpc::StatusCode::OUT_OF_RANGE, "events up to 9 are gone", "TOKEN_TRIMMED");
  const Ran ran = run({"event", "watch", "--from", "cell:5"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, AllOf(::testing::StartsWith("error: events up to 9 are gone\n"),
                             HasSubstr("hint: list what there is, then watch without --from")));
}

TEST_F(EventCommands, WatchEndsWhenThereNeverWasADaemon) {
  daemon.stop();
  const Ran ran = run({"event", "watch"});
  EXPECT_EQ(ran.code, 5);
  EXPECT_THAT(ran.err, HasSubstr("error: cannot connect to the daemon"));
  EXPECT_EQ(run({"event", "watch", "--from", "cell:5"}).code, 5);
  EXPECT_FALSE(interrupt.gave_up());
}

}  // namespace
}  // namespace stellwerk::test
