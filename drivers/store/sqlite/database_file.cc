#include "drivers/store/sqlite/database_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace stellwerk::store::sqlite {
namespace {

absl::Status os_error(std::string_view action, const std::string& path) {
  const int error = errno;
  const auto code = error == ENOSPC || error == EDQUOT ? absl::StatusCode::kResourceExhausted
                    : error == EEXIST                  ? absl::StatusCode::kAlreadyExists
                                                       : absl::StatusCode::kFailedPrecondition;
  return make_status(code,
                     fmt::format("database {}: cannot {}: {}", path, action, strerror(error)));
}

absl::Status sync(const std::string& path, int flags) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | flags);
  if (descriptor < 0) return os_error("open", path);
  const int result = ::fsync(descriptor);
  const absl::Status status = result == 0 ? absl::OkStatus() : os_error("sync", path);
  ::close(descriptor);
  return status;
}

}  // namespace

absl::StatusOr<FileLock> FileLock::acquire(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (descriptor < 0) return os_error("open", path);
  FileLock lock(descriptor);
  struct stat info {};
  if (::fstat(descriptor, &info) != 0) return os_error("stat", path);
  if (!S_ISREG(info.st_mode)) {
    return failed_precondition("database {}: is not a regular file", path);
  }
  if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno != EWOULDBLOCK) return os_error("lock", path);
  return failed_precondition(
      "database {}: in use by another stellwerkd; stop that one first, or give this one a "
      "state_dir of its own",
      path);
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

absl::Status FileLock::make_private() const {
  if (::fchmod(descriptor_, S_IRUSR | S_IWUSR) == 0) return absl::OkStatus();
  return failed_precondition("database: cannot set its mode to 0600: {}", strerror(errno));
}

absl::Status create_private_file(const std::string& path) {
  SW_RETURN_IF_ERROR(remove_database(path));
  const int descriptor =
      ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (descriptor < 0) return os_error("create", path);
  ::close(descriptor);
  return absl::OkStatus();
}

absl::Status remove_database(const std::string& path) {
  for (const char* suffix : {"-wal", "-shm", "-journal", ""}) {
    const std::string name = path + suffix;
    if (::unlink(name.c_str()) != 0 && errno != ENOENT) return os_error("remove", name);
  }
  return absl::OkStatus();
}

absl::Status publish(const std::string& from, const std::string& to, bool replace) {
  SW_RETURN_IF_ERROR(sync(from, 0));
  const unsigned flags = replace ? 0 : RENAME_NOREPLACE;
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), flags) != 0) {
    return os_error("publish", to);
  }
  const std::filesystem::path folder = std::filesystem::path(to).parent_path();
  return sync(folder.empty() ? "." : folder.string(), O_DIRECTORY);
}

}  // namespace stellwerk::store::sqlite
