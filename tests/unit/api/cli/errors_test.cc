#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/ids.h"
#include "harness.h"

namespace stellwerk::test {
namespace {

using grpc::StatusCode;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Errors : public CliTest {
 protected:
  Errors() { daemon.script().mutation_answer = running_instance(); }

  Ran run_into(const grpc::Status& status) {
    daemon.script().failures = {status};
    return run({"instance", "start", "web-1"});
  }
};

TEST_F(Errors, HaveExitCodesOfTheirOwn) {
  EXPECT_EQ(run_into(failure(StatusCode::INVALID_ARGUMENT, "x", "R")).code, 1);
  EXPECT_EQ(run_into(failure(StatusCode::FAILED_PRECONDITION, "x", "R")).code, 1);
  EXPECT_EQ(run_into(failure(StatusCode::PERMISSION_DENIED, "x", "R")).code, 1);
  EXPECT_EQ(run_into(failure(StatusCode::INTERNAL, "x", "R")).code, 1);
  EXPECT_EQ(run_into(failure(StatusCode::NOT_FOUND, "x", "R")).code, 3);
  EXPECT_EQ(run_into(failure(StatusCode::ALREADY_EXISTS, "x", "R")).code, 4);
  EXPECT_EQ(run_into(failure(StatusCode::ABORTED, "x", "R")).code, 4);
  EXPECT_EQ(run_into(failure(StatusCode::DEADLINE_EXCEEDED, "x", "R")).code, 1);
  EXPECT_EQ(run_into(grpc::Status(StatusCode::DEADLINE_EXCEEDED, "x")).code, 5);
  EXPECT_EQ(run_into(failure(StatusCode::RESOURCE_EXHAUSTED, "x", "NO_HOST_FITS")).code, 7);
  EXPECT_EQ(run_into(failure(StatusCode::RESOURCE_EXHAUSTED, "x", "TOO_MANY_REQUESTS")).code, 1);
  EXPECT_EQ(run_into(failure(StatusCode::RESOURCE_EXHAUSTED, "x", "TOO_MANY_STREAMS")).code, 1);
}

TEST_F(Errors, SayWhatAndWhatToDo) {
  EXPECT_EQ(
      run_into(failure(StatusCode::RESOURCE_EXHAUSTED, "no host can take web-1", "NO_HOST_FITS"))
          .err,
      "error: no host can take web-1\n"
      "hint: see host list for what is free, or delete what is not needed\n");
}

TEST_F(Errors, ListEveryWrongField) {
  EXPECT_EQ(run_into(failure(StatusCode::INVALID_ARGUMENT, "a: b; c: d", "INVALID_FIELDS",
                             {{"instance.flavor", "is missing"}, {"ssh_keys[2]", "is\x1b bad"}}))
                .err,
            "error: the request has mistakes\n"
            "  instance.flavor: is missing\n"
            "  ssh_keys[2]: is\\x1b bad\n");
}

TEST_F(Errors, ListAsManyViolationsAsTheServerSends) {
  std::vector<Violation> violations;
  for (int i = 0; i < 45; ++i) {
    violations.push_back({"ssh_keys[" + std::to_string(i) + "]", std::string(100, 'x')});
  }
  const Ran ran =
      run_into(failure(StatusCode::INVALID_ARGUMENT, "many", "INVALID_FIELDS", violations));
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("ssh_keys[44]: xxx"));
}

TEST_F(Errors, OfTheServerNeverReachTheTerminalRaw) {
  const Ran ran = run_into(failure(StatusCode::NOT_FOUND, "no \x1b]0;x\x07\nsuch", "\x1b"));
  EXPECT_EQ(ran.err, "error: no \\x1b]0;x\\x07\\nsuch\n");
}

TEST_F(Errors, UnavailableIsTriedAgainWithTheSameRequestId) {
  daemon.script().failures = {failure(StatusCode::UNAVAILABLE, "slow store", "STORE_UNAVAILABLE"),
                              failure(StatusCode::UNAVAILABLE, "slow store", "STORE_UNAVAILABLE")};
  EXPECT_EQ(run({"instance", "start", "web-1"}).code, 0);
  const auto calls = daemon.calls();
  ASSERT_EQ(calls.size(), 3U);
  EXPECT_EQ(calls[0].request_id, calls[1].request_id);
  EXPECT_EQ(calls[1].request_id, calls[2].request_id);
  EXPECT_TRUE(Uuid::parse(calls[0].request_id));
}

TEST_F(Errors, RetriesAreBoundedAndTellTheRequestId) {
  const std::string id = "5f0c6e0e-6f0b-4c0e-9b8e-2f6a1d3c4b5a";
  daemon.script().failures.assign(10, failure(StatusCode::UNAVAILABLE, "slow store", "STOPPING"));
  const Ran ran = run({"instance", "start", "web-1", "--request-id", id});
  EXPECT_EQ(ran.code, 5);
  EXPECT_EQ(daemon.calls().size(), 5U);
  EXPECT_THAT(ran.err,
              AllOf(HasSubstr("slow store"),
                    HasSubstr("it may have been carried out; repeat it with --request-id " + id)));
}

TEST_F(Errors, ACellWithoutHostsIsTriedAgainButNotInDoubt) {
  daemon.script().failures.assign(
      5, failure(StatusCode::UNAVAILABLE, "no host can take web-1", "NO_HOST_CONNECTED"));
  const Ran ran = run({"instance", "start", "web-1"});
  EXPECT_EQ(ran.code, 7);
  EXPECT_EQ(daemon.calls().size(), 5U);
  EXPECT_EQ(ran.err, "error: no host can take web-1\n");
}

TEST_F(Errors, OtherCodesAreNotTriedAgain) {
  run_into(failure(StatusCode::INTERNAL, "x", "R"));
  EXPECT_EQ(daemon.calls().size(), 1U);
}

TEST_F(Errors, AMissingSocketIsExplained) {
  daemon.stop();
  const Ran ran = run({"instance", "start", "web-1"});
  EXPECT_EQ(ran.code, 5);
  EXPECT_EQ(ran.err, "error: cannot connect to the daemon at " + daemon.socket_path() +
                         ": there is no such socket\n"
                         "hint: is stellwerkd running? another socket: --endpoint or "
                         "STELLWERK_ENDPOINT\n");
}

TEST_F(Errors, AFileThatIsNoSocketIsExplained) {
  const std::string path = write_file("file", "");
  const Ran ran = run_bare({"--endpoint", "unix://" + path, "host", "list"});
  EXPECT_EQ(ran.code, 5);
  EXPECT_THAT(ran.err, HasSubstr("this is a file of another kind"));
}

TEST_F(Errors, ASocketWhereNobodyListensIsExplained) {
  const std::string path = daemon.directory() / "stale.sock";
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  close(fd);
  const Ran ran = run_bare({"--endpoint", "unix://" + path, "instance", "start", "web-1"});
  EXPECT_EQ(ran.code, 5);
  EXPECT_EQ(ran.err, "error: cannot connect to the daemon at " + path +
                         ": nobody listens on the socket\n"
                         "hint: is stellwerkd running? another socket: --endpoint or "
                         "STELLWERK_ENDPOINT\n");
}

TEST_F(Errors, ASocketThatMayNotBeUsedIsExplained) {
  // The effective user is what the kernel asks about. Root drops it for the call alone.
  ASSERT_EQ(chmod(daemon.socket_path().c_str(), 0600), 0);
  ASSERT_EQ(chmod(daemon.directory().c_str(), 0711), 0);
  const bool is_root = geteuid() == 0;
  if (is_root) {
    ASSERT_EQ(seteuid(65534), 0);
  } else {
    ASSERT_EQ(chmod(daemon.socket_path().c_str(), 0000), 0);
  }
  const Ran ran = run({"host", "list"});
  if (is_root) {
    ASSERT_EQ(seteuid(0), 0);
  }
  EXPECT_EQ(ran.code, 5);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("permission denied"),
                             HasSubstr("hint: become root, or a member of the group stellwerk")));
}

TEST_F(Errors, ASilentDaemonEndsWithTheDeadline) {
  policy.deadline = std::chrono::milliseconds(300);
  const std::unique_lock hold(daemon.script().mutex);  // every handler waits for it
  const Ran ran = run({"instance", "start", "web-1"});
  EXPECT_EQ(ran.code, 5);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("did not answer in time"), HasSubstr("--request-id ")));
}

TEST_F(Errors, AnEndlessListIsRefused) {
  daemon.script().largest_page = 0;  // every page ends where it began
  daemon.script().instances = {running_instance()};
  const Ran ran = run({"instance", "list"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("the same next page"));
}

TEST_F(Errors, OutputThatCannotBeWrittenIsAFailure) {
  out_is_full = true;
  const Ran ran = run({"host", "list"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(ran.err, "error: cannot write the output\n");
}

}  // namespace
}  // namespace stellwerk::test
