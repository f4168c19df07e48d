#include <gmock/gmock.h>

#include "api/server/event_pages.h"
#include "stellwerk/v1/events.grpc.pb.h"
#include "test_server.h"

namespace stellwerk::server {
namespace {

using ::testing::ElementsAre;

class ListEvents : public ServerTest {
 protected:
  // Commit number n holds the events n.0, n.1, ... as messages.
  void commit(int count, const std::string& project = "p") {
    const Sequence before = gateway_.durable();
    std::vector<Event> events(count);
    for (int i = 0; i < count; ++i) {
      events[i].project_id = project;
      events[i].message = std::to_string(before.value() + 1) + "." + std::to_string(i);
    }
    gateway_.append(events);
    ASSERT_TRUE(testing::eventually([&] { return gateway_.durable() > before; }));
  }

  grpc::Status list(const v1::ListEventsRequest& request, v1::ListEventsResponse* response) {
    Call call;
    return stub<v1::Events>()->ListEvents(&call, request, response);
  }

  // All pages one after the other.
  std::vector<std::string> list_all(v1::ListEventsRequest request) {
    std::vector<std::string> messages;
    do {
      v1::ListEventsResponse response;
      const grpc::Status status = list(request, &response);
      EXPECT_TRUE(status.ok()) << status.error_message();
      EXPECT_LE(response.events_size(), request.page_size());
      for (const v1::Event& event : response.events()) messages.push_back(event.message());
      request.set_page_token(response.next_page_token());
    } while (!request.page_token().empty());
    return messages;
  }
};

TEST_F(ListEvents, PagesOverTheLogEvenInsideACommit) {
  start();
  commit(1);
  commit(5);
  commit(0);
  commit(2);
  const std::vector<std::string> all = {"2.0", "3.0", "3.1", "3.2", "3.3", "3.4", "5.0", "5.1"};
  for (int size = 1; size <= 9; ++size) {
    v1::ListEventsRequest request;
    request.set_page_size(size);
    EXPECT_EQ(list_all(request), all) << "in pages of " << size;
  }
}

TEST_F(ListEvents, ShowsOneProject) {
  start();
  commit(2, "p");
  commit(2, "q");
  commit(1, "p");
  v1::ListEventsRequest request;
  request.set_parent("projects/p");
  request.set_page_size(2);
  EXPECT_THAT(list_all(request), ElementsAre("2.0", "2.1", "4.0"));
}

TEST_F(ListEvents, BeginsAtTheOldestRecordKept) {
  start();
  for (int i = 0; i < 4; ++i) commit(1);
  gateway_.trim(Sequence(3));
  v1::ListEventsRequest request;
  request.set_page_size(10);
  EXPECT_THAT(list_all(request), ElementsAre("4.0", "5.0"));
}

TEST_F(ListEvents, SaysThatAPageTokenWasTrimmed) {
  start();
  for (int i = 0; i < 4; ++i) commit(1);
  v1::ListEventsRequest request;
  request.set_page_size(1);
  v1::ListEventsResponse response;
  ASSERT_TRUE(list(request, &response).ok());
  gateway_.trim(Sequence(4));
  request.set_page_token(response.next_page_token());
  const grpc::Status status = list(request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::OUT_OF_RANGE);
  EXPECT_EQ(reason_of(status), "TOKEN_TRIMMED");
}

TEST_F(ListEvents, LosesNothingWhenTheFirstRecordIsTrimmedBetweenPages) {
  start();
  commit(2);
  commit(2);
  v1::ListEventsRequest request;
  request.set_page_size(1);
  v1::ListEventsResponse response;
  ASSERT_TRUE(list(request, &response).ok());
  ASSERT_EQ(response.events(0).message(), "2.0");
  gateway_.trim(Sequence(2));
  request.set_page_token(response.next_page_token());
  const grpc::Status status = list(request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::OUT_OF_RANGE);
  EXPECT_EQ(reason_of(status), "TOKEN_TRIMMED");
}

// What is skipped was of a record that is gone.
TEST_F(ListEvents, SkipsNothingOfAnotherRecord) {
  start();
  commit(1);
  commit(2);
  gateway_.trim(Sequence(2));
  v1::ListEventsRequest request;
  request.set_page_token(gateway_.cell().to_string() + ":0:1");
  v1::ListEventsResponse response;
  EXPECT_EQ(list(request, &response).error_code(), grpc::StatusCode::OUT_OF_RANGE);
}

TEST_F(ListEvents, NamesThePageTokenThatIsWrong) {
  start();
  v1::ListEventsRequest request;
  v1::ListEventsResponse response;
  for (const std::string& token : {std::string("nonsense"), gateway_.cell().to_string() + ":99"}) {
    request.set_page_token(token);
    const grpc::Status status = list(request, &response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_THAT(fields_of(status), ElementsAre("page_token"));
  }
}

// One call reads a bounded part of the log, so a page may be empty and still have a next one.
TEST_F(ListEvents, EndsACallThatFindsNothingForLong) {
  start();
  for (int i = 0; i < 20'000; ++i) gateway_.append({});
  ASSERT_TRUE(testing::eventually([&] { return gateway_.durable() == Sequence(20'001); }));
  commit(1);
  v1::ListEventsRequest request;
  request.set_page_size(10);
  v1::ListEventsResponse response;
  ASSERT_TRUE(list(request, &response).ok());
  EXPECT_EQ(response.events_size(), 0);
  EXPECT_FALSE(response.next_page_token().empty());
  EXPECT_THAT(list_all(request), ElementsAre("20002.0"));
}

}  // namespace
}  // namespace stellwerk::server
