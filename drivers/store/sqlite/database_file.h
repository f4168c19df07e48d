// The database as a file: its lock, its permissions, durable renames. Private to this folder.
#pragma once

#include <string>

#include "core/status.h"

namespace stellwerk::store::sqlite {

// Keeps a second process (and a second store in this one) off the database for as long as it
// lives. An flock on the database itself: it needs no file of its own, so a refused start leaves
// the directory as it was, and the kernel drops it with the process. SQLite's own locks are of
// another kind and are not affected.
class FileLock {
 public:
  static absl::StatusOr<FileLock> acquire(const std::string& path);
  ~FileLock();
  FileLock(FileLock&& other) noexcept : descriptor_(other.descriptor_) { other.descriptor_ = -1; }
  FileLock& operator=(FileLock&&) = delete;

  // Readable and writable by the owner alone.
  absl::Status make_private() const;

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

// An empty file with mode 0600; whatever had the name is removed first.
absl::Status create_private_file(const std::string& path);
// Removes the file and what SQLite may have left beside it.
absl::Status remove_database(const std::string& path);
// Gives the file its final name, durably. `replace` false: AlreadyExists if the name is taken.
absl::Status publish(const std::string& from, const std::string& to, bool replace);

}  // namespace stellwerk::store::sqlite
