#include "drivers/storage/local/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

namespace stellwerk::storage {
namespace {

absl::StatusCode code_for(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return absl::StatusCode::kResourceExhausted;
    case ENOENT:
      return absl::StatusCode::kNotFound;
    case EEXIST:
      return absl::StatusCode::kAlreadyExists;
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::StatusCode::kPermissionDenied;
    default:
      return absl::StatusCode::kInternal;
  }
}

std::string parent_of(const std::string& path) {
  return std::filesystem::path(path).parent_path().string();
}

}  // namespace

absl::Status file_error(int error, std::string_view action, std::string_view path) {
  return make_status(code_for(error), fmt::format("cannot {} {}: {}", action, path,
                                                  std::generic_category().message(error)));
}

absl::StatusOr<Descriptor> open_file(const std::string& path, int flags, mode_t mode) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, mode);
  if (fd < 0) return file_error(errno, (flags & O_CREAT) ? "create" : "open", path);
  return Descriptor(fd);
}

absl::StatusOr<bool> file_exists(const std::string& path) {
  struct stat facts {};
  if (::lstat(path.c_str(), &facts) == 0) return true;
  if (errno == ENOENT) return false;
  return file_error(errno, "look at", path);
}

absl::Status write_all(const Descriptor& file, std::string_view bytes, std::string_view path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return file_error(errno, "write", path);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> read_small_file(const std::string& path, size_t limit) {
  SW_ASSIGN_OR_RETURN(const FileReader reader, FileReader::open(path));
  if (reader.size() > limit) {
    return data_loss("{} has {} bytes; at most {} were expected", path, reader.size(), limit);
  }
  std::string text(reader.size(), '\0');
  SW_RETURN_IF_ERROR(reader.read(0, {reinterpret_cast<uint8_t*>(text.data()), text.size()}));
  return text;
}

absl::Status sync_file(const Descriptor& file, std::string_view path) {
  if (::fsync(file.get()) != 0) return file_error(errno, "sync", path);
  return absl::OkStatus();
}

absl::Status sync_directory(const std::string& path) {
  SW_ASSIGN_OR_RETURN(const Descriptor directory, open_file(path, O_RDONLY | O_DIRECTORY));
  return sync_file(directory, path);
}

absl::Status publish(const std::string& partial, const std::string& path) {
  if (::rename(partial.c_str(), path.c_str()) != 0) return file_error(errno, "publish", path);
  return sync_directory(parent_of(path));
}

absl::Status ensure_directory(const std::string& path, mode_t mode) {
  const bool made = ::mkdir(path.c_str(), mode) == 0;
  if (!made && errno != EEXIST) return file_error(errno, "create the directory", path);
  SW_ASSIGN_OR_RETURN(const Descriptor directory, open_file(path, O_RDONLY | O_DIRECTORY));
  // Said again because mkdir's mode passes through the umask.
  if (::fchmod(directory.get(), mode) != 0) return file_error(errno, "set the mode of", path);
  return made ? sync_directory(parent_of(path)) : absl::OkStatus();
}

absl::Status remove_file(const std::string& path) {
  if (::unlink(path.c_str()) == 0 || errno == ENOENT) return absl::OkStatus();
  return file_error(errno, "remove", path);
}

absl::Status remove_tree(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (error) return file_error(error.value(), "remove", path);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> list_directory(const std::string& path) {
  std::vector<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator entry(path, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  if (error) return file_error(error.value(), "list", path);
  std::sort(names.begin(), names.end());
  return names;
}

absl::StatusOr<Space> space_at(const std::string& path) {
  struct statvfs facts {};
  if (::statvfs(path.c_str(), &facts) != 0) return file_error(errno, "measure", path);
  const auto bytes = [&](fsblkcnt_t blocks) {
    return Bytes(static_cast<int64_t>(blocks)) * static_cast<int64_t>(facts.f_frsize);
  };
  return Space{.capacity = bytes(facts.f_blocks), .available = bytes(facts.f_bavail)};
}

absl::StatusOr<FileReader> FileReader::open(const std::string& path) {
  SW_ASSIGN_OR_RETURN(Descriptor file, open_file(path, O_RDONLY));
  struct stat facts {};
  if (::fstat(file.get(), &facts) != 0) return file_error(errno, "look at", path);
  if (!S_ISREG(facts.st_mode)) return failed_precondition("{} is not a regular file", path);
  return FileReader(std::move(file), static_cast<uint64_t>(facts.st_size), path);
}

absl::Status FileReader::read(uint64_t offset, std::span<uint8_t> into) const {
  if (offset > size_ || into.size() > size_ - offset) {
    return out_of_range("{} ends at byte {}", path_, size_);
  }
  while (!into.empty()) {
    const ssize_t got = ::pread(file_.get(), into.data(), into.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return file_error(errno, "read", path_);
    if (got == 0) return data_loss("{} became shorter while it was read", path_);
    into = into.subspan(static_cast<size_t>(got));
    offset += static_cast<uint64_t>(got);
  }
  return absl::OkStatus();
}

}  // namespace stellwerk::storage
