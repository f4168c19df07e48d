#include "api/cli/spawn.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace stellwerk::cli {
namespace {

constexpr size_t kMostOutput = 1 << 20;

// Reads until the other end closes.
absl::StatusOr<std::string> read_all(int descriptor, Duration patience) {
  const SystemClock clock;
  const MonotonicTime end = clock.now().monotonic + patience;
  std::string all;
  std::array<char, 4096> buffer{};
  for (;;) {
    const Duration left = end - clock.now().monotonic;
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    pollfd watched{.fd = descriptor, .events = POLLIN, .revents = 0};
    const int ready = wait <= 0 ? 0 : ::poll(&watched, 1, static_cast<int>(wait));
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) return deadline_exceeded("has not ended within {}", to_short_string(patience));
    const ssize_t got = ::read(descriptor, buffer.data(), buffer.size());
    if (got == 0) return all;
    if (got < 0) return internal_error("cannot read its output: {}", strerror(errno));
    all.append(buffer.data(), static_cast<size_t>(got));
    if (all.size() > kMostOutput) return internal_error("prints more than a mebibyte");
  }
}

absl::StatusOr<pid_t> start(const std::string& program, const std::vector<std::string>& arguments,
                            int output) {
  std::vector<char*> words = {const_cast<char*>(program.c_str())};
  for (const std::string& word : arguments) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  pid_t pid = 0;
  const int error = ::posix_spawnp(&pid, program.c_str(), &actions, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error == 0) return pid;
  if (error == ENOENT) return not_found("there is no program {}", program);
  return failed_precondition("cannot run {}: {}", program, strerror(error));
}

}  // namespace

absl::StatusOr<std::string> output_of(const std::string& program,
                                      const std::vector<std::string>& arguments,
                                      Duration patience) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return internal_error("pipe: {}", strerror(errno));
  const auto pid = start(program, arguments, ends[1]);
  ::close(ends[1]);
  if (!pid.ok()) {
    ::close(ends[0]);
    return pid.status();
  }
  auto output = read_all(ends[0], patience);
  ::close(ends[0]);
  if (!output.ok()) ::kill(*pid, SIGKILL);
  int status = 0;
  while (::waitpid(*pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!output.ok()) return annotate(output.status(), program);
  return output;
}

}  // namespace stellwerk::cli
