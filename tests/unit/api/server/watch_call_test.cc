#include <gmock/gmock.h>

#include "api/convert/tokens.h"
#include "stellwerk/v1/events.grpc.pb.h"
#include "test_server.h"

namespace stellwerk::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Event event_of(const std::string& project, const std::string& instance) {
  return {.time = {},
          .type = "PhaseChanged",
          .project_id = project,
          .resource = "projects/" + project + "/instances/" + instance,
          .uid = {},
          .reason = {},
          .message = {}};
}

std::vector<std::string> resources_of(const v1::WatchEventsResponse& response) {
  std::vector<std::string> resources;
  for (const v1::Event& event : response.events()) resources.push_back(event.resource());
  return resources;
}

class Watch : public ServerTest {
 protected:
  using Reader = grpc::ClientReader<v1::WatchEventsResponse>;

  void SetUp() override { start_with(std::chrono::hours(1)); }

  void start_with(Duration heartbeat) {
    server_.reset();
    ServerConfig config;
    config.limits.watchers = 4;
    config.limits.watch_heartbeat = heartbeat;
    config.limits.watch_patience = std::chrono::milliseconds(300);
    config.limits.tick = std::chrono::milliseconds(10);
    start(std::move(config));
    events_ = stub<v1::Events>();
  }

  std::string token(uint64_t sequence) const {
    return convert::format_event_token(gateway_.cell(), Sequence(sequence));
  }

  std::unique_ptr<Reader> watch(Call& call, const std::string& token = "",
                                const std::string& parent = "", const std::string& resource = "") {
    v1::WatchEventsRequest request;
    request.set_token(token);
    request.set_parent(parent);
    request.set_resource(resource);
    return events_->WatchEvents(&call, request);
  }

  v1::WatchEventsResponse next(Reader& reader) {
    v1::WatchEventsResponse response;
    EXPECT_TRUE(reader.Read(&response)) << reader.Finish().error_message();
    return response;
  }

  grpc::Status refusal_of(const std::string& token) {
    Call call;
    const auto reader = watch(call, token);
    v1::WatchEventsResponse response;
    EXPECT_FALSE(reader->Read(&response));
    return reader->Finish();
  }

  // Appends and waits until it is durable.
  void commit(std::vector<Event> events) {
    const Sequence before = gateway_.durable();
    gateway_.append(std::move(events));
    ASSERT_TRUE(testing::eventually([&] { return gateway_.durable() > before; }));
  }

  std::unique_ptr<v1::Events::Stub> events_;
};

TEST_F(Watch, BeginsWithTheTokenOfNow) {
  commit({event_of("p", "old")});
  Call call;
  const auto reader = watch(call);
  const v1::WatchEventsResponse first = next(*reader);
  EXPECT_EQ(first.token(), token(2));
  EXPECT_THAT(first.events(), IsEmpty());
  commit({event_of("p", "new")});
  const v1::WatchEventsResponse second = next(*reader);
  EXPECT_THAT(resources_of(second), ElementsAre("projects/p/instances/new"));
  EXPECT_EQ(second.token(), token(3));
  EXPECT_EQ(second.events(0).sequence(), 3u);
}

TEST_F(Watch, GoesOnWhereATokenSays) {
  commit({event_of("p", "a")});
  commit({event_of("p", "b")});
  commit({event_of("p", "c")});
  Call call;
  const auto reader = watch(call, token(2));
  const v1::WatchEventsResponse response = next(*reader);
  EXPECT_THAT(resources_of(response),
              ElementsAre("projects/p/instances/b", "projects/p/instances/c"));
  EXPECT_EQ(response.token(), token(4));
}

TEST_F(Watch, ResumesAcrossServersWithoutLossOrRepetition) {
  std::string place;
  uint64_t seen = 0;
  for (int round = 0; round < 5; ++round) {
    Call call;
    const auto reader = watch(call, place);
    if (place.empty()) place = next(*reader).token();
    for (int i = 0; i < 20; ++i) gateway_.append({event_of("p", "i")});
    const uint64_t goal = seen + 10;  // leaves some for the next server
    while (seen < goal) {
      const v1::WatchEventsResponse response = next(*reader);
      for (const v1::Event& event : response.events()) {
        EXPECT_EQ(event.sequence(), seen + 2);
        ++seen;
      }
      place = response.token();
    }
    call.TryCancel();
    start_with(std::chrono::hours(1));
  }
}

TEST_F(Watch, ConfirmsATokenAtOnce) {
  commit({event_of("p", "a")});
  Call call;
  const auto reader = watch(call, token(2));
  EXPECT_EQ(next(*reader).token(), token(2));
}

TEST_F(Watch, HearsOfWhatIsDecidedWhileItReads) {
  commit({event_of("p", "old")});
  gateway_.before_next_read_returns([&] { commit({event_of("p", "new")}); });
  Call call;
  const auto reader = watch(call, token(2));
  EXPECT_EQ(next(*reader).token(), token(2));
  EXPECT_THAT(resources_of(next(*reader)), ElementsAre("projects/p/instances/new"));
}

TEST_F(Watch, ShowsNothingOlderWhenTheLogGrowsAsItBegins) {
  commit({event_of("p", "old")});
  gateway_.before_next_listen_returns([&] { commit({event_of("p", "new")}); });
  Call call;
  const auto reader = watch(call, token(2));
  EXPECT_THAT(resources_of(next(*reader)), ElementsAre("projects/p/instances/new"));
}

TEST_F(Watch, RefusesTokensThatCannotBeHonoured) {
  for (int i = 0; i < 5; ++i) commit({event_of("p", "a")});
  gateway_.trim(Sequence(4));

  const grpc::Status trimmed = refusal_of(token(3));
  EXPECT_EQ(trimmed.error_code(), grpc::StatusCode::OUT_OF_RANGE);
  EXPECT_EQ(reason_of(trimmed), "TOKEN_TRIMMED");

  const grpc::Status future = refusal_of(token(99));
  EXPECT_EQ(future.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(reason_of(future), "TOKEN_FROM_THE_FUTURE");
  EXPECT_THAT(fields_of(future), ElementsAre("token"));

  const CellUid other(Uuid::v5(Uuid(), "other"));
  const grpc::Status foreign = refusal_of(convert::format_event_token(other, Sequence(4)));
  EXPECT_EQ(foreign.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(reason_of(foreign), "TOKEN_OF_ANOTHER_CELL");
  EXPECT_THAT(fields_of(foreign), ElementsAre("token"));

  EXPECT_THAT(fields_of(refusal_of("../../etc/passwd")), ElementsAre("token"));
}

TEST_F(Watch, ShowsOneProjectOrOneResource) {
  Call of_project;
  Call of_resource;
  const auto project = watch(of_project, "", "projects/q");
  const auto resource = watch(of_resource, "", "", "projects/p/instances/b");
  next(*project);
  next(*resource);
  commit({event_of("p", "a"), event_of("q", "a"), event_of("p", "b")});
  EXPECT_THAT(resources_of(next(*project)), ElementsAre("projects/q/instances/a"));
  EXPECT_THAT(resources_of(next(*resource)), ElementsAre("projects/p/instances/b"));
}

TEST_F(Watch, MovesTheTokenWhileNothingMatches) {
  start_with(std::chrono::milliseconds(30));
  Call call;
  const auto reader = watch(call, "", "projects/q");
  EXPECT_EQ(next(*reader).token(), token(1));
  commit({event_of("p", "a")});
  v1::WatchEventsResponse response;
  do {
    response = next(*reader);
    EXPECT_THAT(response.events(), IsEmpty());
  } while (response.token() != token(2));
}

TEST_F(Watch, SplitsWhatIsTooMuchForOneResponse) {
  Call call;
  const auto reader = watch(call);
  next(*reader);
  constexpr int kCommits = 30;
  for (int i = 0; i < kCommits; ++i) gateway_.append(std::vector<Event>(100, event_of("p", "i")));
  int seen = 0;
  while (seen < kCommits * 100) {
    const v1::WatchEventsResponse response = next(*reader);
    EXPECT_LE(response.events_size(), 600);
    // A token never names a record that is only half told.
    EXPECT_EQ(response.events_size() % 100, 0);
    seen += response.events_size();
  }
}

TEST_F(Watch, IsLimitedInNumber) {
  std::vector<std::unique_ptr<Call>> calls;
  std::vector<std::unique_ptr<Reader>> readers;
  for (int i = 0; i < 4; ++i) {
    calls.push_back(std::make_unique<Call>());
    readers.push_back(watch(*calls.back()));
    next(*readers.back());
  }
  const grpc::Status status = refusal_of("");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(reason_of(status), "TOO_MANY_STREAMS");
  EXPECT_THAT(status.error_message(), HasSubstr("4 watchers are open"));
  calls[0]->TryCancel();
  EXPECT_TRUE(testing::eventually([&] { return gateway_.listeners() == 3; }));
  Call call;
  const auto reader = watch(call);
  next(*reader);
}

TEST_F(Watch, StopsListeningWhenTheClientGoes) {
  {
    Call call;
    const auto reader = watch(call);
    next(*reader);
    EXPECT_EQ(gateway_.listeners(), 1u);
    call.TryCancel();
    reader->Finish();
  }
  EXPECT_TRUE(testing::eventually([&] { return gateway_.listeners() == 0; }));
}

// The client reads nothing: the stream's window fills, and then the log is not read any more.
TEST_F(Watch, EndsForAClientThatDoesNotRead) {
  Call call;
  const auto reader = watch(call);
  std::vector<Event> many(500, event_of("p", "i"));
  for (Event& event : many) event.message = std::string(1000, 'm');
  for (int i = 0; i < 100; ++i) gateway_.append(many);
  EXPECT_TRUE(testing::eventually([&] { return gateway_.listeners() == 0; }));
  EXPECT_LT(gateway_.log_reads(), 20u);
}

TEST_F(Watch, EndsWithTheServer) {
  Call call;
  const auto reader = watch(call);
  const std::string place = next(*reader).token();
  server_->shutdown(std::chrono::seconds(5));
  v1::WatchEventsResponse response;
  EXPECT_FALSE(reader->Read(&response));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(gateway_.listeners(), 0u);
}

TEST_F(Watch, SurvivesAStormOfCancelledStreams) {
  std::atomic<bool> ending = false;
  std::thread source([&] {
    while (!ending) {
      const Sequence before = gateway_.durable();
      gateway_.append({event_of("p", "i")});
      testing::eventually([&] { return gateway_.durable() > before; });
    }
  });
  std::vector<std::thread> clients;
  for (int client = 0; client < 4; ++client) {
    clients.emplace_back([&, client] {
      for (int round = 0; round < 50; ++round) {
        Call call;
        const auto reader = watch(call);
        v1::WatchEventsResponse response;
        for (int i = 0; i < (round + client) % 4; ++i) reader->Read(&response);
        call.TryCancel();
        reader->Finish();
      }
    });
  }
  for (std::thread& client : clients) client.join();
  ending = true;
  source.join();
  EXPECT_TRUE(testing::eventually([&] { return gateway_.listeners() == 0; }));
}

}  // namespace
}  // namespace stellwerk::server
