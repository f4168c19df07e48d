// Runs another program of ours and takes what it prints. Blocks.
#pragma once

#include <string>
#include <vector>

#include "core/status.h"
#include "core/time.h"

namespace stellwerk::cli {

// Standard output of `program` (a path, or a name that PATH leads to), at most 1 MiB, whatever its
// exit code. NotFound if there is no such program; DeadlineExceeded if it takes longer than
// `patience`: it is ended then. Its standard error is ours.
absl::StatusOr<std::string> output_of(const std::string& program,
                                      const std::vector<std::string>& arguments, Duration patience);

}  // namespace stellwerk::cli
