// QEMU processes on this host by the UUID on their command line, whoever started them: libvirt
// may have forgotten one, and a guest must never run twice.
//
// The parsing is pure; the reader takes the root of procfs as an argument. Thread-safe.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.h"
#include "core/status.h"
#include "core/time.h"

namespace stellwerk::hypervisor {

// The value of `-uuid` if this is QEMU's command line: /proc/PID/cmdline, arguments each ended by
// a NUL. A zombie's command line is empty and names nothing.
std::optional<Uuid> qemu_uuid(std::string_view command_line);

// The processes that run this UUID, ordered. An error means that the table could not be read.
absl::StatusOr<std::vector<pid_t>> find_qemu(const std::string& proc_root, const Uuid& uuid);

// A process held by descriptor, so that its number's next owner is never mistaken for it.
class ProcessHandle {
 public:
  // Nothing if there is no such process any more.
  static std::optional<ProcessHandle> open(pid_t pid);
  ProcessHandle(ProcessHandle&& other) noexcept;
  ProcessHandle& operator=(ProcessHandle&&) = delete;
  ~ProcessHandle();

  // False if it still runs after `patience`.
  bool wait_until_gone(Duration patience) const;

 private:
  explicit ProcessHandle(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace stellwerk::hypervisor
