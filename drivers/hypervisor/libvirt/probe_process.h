// One child process that is watched for a line of output and ended by its own process id.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/status.h"
#include "core/time.h"

namespace stellwerk::hypervisor {

// A file without a name; other processes open it by `path` while this one holds it.
class MemoryFile {
 public:
  static absl::StatusOr<MemoryFile> create(std::string_view content);
  MemoryFile(MemoryFile&& other) noexcept;
  MemoryFile& operator=(MemoryFile&&) = delete;
  ~MemoryFile();

  std::string path() const;

 private:
  explicit MemoryFile(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

// Runs a program with its standard output and error read by us, until `marker` appears: OK.
// DeadlineExceeded after `limit`, FailedPrecondition if the output ends first; both quote the end
// of the output. The child is dead and reaped on return, and dies with the calling thread.
absl::Status run_until(const std::vector<std::string>& arguments, std::string_view marker,
                       Duration limit);

}  // namespace stellwerk::hypervisor
