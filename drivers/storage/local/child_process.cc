#include "drivers/storage/local/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
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

std::string text_of(int error) {
  return std::generic_category().message(error);
}

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

class SpawnSettings {
 public:
  explicit SpawnSettings(int output) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, output, STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
    // A daemon's blocked and ignored signals are no business of the child's.
    posix_spawnattr_init(&attributes_);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes_, &signals);
    sigfillset(&signals);
    posix_spawnattr_setsigdefault(&attributes_, &signals);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnSettings() {
    posix_spawnattr_destroy(&attributes_);
    posix_spawn_file_actions_destroy(&actions_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  absl::StatusOr<pid_t> spawn(std::vector<std::string> argv) const {
    std::vector<std::string> environment = {"LC_ALL=C.UTF-8",
                                            "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"};
    pid_t pid = 0;
    const int error = posix_spawnp(&pid, argv[0].c_str(), &actions_, &attributes_,
                                   pointers_to(argv).data(), pointers_to(environment).data());
    if (error == 0) return pid;
    return internal_error("cannot start {}: {}; is its package installed?", argv[0],
                          text_of(error));
  }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

// True once the child has ended, false when the deadline came first.
absl::StatusOr<bool> wait_until(pid_t pid, MonotonicTime deadline) {
  // glibc 2.36 declares pidfd_open without C linkage.
  const FileDescriptor handle(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
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

std::string beginning_of(const FileDescriptor& output) {
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
  const FileDescriptor output(::memfd_create("output", MFD_CLOEXEC));
  if (!output.is_open()) return internal_error("cannot start {}: {}", program, text_of(errno));
  SW_ASSIGN_OR_RETURN(const pid_t pid, SpawnSettings(output.get()).spawn(child.argv));

  const absl::StatusOr<bool> ended = wait_until(pid, deadline);
  if (!ended.ok() || !*ended) ::kill(pid, SIGKILL);
  const int code = reap(pid);
  SW_RETURN_IF_ERROR(ended.status());
  if (!*ended) {
    return deadline_exceeded("{} was stopped after {}; is the disk slow or stuck?", program,
                             to_short_string(child.deadline));
  }
  if (WIFEXITED(code) && WEXITSTATUS(code) == 0) return absl::OkStatus();
  return internal_error("{} failed: {}", program, beginning_of(output));
}

}  // namespace stellwerk::storage
