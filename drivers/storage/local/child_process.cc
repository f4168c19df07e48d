#include "drivers/storage/local/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "drivers/storage/local/file.h"

namespace stellwerk::storage {
namespace {

constexpr size_t kMostOutputShown = 500;
constexpr int kCannotStart = 127;  // the shell's code for a program that is not there

std::string text_of(int error) {
  return std::generic_category().message(error);
}

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Between fork and exec of a process with threads: only async-signal-safe calls. A child dies with
// the daemon, so that it never works on a file that the next one has taken over.
[[noreturn]] void become(char* const* argv, char* const* environment, int output, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(kCannotStart);  // it died before the line above
  // A daemon's blocked and ignored signals are no business of the child's.
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::dup2(::open("/dev/null", O_RDONLY), STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  ::close_range(STDERR_FILENO + 1, ~0U, 0);
  ::execvpe(argv[0], argv, environment);
  ::_exit(kCannotStart);
}

absl::StatusOr<pid_t> spawn(std::vector<std::string> argv, int output) {
  std::vector<std::string> environment = {"LC_ALL=C.UTF-8",
                                          "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"};
  const std::vector<char*> arguments = pointers_to(argv);
  const std::vector<char*> variables = pointers_to(environment);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) become(arguments.data(), variables.data(), output, parent);
  if (pid > 0) return pid;
  return resource_exhausted("cannot start {}: {}", argv[0], text_of(errno));
}

// True once the child has ended, false when the deadline came first.
absl::StatusOr<bool> wait_until(pid_t pid, MonotonicTime deadline) {
  // glibc 2.36 declares pidfd_open without C linkage.
  const Descriptor handle(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!handle.is_open()) return internal_error("cannot watch a child: {}", text_of(errno));
  const SystemClock clock;
  while (true) {
    const Duration left = deadline - clock.now().monotonic;
    if (left <= Duration::zero()) return false;
    pollfd watched{.fd = handle.get(), .events = POLLIN, .revents = 0};
    const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(left);
    const int ready = ::poll(&watched, 1, static_cast<int>(milliseconds.count()));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) {
      return internal_error("cannot wait for a child: {}", text_of(errno));
    }
  }
}

// Blocks only for as long as a dead process takes to be reaped.
int reap(pid_t pid) {
  int code = 0;
  while (::waitpid(pid, &code, 0) < 0 && errno == EINTR) {
  }
  return code;
}

std::string beginning_of(const Descriptor& output) {
  std::array<char, kMostOutputShown> text{};
  const ssize_t size = ::pread(output.get(), text.data(), text.size(), 0);
  std::string shown(text.data(), size > 0 ? static_cast<size_t>(size) : 0);
  while (!shown.empty() && shown.back() == '\n') shown.pop_back();
  return shown;
}

}  // namespace

absl::Status run_to_end(const ChildProcess& child) {
  const std::string& program = child.argv.at(0);
  const MonotonicTime deadline = SystemClock().now().monotonic + child.deadline;
  // A file in memory, unlike a pipe, never makes the child wait for a reader.
  const Descriptor output(::memfd_create("output", MFD_CLOEXEC));
  if (!output.is_open()) return internal_error("cannot start {}: {}", program, text_of(errno));
  SW_ASSIGN_OR_RETURN(const pid_t pid, spawn(child.argv, output.get()));

  const absl::StatusOr<bool> ended = wait_until(pid, deadline);
  if (!ended.ok() || !*ended) ::kill(pid, SIGKILL);
  const int code = reap(pid);
  SW_RETURN_IF_ERROR(ended.status());
  if (!*ended) {
    return deadline_exceeded("{} was stopped after {}; is the disk slow or stuck?", program,
                             to_short_string(child.deadline));
  }
  if (WIFEXITED(code) && WEXITSTATUS(code) == 0) return absl::OkStatus();
  if (WIFEXITED(code) && WEXITSTATUS(code) == kCannotStart) {
    return internal_error("cannot start {}; is its package installed?", program);
  }
  return internal_error("{} failed: {}", program, beginning_of(output));
}

}  // namespace stellwerk::storage
