// Runs one program to its end: an argument vector, no shell, a deadline, nothing inherited but an
// empty standard input. It dies with the thread that runs it, hence with the process. Its output
// is never parsed; on failure it is quoted to the reader. Blocks; any thread.
#pragma once

#include <string>
#include <vector>

#include "core/status.h"
#include "core/time.h"

namespace stellwerk::storage {

struct ChildProcess {
  std::vector<std::string> argv;  // argv[0] is looked up in PATH unless it holds a slash
  Duration deadline{};
};

// DeadlineExceeded: it was killed, by its own pid, and has been reaped. Internal: it ended with
// another code than 0; the message holds the beginning of what it wrote.
absl::Status run_to_end(const ChildProcess& child);

}  // namespace stellwerk::storage
