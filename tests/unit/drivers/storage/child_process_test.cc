#include "drivers/storage/local/child_process.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../../support/eventually.h"
#include "../../../support/status_assertions.h"
#include "../../../support/temporary_directory.h"
#include "image_bytes.h"

namespace stellwerk::storage {
namespace {

using testing::eventually;
using ::testing::HasSubstr;

absl::Status run_shell(const std::string& script, Duration deadline = std::chrono::seconds(30)) {
  return run_to_end({.argv = {"/bin/sh", "-c", script}, .deadline = deadline});
}

TEST(ChildProcess, SucceedsWithExitCodeZero) {
  EXPECT_OK(run_shell("exit 0"));
}

TEST(ChildProcess, QuotesWhatAFailingProgramWrote) {
  const absl::Status status = run_shell("echo no such thing >&2; exit 3");
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(message_of(status), "/bin/sh failed: no such thing");
}

TEST(ChildProcess, ReportsAProgramThatIsMissing) {
  const absl::Status status =
      run_to_end({.argv = {"stellwerk-no-such-program"}, .deadline = std::chrono::seconds(30)});
  EXPECT_THAT(std::string(message_of(status)), HasSubstr("is its package installed?"));
}

TEST(ChildProcess, ReportsAProgramThatASignalEnded) {
  EXPECT_EQ(run_shell("kill -SEGV $$").code(), absl::StatusCode::kInternal);
}

TEST(ChildProcess, IsKilledAndReapedAtItsDeadline) {
  const testing::TemporaryDirectory directory;
  // Stopped, it would never end by itself.
  const absl::Status status = run_shell("echo $$ > " + (directory / "pid") + "; kill -STOP $$",
                                        std::chrono::milliseconds(300));
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  const int pid = std::stoi(content_of(directory / "pid"));
  EXPECT_EQ(::kill(pid, 0), -1);
  EXPECT_EQ(errno, ESRCH);
}

TEST(ChildProcess, DiesWithTheProcessThatStartedIt) {
  const testing::TemporaryDirectory directory;
  const std::string file = directory / "pid";
  const pid_t daemon = ::fork();
  if (daemon == 0) {
    (void)run_shell("echo $$ > " + file + ".part; mv " + file + ".part " + file + "; sleep 60");
    ::_exit(0);
  }
  ASSERT_TRUE(eventually([&] { return ::access(file.c_str(), F_OK) == 0; }));
  const int child = std::stoi(content_of(file));
  ASSERT_EQ(::kill(child, 0), 0);
  ::kill(daemon, SIGKILL);
  ::waitpid(daemon, nullptr, 0);
  // Dead, though perhaps not reaped by whoever inherited it.
  EXPECT_TRUE(eventually([&] {
    const std::string stat = "/proc/" + std::to_string(child) + "/stat";
    return ::kill(child, 0) != 0 || content_of(stat).find(") Z ") != std::string::npos;
  }));
}

TEST(ChildProcess, WritesMoreThanAPipeHoldsWithoutBlocking) {
  EXPECT_OK(run_shell("head -c 1000000 /dev/zero"));
}

TEST(ChildProcess, InheritsNoFileAndNoBlockedSignal) {
  const int leaked = ::dup(STDERR_FILENO);
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, &before);
  const absl::Status closed = run_shell("test ! -e /proc/self/fd/" + std::to_string(leaked) +
                                        " && grep -q '^SigBlk:[[:space:]]*0*$' /proc/self/status");
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::close(leaked);
  EXPECT_OK(closed);
}

}  // namespace
}  // namespace stellwerk::storage
