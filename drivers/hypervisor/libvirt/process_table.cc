#include "drivers/hypervisor/libvirt/process_table.h"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <system_error>
#include <utility>

#include "drivers/hypervisor/libvirt/kernel_file.h"

namespace stellwerk::hypervisor {
namespace {

std::vector<std::string_view> split_arguments(std::string_view command_line) {
  std::vector<std::string_view> arguments;
  while (!command_line.empty()) {
    const size_t end = command_line.find('\0');
    arguments.push_back(command_line.substr(0, end));
    if (end == std::string_view::npos) break;
    command_line.remove_prefix(end + 1);
  }
  return arguments;
}

bool is_qemu(std::string_view program) {
  const size_t slash = program.rfind('/');
  const std::string_view name =
      slash == std::string_view::npos ? program : program.substr(slash + 1);
  return name.starts_with("qemu-") || name.starts_with("kvm");
}

std::optional<pid_t> parse_pid(const std::string& name) {
  pid_t pid = 0;
  const char* end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data(), end, pid);
  return error == std::errc() && stop == end ? std::optional(pid) : std::nullopt;
}

// Empty for a process that has ended meanwhile.
std::string read_command_line(const std::filesystem::path& process) {
  return read_kernel_file(process / "cmdline").value_or("");
}

}  // namespace

std::optional<Uuid> qemu_uuid(std::string_view command_line) {
  const auto arguments = split_arguments(command_line);
  if (arguments.empty() || !is_qemu(arguments.front())) return std::nullopt;
  for (size_t i = 1; i + 1 < arguments.size(); ++i) {
    if (arguments[i] == "-uuid" || arguments[i] == "--uuid") return Uuid::parse(arguments[i + 1]);
  }
  return std::nullopt;
}

absl::StatusOr<std::vector<pid_t>> find_qemu(const std::string& proc_root, const Uuid& uuid) {
  std::vector<pid_t> found;
  std::error_code error;
  std::filesystem::directory_iterator entry(proc_root, error);
  const std::filesystem::directory_iterator end;
  for (; !error && entry != end; entry.increment(error)) {
    const auto pid = parse_pid(entry->path().filename().string());
    if (pid && qemu_uuid(read_command_line(entry->path())) == uuid) found.push_back(*pid);
  }
  if (error) return unavailable("process table {}: {}", proc_root, error.message());
  std::sort(found.begin(), found.end());
  return found;
}

std::optional<ProcessHandle> ProcessHandle::open(pid_t pid) {
  // glibc 2.36 declares pidfd_open without C linkage.
  const int descriptor = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  return descriptor < 0 ? std::nullopt : std::optional(ProcessHandle(descriptor));
}

ProcessHandle::ProcessHandle(ProcessHandle&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

ProcessHandle::~ProcessHandle() {
  if (descriptor_ >= 0) close(descriptor_);
}

bool ProcessHandle::wait_until_gone(Duration patience) const {
  const SystemClock clock;
  const MonotonicTime deadline = clock.now().monotonic + patience;
  while (true) {
    const Duration left = std::max(Duration(0), deadline - clock.now().monotonic);
    pollfd poll_one{.fd = descriptor_, .events = POLLIN, .revents = 0};
    const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    const int ready = poll(&poll_one, 1, static_cast<int>(milliseconds));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

}  // namespace stellwerk::hypervisor
