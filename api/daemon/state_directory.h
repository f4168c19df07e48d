// The daemon's state directory: whose it is, and the identity of the host that lies in it.
//
// Opening it changes nothing but the directory's existence, so that a daemon that then refuses its
// database has touched nothing. One thread.
#pragma once

#include <optional>
#include <string>

#include "core/ids.h"
#include "core/status.h"

namespace stellwerk::daemon {

// The identity that lies in a state directory, also while a daemon works in it; none: no daemon
// ever did. DataLoss when the file holds something else.
absl::StatusOr<std::optional<HostUid>> read_host_uid(const std::string& state_dir);

class StateDirectory {
 public:
  // Makes the directory if it is missing. FailedPrecondition, with the other's pid, when another
  // daemon works in it; the kernel drops the lock with the process.
  static absl::StatusOr<StateDirectory> open(const std::string& path);
  ~StateDirectory();
  StateDirectory(StateDirectory&& other) noexcept;
  StateDirectory& operator=(StateDirectory&&) = delete;

  static std::string database_in(const std::string& path) { return path + "/stellwerk.db"; }
  std::string database_path() const { return database_in(path_); }

  // The host's identity: `fresh` the first time, durable before it is returned, and ever since the
  // same. DataLoss when the file holds something else: a new identity would orphan every guest.
  absl::StatusOr<HostUid> host_uid(const HostUid& fresh) const;

 private:
  StateDirectory(std::string path, int descriptor)
      : path_(std::move(path)), descriptor_(descriptor) {}

  absl::Status write_host_uid(const HostUid& uid) const;

  std::string path_;
  int descriptor_;
};

}  // namespace stellwerk::daemon
