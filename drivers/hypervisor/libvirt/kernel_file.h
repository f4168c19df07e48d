// Files that the kernel makes up as they are read, in /proc and /sys. A read of one may fail
// although it was opened: its process has ended meanwhile. The standard library's stream iterators
// throw then. Thread-safe.
#pragma once

#include <optional>
#include <string>

namespace stellwerk::hypervisor {

// All of it; nothing if it cannot be opened, or cannot be read to its end.
std::optional<std::string> read_kernel_file(const std::string& path);

}  // namespace stellwerk::hypervisor
