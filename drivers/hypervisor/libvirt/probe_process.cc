#include "drivers/hypervisor/libvirt/probe_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace stellwerk::hypervisor {
namespace {

constexpr size_t kQuotedOutput = 240;
constexpr size_t kKeptOutput = 64 * 1024;

std::string error_text(int error) {
  return std::generic_category().message(error);
}

// Between fork and exec of a process with threads: only async-signal-safe calls.
[[noreturn]] void become(char* const* arguments, int output, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);  // it died before the line above
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int input = open("/dev/null", O_RDONLY);
  dup2(input, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  execv(arguments[0], arguments);
  _exit(127);
}

class Child {
 public:
  static absl::StatusOr<Child> spawn(const std::vector<std::string>& arguments) {
    std::vector<char*> pointers;
    for (const std::string& argument : arguments) {
      pointers.push_back(const_cast<char*>(argument.c_str()));
    }
    pointers.push_back(nullptr);
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return internal_error("pipe: {}", error_text(errno));
    const pid_t parent = getpid();
    const pid_t pid = fork();
    if (pid == 0) become(pointers.data(), ends[1], parent);
    const int error = errno;
    close(ends[1]);
    if (pid > 0) return Child(pid, ends[0]);
    close(ends[0]);
    return resource_exhausted("fork: {}", error_text(error));
  }

  Child(Child&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)), output_(std::exchange(other.output_, -1)) {}
  Child& operator=(Child&&) = delete;
  ~Child() {
    if (pid_ < 0) return;
    kill(pid_, SIGKILL);
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) continue;
    close(output_);
  }

  // Appends what arrived within `patience`; false at the end of the output.
  bool read_some(Duration patience, std::string& text) const {
    pollfd poll_one{.fd = output_, .events = POLLIN, .revents = 0};
    const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(patience).count();
    if (poll(&poll_one, 1, static_cast<int>(milliseconds)) <= 0) return true;
    char buffer[4096];
    const ssize_t count = read(output_, buffer, sizeof buffer);
    if (count > 0) text.append(buffer, static_cast<size_t>(count));
    return count != 0;
  }

 private:
  Child(pid_t pid, int output) : pid_(pid), output_(output) {}
  pid_t pid_;
  int output_;
};

std::string quote_end(std::string_view output) {
  while (!output.empty() && (output.back() == '\n' || output.back() == '\r')) {
    output.remove_suffix(1);
  }
  std::string text;
  for (const char c : output.substr(output.size() - std::min(output.size(), kQuotedOutput))) {
    text += c >= 0x20 && c < 0x7f ? c : ' ';
  }
  return text.empty() ? "it printed nothing" : fmt::format("it last printed '{}'", text);
}

}  // namespace

absl::StatusOr<MemoryFile> MemoryFile::create(std::string_view content) {
  const int descriptor = memfd_create("stellwerk-probe", MFD_CLOEXEC);
  if (descriptor < 0) return resource_exhausted("memfd_create: {}", error_text(errno));
  MemoryFile file(descriptor);
  while (!content.empty()) {
    const ssize_t count = write(descriptor, content.data(), content.size());
    if (count < 0) return resource_exhausted("memory file: {}", error_text(errno));
    content.remove_prefix(static_cast<size_t>(count));
  }
  return file;
}

MemoryFile::MemoryFile(MemoryFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

MemoryFile::~MemoryFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

std::string MemoryFile::path() const {
  return fmt::format("/proc/{}/fd/{}", getpid(), descriptor_);
}

absl::Status run_until(const std::vector<std::string>& arguments, std::string_view marker,
                       Duration limit) {
  const SystemClock clock;
  const MonotonicTime deadline = clock.now().monotonic + limit;
  SW_ASSIGN_OR_RETURN(const Child child, Child::spawn(arguments));
  std::string output;
  while (true) {
    const Duration left = deadline - clock.now().monotonic;
    if (left <= Duration(0)) {
      return deadline_exceeded("'{}' did not appear within {}; {}", marker, to_short_string(limit),
                               quote_end(output));
    }
    const bool open = child.read_some(left, output);
    if (output.find(marker) != std::string::npos) return absl::OkStatus();
    if (!open) {
      return failed_precondition("it ended before '{}'; {}", marker, quote_end(output));
    }
    if (output.size() > 2 * kKeptOutput) output.erase(0, output.size() - kKeptOutput);
  }
}

}  // namespace stellwerk::hypervisor
