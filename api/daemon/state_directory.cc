#include "api/daemon/state_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/validate.h"

namespace stellwerk::daemon {
namespace {

constexpr const char* kHostUid = "host-uid";
constexpr const char* kHostUidPart = "host-uid.part";

absl::Status os_error(std::string_view action, const std::string& path) {
  return failed_precondition("cannot {} {}: {}", action, path, strerror(errno));
}

// QEMU, which is another user, has to pass through to its disks; nobody else may look.
absl::Status make_directory(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return absl::OkStatus();
  std::filesystem::create_directories(path, error);
  if (error) return failed_precondition("state_dir {}: cannot make it: {}", path, error.message());
  std::filesystem::permissions(path, std::filesystem::perms(0711), error);
  if (error) return failed_precondition("state_dir {}: {}", path, error.message());
  return absl::OkStatus();
}

// Who holds the lock, in words, from the kernel's own table: a line is
// "1: FLOCK  ADVISORY  WRITE 4711 fe:01:1234 0 EOF". Empty if it has just been given back, or if
// its process is in a namespace that we do not see.
std::string lock_holder(int descriptor) {
  struct stat directory {};
  if (::fstat(descriptor, &directory) != 0) return "";
  const std::string inode = fmt::format(":{}", directory.st_ino);
  const std::string device =
      fmt::format("{:02x}:{:02x}", major(directory.st_dev), minor(directory.st_dev));
  std::string holder;
  std::ifstream table("/proc/locks");
  for (std::string line; std::getline(table, line);) {
    std::istringstream words(line);
    std::string number, kind, advice, access, pid, file;
    if (!(words >> number >> kind >> advice >> access >> pid >> file)) continue;
    if (kind != "FLOCK" || access != "WRITE" || !file.ends_with(inode)) continue;
    // Some file systems (btrfs) have another device in this table than in stat().
    const bool same_device = file == device + inode;
    if (same_device || holder.empty()) holder = fmt::format(" (process {})", pid);
    if (same_device) break;
  }
  return holder;
}

}  // namespace

absl::StatusOr<StateDirectory> StateDirectory::open(const std::string& path) {
  SW_RETURN_IF_ERROR(make_directory(path));
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return os_error("open state_dir", path);
  StateDirectory directory(path, descriptor);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return directory;
  if (errno != EWOULDBLOCK) return os_error("lock state_dir", path);
  return failed_precondition(
      "state_dir {}: another stellwerkd works in it{}; stop that one first, or give this one a "
      "state_dir of its own",
      path, lock_holder(descriptor));
}

StateDirectory::~StateDirectory() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

StateDirectory::StateDirectory(StateDirectory&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

absl::StatusOr<std::optional<HostUid>> read_host_uid(const std::string& state_dir) {
  const std::string path = state_dir + "/" + kHostUid;
  std::error_code error;
  if (!std::filesystem::exists(path, error) && !error) return std::nullopt;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  std::string text = bytes.str();
  if (file && text.ends_with('\n')) text.pop_back();
  const auto uid = HostUid::parse(text);
  if (file && uid && !uid->is_nil()) return *uid;
  return data_loss(
      "{}: holds no host uid but {}; restore it: the guests on this host are known by it", path,
      quoted(text));
}

absl::StatusOr<HostUid> StateDirectory::host_uid(const HostUid& fresh) const {
  SW_ASSIGN_OR_RETURN(const std::optional<HostUid> known, read_host_uid(path_));
  if (known) return *known;
  SW_RETURN_IF_ERROR(write_host_uid(fresh));
  return fresh;
}

absl::Status StateDirectory::write_host_uid(const HostUid& uid) const {
  const std::string text = uid.to_string() + "\n";
  const int file = ::openat(descriptor_, kHostUidPart, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
                            S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH);
  if (file < 0) return os_error("create host-uid in", path_);
  const bool written = ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const bool durable = written && ::fsync(file) == 0;
  const absl::Status status = durable ? absl::OkStatus() : os_error("write host-uid in", path_);
  ::close(file);
  SW_RETURN_IF_ERROR(status);
  if (::renameat(descriptor_, kHostUidPart, descriptor_, kHostUid) != 0 ||
      ::fsync(descriptor_) != 0) {
    return os_error("publish host-uid in", path_);
  }
  return absl::OkStatus();
}

}  // namespace stellwerk::daemon
