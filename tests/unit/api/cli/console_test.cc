#include <fcntl.h>
#include <grpcpp/server_builder.h>
#include <poll.h>
#include <pty.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "../../../support/eventually.h"
#include "../../../support/temporary_directory.h"
#include "api/cli/console.h"
#include "harness.h"
#include "stellwerk/v1/consoles.grpc.pb.h"

namespace stellwerk::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

using testing::eventually;
using v1::AttachConsoleRequest;
using v1::AttachConsoleResponse;

constexpr char kHostileLog[] =
    "\x1b]0;owned\x07"
    "boot\r\n\x1b[31mlogin:\x1b[0m";

// One instance, web-1, whose guest answers a line with "you said LINE".
class FakeConsoles final : public v1::Consoles::Service {
 public:
  using Stream = grpc::ServerReaderWriter<AttachConsoleResponse, AttachConsoleRequest>;

  grpc::Status AttachConsole(grpc::ServerContext* context, Stream* stream) override {
    AttachConsoleRequest request;
    stream->Read(&request);
    {
      const std::lock_guard lock(mutex_);
      start_ = request.start();
    }
    if (refusal.error_code() != grpc::StatusCode::OK) return refusal;
    AttachConsoleResponse response;
    response.set_notice(AttachConsoleResponse::ATTACHED);
    response.set_message("the instance runs");
    stream->Write(response);
    response.Clear();
    response.set_output(log);
    stream->Write(response);
    while (stream->Read(&request)) {
      const std::lock_guard lock(mutex_);
      typed_ += request.input();
      if (takes_nothing) continue;
      response.set_output("you said " + request.input());
      stream->Write(response);
    }
    const bool reads = start().access() == AttachConsoleRequest::READ;
    if (reads) eventually([&] { return context->IsCancelled(); });
    return grpc::Status::OK;
  }
  grpc::Status GetConsoleLog(grpc::ServerContext*, const v1::GetConsoleLogRequest* request,
                             v1::GetConsoleLogResponse* response) override {
    const size_t most = std::min<size_t>(log.size(), request->max_bytes());
    response->set_log(log.substr(log.size() - most));
    return grpc::Status::OK;
  }

  AttachConsoleRequest::Start start() const {
    const std::lock_guard lock(mutex_);
    return start_;
  }
  std::string typed() const {
    const std::lock_guard lock(mutex_);
    return typed_;
  }
  grpc::Status refusal;
  std::string log = kHostileLog;
  bool takes_nothing = false;

 private:
  mutable std::mutex mutex_;
  AttachConsoleRequest::Start start_;
  std::string typed_;
};

class FakeInstances final : public v1::Instances::Service {
  grpc::Status GetInstance(grpc::ServerContext*, const v1::GetInstanceRequest* request,
                           v1::Instance* instance) override {
    if (!request->name().ends_with("/web-1")) {
      return failure(grpc::StatusCode::NOT_FOUND, "there is no instance", "NOT_FOUND");
    }
    *instance = running_instance();
    return grpc::Status::OK;
  }
};

class ConsoleTest : public ::testing::Test {
 protected:
  ConsoleTest() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("unix:" + socket_, grpc::InsecureServerCredentials());
    builder.RegisterService(&consoles_).RegisterService(&instances_);
    server_ = builder.BuildAndStart();
    EXPECT_EQ(::pipe2(out_.data(), O_CLOEXEC | O_NONBLOCK), 0);
  }
  ~ConsoleTest() override {
    server_->Shutdown(std::chrono::system_clock::time_point(SystemClock().now().wall));
    for (const int file : out_) ::close(file);
  }

  // Runs to its end.
  Ran run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--endpoint", "unix://" + socket_});
    std::istringstream in;
    std::ostringstream out;
    std::ostringstream err;
    const TestClock clock(true);
    TestInterrupt interrupt;
    cli::Environment environment{
        .in = in,
        .out = out,
        .err = err,
        .out_is_terminal = out_is_terminal_,
        .err_width = [] { return size_t{0}; },
        .variable = [](const char*) { return std::optional<std::string>(); },
        .clock = clock,
        .interrupt = interrupt,
        .call_policy = {.deadline = std::chrono::seconds(20)},
        .in_descriptor = in_,
        .out_descriptor = out_[1]};
    const int code = cli::run(arguments, environment);
    return {.code = code, .out = out.str() + written(), .err = err.str()};
  }
  // Beside the test.
  void begin(const std::vector<std::string>& arguments) {
    thread_ = std::thread([this, arguments] { ran_ = run(arguments); });
  }
  Ran end() {
    thread_.join();
    return ran_;
  }

  std::string written() {
    std::array<char, 4096> buffer{};
    for (ssize_t got = 1; got > 0;) {
      got = ::read(out_[0], buffer.data(), buffer.size());
      if (got > 0) written_.append(buffer.data(), static_cast<size_t>(got));
    }
    return written_;
  }
  bool comes(const std::string& text) {
    return eventually([&] { return written().find(text) != std::string::npos; });
  }

  testing::TemporaryDirectory folder_;
  const std::string socket_ = folder_ / "api.sock";
  FakeConsoles consoles_;
  FakeInstances instances_;
  std::unique_ptr<grpc::Server> server_;
  bool out_is_terminal_ = false;
  int in_ = -1;
  std::array<int, 2> out_{};
  std::string written_;
  std::thread thread_;
  Ran ran_;
};

// A terminal, and the user before it.
class TerminalTest : public ConsoleTest {
 protected:
  TerminalTest() {
    EXPECT_EQ(::openpty(&keyboard_, &in_, nullptr, nullptr, nullptr), 0);
    EXPECT_EQ(::tcgetattr(in_, &before_), 0);
  }
  ~TerminalTest() override {
    ::close(keyboard_);
    ::close(in_);
  }
  void press(std::string_view keys) {
    EXPECT_EQ(::write(keyboard_, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
  }
  void expect_terminal_as_before() {
    termios now{};
    ASSERT_EQ(::tcgetattr(in_, &now), 0);
    EXPECT_EQ(now.c_lflag, before_.c_lflag);
    EXPECT_EQ(now.c_iflag, before_.c_iflag);
    EXPECT_EQ(now.c_oflag, before_.c_oflag);
  }

  int keyboard_ = -1;
  termios before_{};
};

TEST_F(TerminalTest, PassesEveryKeyButTheEscapeAndGivesTheTerminalBack) {
  begin({"instance", "console", "web-1"});
  ASSERT_TRUE(comes("login:"));
  press("root\x03\x1a");  // Ctrl-C and Ctrl-Z are the guest's
  ASSERT_TRUE(eventually([&] { return consoles_.typed() == "root\x03\x1a"; }));
  ASSERT_TRUE(comes("you said"));
  press("\x1d");
  const Ran ran = end();
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.err, HasSubstr("attached to web-1; ^] leaves it"));
  EXPECT_THAT(ran.err, HasSubstr("[web-1: the instance runs]"));
  EXPECT_THAT(ran.err, HasSubstr("[web-1: left]"));
  expect_terminal_as_before();
  EXPECT_EQ(consoles_.start().access(), AttachConsoleRequest::WRITE);
  EXPECT_EQ(consoles_.start().name(), "projects/default/instances/web-1");
}

TEST_F(TerminalTest, TakesAnotherEscapeKey) {
  begin({"instance", "console", "web-1", "--escape", "^A", "--no-history"});
  ASSERT_TRUE(comes("login:"));
  press("\x1d");
  ASSERT_TRUE(eventually([&] { return consoles_.typed() == "\x1d"; }));
  press("\x01");
  EXPECT_EQ(end().code, 0);
  EXPECT_TRUE(consoles_.start().skip_history());
}

TEST_F(TerminalTest, HasNoEscapeKeyWhereNoneIsAskedFor) {
  begin({"instance", "console", "web-1", "--escape", "none"});
  ASSERT_TRUE(comes("login:"));
  press("\x1d");
  EXPECT_TRUE(eventually([&] { return consoles_.typed() == "\x1d"; }));
  ::raise(SIGTERM);
  EXPECT_THAT(end().err, Not(HasSubstr("leaves it")));
}

TEST_F(TerminalTest, LeavesByTheEscapeKeyAlsoWhenTheGuestTakesNothing) {
  consoles_.takes_nothing = true;
  begin({"instance", "console", "web-1"});
  ASSERT_TRUE(comes("login:"));
  for (int i = 0; i < 100; ++i) press(std::string(1000, 'k'));
  press("\x1d");
  EXPECT_EQ(end().code, 0);
}

TEST_F(TerminalTest, GivesTheTerminalBackAfterASignal) {
  for (const int signal : {SIGTERM, SIGHUP, SIGINT, SIGQUIT}) {
    written_.clear();
    begin({"instance", "console", "web-1"});
    ASSERT_TRUE(comes("login:"));
    ::raise(signal);
    const Ran ran = end();
    EXPECT_EQ(ran.code, 1);
    EXPECT_THAT(ran.err, HasSubstr("signal " + std::to_string(signal)));
    expect_terminal_as_before();
  }
}

TEST_F(TerminalTest, GivesTheTerminalBackWhenTheDaemonRefusesOrGoes) {
  consoles_.refusal =
      failure(grpc::StatusCode::FAILED_PRECONDITION, "uid 7 types on this console", "CONSOLE_BUSY");
  const Ran refused = run({"instance", "console", "web-1"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, HasSubstr("uid 7 types on this console\n"
                                     "hint: --read-only watches, --force takes over\n"));
  expect_terminal_as_before();
  consoles_.refusal = grpc::Status::OK;
  begin({"instance", "console", "web-1"});
  ASSERT_TRUE(comes("login:"));
  server_->Shutdown(std::chrono::system_clock::time_point(SystemClock().now().wall));
  EXPECT_EQ(end().code, 5);
  expect_terminal_as_before();
}

TEST_F(TerminalTest, TypesNothingWhenReadOnlyAndStillHeedsTheEscape) {
  begin({"instance", "console", "web-1", "--read-only"});
  ASSERT_TRUE(comes("login:"));
  press("not for you");
  press("\x1d");
  const Ran ran = end();
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.err, HasSubstr("attached to web-1 read-only; ^] leaves it"));
  EXPECT_EQ(consoles_.typed(), "");
  EXPECT_EQ(consoles_.start().access(), AttachConsoleRequest::READ);
}

TEST_F(ConsoleTest, PipesInputAndEndsAfterTheAnswer) {
  const std::string file = folder_ / "input";
  std::ofstream(file) << "root\x1d";
  in_ = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  const Ran ran = run({"instance", "console", "web-1", "--force"});
  ::close(in_);
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out, HasSubstr("you said root\x1d"));  // no escape key where nobody types
  EXPECT_EQ(consoles_.start().access(), AttachConsoleRequest::TAKE_OVER);
}

TEST_F(ConsoleTest, PipesMoreThanItHoldsAndLosesNothing) {
  consoles_.takes_nothing = true;  // it does not answer
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += std::to_string(i);
  const std::string file = folder_ / "input";
  std::ofstream(file) << text;
  in_ = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  EXPECT_EQ(run({"instance", "console", "web-1"}).code, 0);
  ::close(in_);
  EXPECT_TRUE(consoles_.typed() == text) << consoles_.typed().size() << " of " << text.size();
}

TEST_F(ConsoleTest, SaysWhenItsOutputGoesNowhere) {
  ::close(std::exchange(out_[0], ::open("/dev/null", O_RDONLY | O_CLOEXEC)));
  const Ran ran = run({"instance", "console", "web-1", "--read-only"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("cannot write the output"));
}

TEST_F(ConsoleTest, FindsNoConsoleOfAMissingInstance) {
  EXPECT_EQ(run({"instance", "console", "web-2"}).code, 3);
  EXPECT_EQ(run({"instance", "log", "web-2"}).code, 3);
}

TEST_F(ConsoleTest, PrintsTheLogRawInPipesAndHarmlessOnATerminal) {
  EXPECT_EQ(run({"instance", "log", "web-1"}).out, kHostileLog);
  EXPECT_EQ(run({"instance", "log", "web-1", "--bytes", "4"}).out, "\x1b[0m");
  out_is_terminal_ = true;
  EXPECT_EQ(run({"instance", "log", "web-1"}).out, "boot\nlogin:");
  EXPECT_EQ(run({"instance", "log", "web-1", "--raw"}).out, kHostileLog);
}

TEST_F(ConsoleTest, FollowsTheLogUntilCtrlC) {
  out_is_terminal_ = true;
  begin({"instance", "log", "web-1", "--follow", "--bytes", "9"});
  ASSERT_TRUE(comes("boot\nlogin:"));
  ::raise(SIGINT);
  const Ran ran = end();
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.err, "") << "notices are for people at a terminal";
  EXPECT_EQ(consoles_.start().access(), AttachConsoleRequest::READ);
  EXPECT_EQ(consoles_.start().history_bytes(), 9);
}

TEST_F(ConsoleTest, ShowsTheHalfOfACharacterWithWhichAFollowedLogEnds) {
  out_is_terminal_ = true;
  consoles_.log = "caf\xc3";
  begin({"instance", "log", "web-1", "--follow"});
  ASSERT_TRUE(comes("caf"));
  ::raise(SIGINT);
  EXPECT_EQ(end().out, "caf\\xc3");
}

TEST_F(ConsoleTest, FollowsTheLogRawOnATerminalWhereThatIsAskedFor) {
  out_is_terminal_ = true;
  begin({"instance", "log", "web-1", "--follow", "--raw"});
  EXPECT_TRUE(comes(kHostileLog));
  ::raise(SIGINT);
  EXPECT_EQ(end().code, 0);
}

TEST_F(ConsoleTest, RefusesOddOptions) {
  EXPECT_EQ(run({"instance", "console", "web-1", "--escape", "ab"}).code, 2);
  EXPECT_EQ(run({"instance", "console", "web-1", "--escape", "^1"}).code, 2);
  EXPECT_EQ(run({"instance", "console", "web-1", "--force", "--read-only"}).code, 2);
  EXPECT_EQ(run({"instance", "log", "web-1", "--bytes", "0"}).code, 2);
  EXPECT_EQ(run({"instance", "log", "web-1", "--bytes", "65537"}).code, 2);
}

TEST(ParseEscape, TakesACharacterACaretWithALetterOrNone) {
  EXPECT_EQ(cli::parse_escape("^]"), '\x1d');
  EXPECT_EQ(cli::parse_escape("^a"), '\x01');
  EXPECT_EQ(cli::parse_escape("~"), '~');
  EXPECT_EQ(cli::parse_escape("none"), '\0');
  EXPECT_EQ(cli::parse_escape(""), std::nullopt);
  EXPECT_EQ(cli::parse_escape(" "), std::nullopt);
  EXPECT_EQ(cli::parse_escape("^?"), std::nullopt);
}

}  // namespace
}  // namespace stellwerk::test
