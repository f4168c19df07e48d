// Files with errors as values and with durability spelled out: a name is durable once the file and
// then its directory were synced. Paths are never a caller's text. Any thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/descriptor.h"
#include "core/status.h"
#include "core/units.h"
#include "drivers/storage/local/random_access_reader.h"

namespace stellwerk::storage {

// "cannot write /x: No space left on device", with the code that suits `error` (an errno):
// a full disk is ResourceExhausted, a missing file NotFound, and so on.
absl::Status file_error(int error, std::string_view action, std::string_view path);

absl::StatusOr<Descriptor> open_file(const std::string& path, int flags, mode_t mode = 0);
absl::StatusOr<bool> file_exists(const std::string& path);
absl::Status write_all(const Descriptor& file, std::string_view bytes, std::string_view path);
// Small files only: fails when there are more than `limit` bytes.
absl::StatusOr<std::string> read_small_file(const std::string& path, size_t limit);

absl::Status sync_file(const Descriptor& file, std::string_view path);
absl::Status sync_directory(const std::string& path);
// Gives a synced file its final name, replacing what bore it, and syncs the directory.
absl::Status publish(const std::string& partial, const std::string& path);

// Existing is OK and gets `mode`, too; the parent must exist. Durable.
absl::Status ensure_directory(const std::string& path, mode_t mode);
// Missing is OK. Not durable by itself.
absl::Status remove_file(const std::string& path);
absl::Status remove_tree(const std::string& path);
// Names without "." and "..", in order.
absl::StatusOr<std::vector<std::string>> list_directory(const std::string& path);

struct Space {
  Bytes capacity;
  Bytes available;  // to us
};
absl::StatusOr<Space> space_at(const std::string& path);

class FileReader final : public RandomAccessReader {
 public:
  static absl::StatusOr<FileReader> open(const std::string& path);

  uint64_t size() const override { return size_; }
  absl::Status read(uint64_t offset, std::span<uint8_t> into) const override;

 private:
  FileReader(Descriptor file, uint64_t size, std::string path)
      : file_(std::move(file)), size_(size), path_(std::move(path)) {}

  Descriptor file_;
  uint64_t size_;
  std::string path_;
};

}  // namespace stellwerk::storage
