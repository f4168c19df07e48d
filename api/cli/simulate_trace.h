// Reads a trace from a file, plain or xz. One thread.
#pragma once

#include <cstdint>
#include <string>

#include "core/status.h"
#include "placement/simulate/trace.h"

namespace stellwerk::cli {

// Of the text, not of the file: a few kilobytes of xz may unfold to any size.
inline constexpr uint64_t kMostTraceBytes = uint64_t{4} << 30;

// A name that ends with ".xz" is decompressed. Mistakes are usage errors that name the file, and of
// its content the line and the column.
absl::StatusOr<placement::simulate::Trace> read_trace(const std::string& path,
                                                      uint64_t most_bytes = kMostTraceBytes);

}  // namespace stellwerk::cli
