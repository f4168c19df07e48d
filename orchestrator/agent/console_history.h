// What is kept of a console on disk: two files, each of at most a history and one append, so that
// a guest cannot fill the disk and nothing is ever copied. When the current one is full it becomes
// the older one, and that goes.
//
// Written without fsync: it survives the end of this process, not that of the machine. The folder
// is never made here; where it is missing, the instance is gone. Blocks; one thread at a time.
#pragma once

#include <string>
#include <string_view>

#include "core/console.h"
#include "core/descriptor.h"
#include "core/status.h"

namespace stellwerk::agent {

class ConsoleHistory {
 public:
  // `path`: of the current file; the older one is `path` + ".1".
  explicit ConsoleHistory(std::string path, size_t kept = kConsoleHistory)
      : path_(std::move(path)), kept_(kept) {}
  ConsoleHistory(const ConsoleHistory&) = delete;
  ConsoleHistory& operator=(const ConsoleHistory&) = delete;

  // The last bytes, at most `kept`. What cannot be read is left out.
  std::string load() const;
  // NotFound if the folder is gone.
  absl::Status append(std::string_view bytes);

 private:
  absl::Status open_current();
  absl::Status begin_anew();

  const std::string path_;
  const size_t kept_;
  Descriptor file_;
  size_t size_ = 0;
};

}  // namespace stellwerk::agent
