#include <gmock/gmock.h>

#include <atomic>
#include <future>

#include "stellwerk/v1/consoles.grpc.pb.h"
#include "test_server.h"

namespace stellwerk::server {
namespace {

using ::testing::ElementsAre;
using testing::eventually;
using ::testing::HasSubstr;
using v1::AttachConsoleRequest;
using v1::AttachConsoleResponse;

constexpr char kWeb[] = "projects/p/instances/web";

// A client's side of one attachment.
class Attachment {
 public:
  explicit Attachment(const std::shared_ptr<grpc::Channel>& channel)
      : stub_(v1::Consoles::NewStub(channel)), stream_(stub_->AttachConsole(&call_)) {}

  void start(AttachConsoleRequest::Access access = AttachConsoleRequest::WRITE,
             const std::string& name = kWeb) {
    AttachConsoleRequest request;
    request.mutable_start()->set_name(name);
    request.mutable_start()->set_access(access);
    send(request);
  }
  void send(const AttachConsoleRequest& request) { stream_->Write(request); }
  void type(const std::string& text) {
    AttachConsoleRequest request;
    request.set_input(text);
    send(request);
  }
  void end_input() { stream_->WritesDone(); }
  void cancel() { call_.TryCancel(); }

  // Until this notice.
  std::string read_until(AttachConsoleResponse::Notice notice) {
    AttachConsoleResponse response;
    while (stream_->Read(&response)) {
      if (response.notice() == notice) return response.message();
      output_ += response.output();
    }
    ADD_FAILURE() << "the stream ended: " << finish().error_message();
    return "";
  }
  void read_until(const std::string& text) {
    AttachConsoleResponse response;
    while (output_.find(text) == std::string::npos && stream_->Read(&response)) {
      output_ += response.output();
      if (response.history()) history_ += response.output();
    }
    EXPECT_THAT(output_, HasSubstr(text));
  }
  grpc::Status finish() {
    AttachConsoleResponse response;
    while (stream_->Read(&response)) output_ += response.output();
    return stream_->Finish();
  }
  const std::string& output() const { return output_; }
  const std::string& history() const { return history_; }

 private:
  Call call_;
  std::unique_ptr<v1::Consoles::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<AttachConsoleRequest, AttachConsoleResponse>> stream_;
  std::string output_;
  std::string history_;
};

class AttachTest : public ServerTest {
 protected:
  AttachTest() {
    gateway_.answer_with([this](const controller::Request& request) { return answer(request); });
    consoles_.change([](agent::Console& console) { console.guest_came(); });
  }

  void start_quickly(Duration patience = std::chrono::milliseconds(500)) {
    ServerConfig config;
    config.limits.consoles = 3;
    config.limits.tick = std::chrono::milliseconds(10);
    config.limits.console_quiet = std::chrono::milliseconds(50);
    config.limits.console_greeting = std::chrono::milliseconds(200);
    config.limits.console_patience = patience;
    start(config);
  }

  absl::StatusOr<controller::Answer> answer(const controller::Request& request) {
    const auto& query = std::get<controller::Query>(request);
    const auto& get = std::get<controller::GetInstance>(query);
    const bool known = get.uid ? *get.uid == uid_ : get.id == "web" && !renamed_;
    if (!known || gone_) return not_found("there is no instance {}", get.id);
    controller::InstanceView view;
    view.instance.uid = uid_;
    view.instance.id = "web";
    if (leaving_) view.instance.desired = DesiredState::kDeleted;
    return view;
  }

  const InstanceUid uid_{Uuid::v5(Uuid(), "web")};
  // The controller answers one after the other: what was asked before has its answer.
  void await_answers() {
    v1::GetConsoleLogRequest request;
    request.set_name(kWeb);
    v1::GetConsoleLogResponse response;
    Call call;
    stub<v1::Consoles>()->GetConsoleLog(&call, request, &response).ok();
  }

  std::atomic<bool> gone_ = false;
  std::atomic<bool> renamed_ = false;
  std::atomic<bool> leaving_ = false;
};

TEST_F(AttachTest, CarriesBytesBothWays) {
  start();
  Attachment console(connect());
  console.start();
  EXPECT_THAT(console.read_until(AttachConsoleResponse::ATTACHED), HasSubstr("runs"));
  consoles_.write("login: ");
  console.read_until("old words login: ");
  console.type("root");
  std::string typed;
  EXPECT_TRUE(eventually([&] { return (typed += consoles_.take_typed()) == "root"; }));
}

TEST_F(AttachTest, ShowsSeveralReadersTheSame) {
  start();
  Attachment one(connect());
  Attachment two(connect());
  one.start(AttachConsoleRequest::READ);
  two.start(AttachConsoleRequest::READ);
  one.read_until(AttachConsoleResponse::ATTACHED);
  two.read_until(AttachConsoleResponse::ATTACHED);
  consoles_.write("to all");
  one.read_until("to all");
  two.read_until("to all");
  EXPECT_EQ(one.output(), two.output());
}

TEST_F(AttachTest, ShowsAsMuchHistoryAsIsAskedForAndMarksIt) {
  start();
  int words = 0;
  const auto shown = [&](int32_t bytes, bool skip) {
    AttachConsoleRequest request;
    request.mutable_start()->set_name(kWeb);
    request.mutable_start()->set_access(AttachConsoleRequest::READ);
    request.mutable_start()->set_history_bytes(bytes);
    request.mutable_start()->set_skip_history(skip);
    Attachment console(connect());
    console.send(request);
    console.read_until(AttachConsoleResponse::ATTACHED);
    const std::string now = std::to_string(++words);
    consoles_.write(now);
    console.read_until(now);
    return console.history() + "/" + console.output();
  };
  EXPECT_EQ(shown(0, false), "old words /old words 1");
  EXPECT_EQ(shown(3, false), "s 1/s 12");
  EXPECT_EQ(shown(0, true), "/3");
}

TEST_F(AttachTest, RefusesASecondWriterAndLetsItTakeOver) {
  start();
  Attachment first(connect());
  first.start();
  first.read_until(AttachConsoleResponse::ATTACHED);
  Attachment second(connect());
  second.start();
  const grpc::Status refused = second.finish();
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(reason_of(refused), "CONSOLE_BUSY");
  EXPECT_THAT(refused.error_message(), HasSubstr("root"));
  Attachment third(connect());
  third.start(AttachConsoleRequest::TAKE_OVER);
  third.read_until(AttachConsoleResponse::ATTACHED);
  EXPECT_THAT(first.read_until(AttachConsoleResponse::WRITER_LOST), HasSubstr("root"));
  // What the former writer had sent before it knew is no mistake of its.
  first.type("late");
  third.type("mine");
  EXPECT_TRUE(eventually([&] { return consoles_.take_typed() == "mine"; }));
  consoles_.write("on");
  first.read_until("on");
}

TEST_F(AttachTest, HandsThePlaceOfAWriterOnWhenItsConnectionEnds) {
  start();
  {
    Attachment first(connect());
    first.start();
    first.read_until(AttachConsoleResponse::ATTACHED);
    first.cancel();
    first.finish();
  }
  EXPECT_TRUE(eventually([&] { return consoles_.attachments() == 0; }));
  Attachment second(connect());
  second.start();
  second.read_until(AttachConsoleResponse::ATTACHED);
}

TEST_F(AttachTest, FindsNoConsoleOfAnInstanceThatIsMissingOrIsBeingDeleted) {
  start();
  Attachment missing(connect());
  missing.start(AttachConsoleRequest::READ, "projects/p/instances/other");
  EXPECT_EQ(missing.finish().error_code(), grpc::StatusCode::NOT_FOUND);
  leaving_ = true;
  Attachment leaving(connect());
  leaving.start(AttachConsoleRequest::READ);
  const grpc::Status status = leaving.finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(reason_of(status), "INSTANCE_DELETED");
  EXPECT_EQ(consoles_.attachments(), 0u);
}

TEST_F(AttachTest, EndsWhenTheInstanceIsDeletedAfterItsLastWords) {
  start();
  Attachment console(connect());
  console.start(AttachConsoleRequest::READ);
  console.read_until(AttachConsoleResponse::ATTACHED);
  consoles_.write("last words");
  consoles_.delete_instance();
  const grpc::Status status = console.finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(reason_of(status), "INSTANCE_DELETED");
  EXPECT_THAT(console.output(), HasSubstr("last words"));
}

// Between the look-up and the attachment nobody would tell it.
TEST_F(AttachTest, EndsWhenTheInstanceIsDeletedWhileItAttaches) {
  start();
  consoles_.before_next_attach([this] { gone_ = true; });
  Attachment console(connect());
  console.start(AttachConsoleRequest::READ);
  EXPECT_EQ(reason_of(console.finish()), "INSTANCE_DELETED");
}

TEST_F(AttachTest, StaysWhenTheInstanceIsRenamedWhileItAttaches) {
  start();
  consoles_.before_next_attach([this] { renamed_ = true; });
  Attachment console(connect());
  console.start(AttachConsoleRequest::READ);
  console.read_until(AttachConsoleResponse::ATTACHED);
  ASSERT_TRUE(eventually([&] { return gateway_.requests().size() == 2; }));
  await_answers();
  consoles_.write("one");
  console.read_until("one");
  consoles_.write("two");
  console.read_until("two");
  console.cancel();
  EXPECT_EQ(console.finish().error_code(), grpc::StatusCode::CANCELLED);
}

// Else nobody could type there until the daemon ends.
TEST_F(AttachTest, LeavesNothingAttachedForAClientThatWentWhileItAttached) {
  ServerConfig config;
  config.limits.consoles = 1;
  start(config);
  std::promise<void> attaching;
  std::promise<void> go_on;
  consoles_.before_next_attach([&] {
    attaching.set_value();
    go_on.get_future().wait();
  });
  Attachment console(connect());
  console.start();
  attaching.get_future().wait();
  console.cancel();
  console.finish();
  // Its place is free when gRPC has done with it.
  EXPECT_TRUE(eventually([&] {
    Attachment next(connect());
    next.start(AttachConsoleRequest::READ, "projects/p/instances/other");
    return next.finish().error_code() == grpc::StatusCode::NOT_FOUND;
  }));
  EXPECT_EQ(consoles_.attached_ever(), 0u);
  go_on.set_value();
  EXPECT_TRUE(
      eventually([&] { return consoles_.attached_ever() == 1 && consoles_.attachments() == 0; }));
}

TEST_F(AttachTest, DoesNotAttachAClientThatWentBeforeTheInstanceWasFound) {
  start();
  gateway_.hold();
  Attachment console(connect());
  console.start();
  ASSERT_TRUE(eventually([&] { return gateway_.requests().size() == 1; }));
  console.cancel();
  console.finish();
  gateway_.release();
  await_answers();
  EXPECT_TRUE(eventually([&] { return consoles_.attachments() == 0; }));
}

TEST_F(AttachTest, NamesWhatIsWrongWithAMessage) {
  start();
  const auto fields_after = [this](const std::function<void(Attachment&)>& say) {
    Attachment console(connect());
    say(console);
    const grpc::Status status = console.finish();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << status.error_message();
    // The place of a writer is free when gRPC has done with it.
    EXPECT_TRUE(eventually([this] { return consoles_.attachments() == 0; }));
    return fields_of(status);
  };
  AttachConsoleRequest odd;
  odd.mutable_start()->set_name(kWeb);
  odd.mutable_start()->set_access(static_cast<AttachConsoleRequest::Access>(9));
  AttachConsoleRequest negative;
  negative.mutable_start()->set_name(kWeb);
  negative.mutable_start()->set_history_bytes(-1);
  using Client = Attachment;
  EXPECT_THAT(fields_after([](Client& c) { c.type("x"); }), ElementsAre("start"));
  EXPECT_THAT(fields_after([](Client& c) { c.end_input(); }), ElementsAre("start"));
  EXPECT_THAT(fields_after([](Client& c) { c.start(AttachConsoleRequest::READ, "web"); }),
              ElementsAre("start.name"));
  EXPECT_THAT(fields_after([&](Client& c) { c.send(odd); }), ElementsAre("start.access"));
  EXPECT_THAT(fields_after([&](Client& c) { c.send(negative); }),
              ElementsAre("start.history_bytes"));
  const auto started = [](AttachConsoleRequest::Access access, const std::string& text) {
    return [=](Client& c) {
      c.start(access);
      c.type(text);
    };
  };
  EXPECT_THAT(fields_after(started(AttachConsoleRequest::READ, "x")), ElementsAre("input"));
  EXPECT_THAT(fields_after(started(AttachConsoleRequest::WRITE, std::string(16385, 'x'))),
              ElementsAre("input"));
  EXPECT_THAT(fields_after([](Client& c) {
                c.start();
                c.start();
              }),
              ElementsAre("input"));
}

TEST_F(AttachTest, EndsAClientThatNeverSaysToWhatItAttaches) {
  start_quickly();
  Attachment console(connect());
  EXPECT_THAT(fields_of(console.finish()), ElementsAre("start"));
}

TEST_F(AttachTest, AnswersAWriterThatHasEndedItsSideWhenTheGuestIsQuiet) {
  start_quickly();
  Attachment console(connect());
  console.start();
  console.type("ping");
  console.end_input();
  ASSERT_TRUE(eventually([&] { return consoles_.take_typed() == "ping"; }));
  consoles_.write("pong");
  EXPECT_TRUE(console.finish().ok());
  EXPECT_THAT(console.output(), HasSubstr("pong"));
}

TEST_F(AttachTest, WaitsForAGuestThatHasNotTakenAllInputYet) {
  start_quickly(std::chrono::minutes(1));
  Attachment console(connect());
  console.start();
  console.type("ping");
  console.end_input();
  Attachment silent(connect());
  silent.finish();  // so much later
  ASSERT_TRUE(eventually([&] { return consoles_.take_typed() == "ping"; }));
  consoles_.write("pong");
  EXPECT_TRUE(console.finish().ok());
  EXPECT_THAT(console.output(), HasSubstr("pong"));
}

TEST_F(AttachTest, WaitsNotForEverForAGuestThatTakesNoInput) {
  start_quickly();
  Attachment console(connect());
  console.start();
  console.type("ping");
  console.end_input();
  EXPECT_TRUE(console.finish().ok());
}

TEST_F(AttachTest, LetsAReaderEndItsSideAndReadOn) {
  start_quickly();
  Attachment console(connect());
  console.start(AttachConsoleRequest::READ);
  console.end_input();
  console.read_until(AttachConsoleResponse::ATTACHED);
  Attachment writer(connect());
  writer.start();
  writer.end_input();
  EXPECT_TRUE(writer.finish().ok());  // so much later
  consoles_.write("still here");
  console.read_until("still here");
}

TEST_F(AttachTest, TakesNoMoreInputThanTheGuestDoes) {
  start();
  Attachment console(connect());
  console.start();
  console.read_until(AttachConsoleResponse::ATTACHED);
  std::string typed;
  for (int i = 0; i < 20; ++i) console.type("0123456789");
  EXPECT_TRUE(eventually([&] {
    const std::string piece = consoles_.take_typed();
    EXPECT_LE(piece.size(), 8u + 10u);  // what the console holds, and a message more
    typed += piece;
    return typed.size() == 200;
  }));
}

TEST_F(AttachTest, RefusesMoreAttachmentsThanTheServersLimitAndFreesTheirPlaces) {
  start_quickly();
  std::vector<std::unique_ptr<Attachment>> open;
  for (int i = 0; i < 3; ++i) {
    open.push_back(std::make_unique<Attachment>(connect()));
    open.back()->start(AttachConsoleRequest::READ);
    open.back()->read_until(AttachConsoleResponse::ATTACHED);
  }
  Attachment fourth(connect());
  fourth.start(AttachConsoleRequest::READ);
  const grpc::Status refused = fourth.finish();
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(reason_of(refused), "TOO_MANY_STREAMS");
  open[0]->cancel();
  open[0]->finish();
  ASSERT_TRUE(eventually([&] { return consoles_.attachments() == 2; }));
  Attachment fifth(connect());
  fifth.start(AttachConsoleRequest::READ);
  fifth.read_until(AttachConsoleResponse::ATTACHED);
}

TEST_F(AttachTest, CutsOffAClientThatNeverReads) {
  start_quickly();
  Attachment console(connect());
  console.start(AttachConsoleRequest::READ);
  EXPECT_TRUE(eventually([&] {
    consoles_.write(std::string(16 << 10, 'x'));
    return consoles_.attachments() == 1;
  }));
  EXPECT_TRUE(eventually([&] {
    consoles_.write(std::string(16 << 10, 'x'));
    return consoles_.attachments() == 0;
  }));
}

TEST_F(AttachTest, EndsWithTheServer) {
  start();
  Attachment console(connect());
  console.start();
  console.read_until(AttachConsoleResponse::ATTACHED);
  server_->shutdown(Duration::zero());
  EXPECT_EQ(console.finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(AttachTest, PrintsTheEndOfTheLogAlsoOfAnInstanceThatIsBeingDeleted) {
  start();
  leaving_ = true;
  const auto log = [this](const std::string& name, int32_t most, std::string* text) {
    v1::GetConsoleLogRequest request;
    request.set_name(name);
    request.set_max_bytes(most);
    v1::GetConsoleLogResponse response;
    Call call;
    const grpc::Status status = stub<v1::Consoles>()->GetConsoleLog(&call, request, &response);
    *text = response.log();
    return status;
  };
  std::string text;
  EXPECT_TRUE(log(kWeb, 0, &text).ok());
  EXPECT_EQ(text, "old words ");
  EXPECT_TRUE(log(kWeb, 3, &text).ok());
  EXPECT_EQ(text, "ds ");
  EXPECT_TRUE(log(kWeb, 1 << 30, &text).ok());
  EXPECT_THAT(fields_of(log(kWeb, -1, &text)), ElementsAre("max_bytes"));
  EXPECT_THAT(fields_of(log("web", 0, &text)), ElementsAre("name"));
  EXPECT_EQ(log("projects/p/instances/x", 0, &text).error_code(), grpc::StatusCode::NOT_FOUND);
}

}  // namespace
}  // namespace stellwerk::server
