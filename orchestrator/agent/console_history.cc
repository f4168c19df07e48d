#include "orchestrator/agent/console_history.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace stellwerk::agent {
namespace {

// Its last bytes; empty if it cannot be read.
std::string tail_of(const std::string& path, size_t most) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.is_open()) return {};
  struct stat facts {};
  std::string bytes;
  if (::fstat(file.get(), &facts) == 0) {
    const off_t from = std::max<off_t>(0, facts.st_size - static_cast<off_t>(most));
    bytes.resize(static_cast<size_t>(facts.st_size - from));
    const ssize_t got = ::pread(file.get(), bytes.data(), bytes.size(), from);
    bytes.resize(got < 0 ? 0 : static_cast<size_t>(got));
  }
  return bytes;
}

absl::Status trouble(std::string_view action, const std::string& path) {
  const int error = errno;
  const auto code = error == ENOENT   ? absl::StatusCode::kNotFound
                    : error == ENOSPC ? absl::StatusCode::kResourceExhausted
                                      : absl::StatusCode::kUnavailable;
  return make_status(code, fmt::format("cannot {} {}: {}", action, path, std::strerror(error)));
}

}  // namespace

std::string ConsoleHistory::load() const {
  const std::string current = tail_of(path_, kept_);
  if (current.size() >= kept_) return current;
  return tail_of(path_ + ".1", kept_ - current.size()) + current;
}

absl::Status ConsoleHistory::append(std::string_view bytes) {
  if (bytes.size() > kept_) bytes.remove_prefix(bytes.size() - kept_);
  if (!file_.is_open()) SW_RETURN_IF_ERROR(open_current());
  if (size_ >= kept_) SW_RETURN_IF_ERROR(begin_anew());
  while (!bytes.empty()) {
    const ssize_t written = ::write(file_.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return trouble("write", path_);
    size_ += static_cast<size_t>(written);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

absl::Status ConsoleHistory::open_current() {
  file_.reset(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file_.is_open()) return trouble("open", path_);
  struct stat facts {};
  size_ = ::fstat(file_.get(), &facts) == 0 ? static_cast<size_t>(facts.st_size) : 0;
  return absl::OkStatus();
}

absl::Status ConsoleHistory::begin_anew() {
  if (std::rename(path_.c_str(), (path_ + ".1").c_str()) != 0) return trouble("rename", path_);
  return open_current();
}

}  // namespace stellwerk::agent
