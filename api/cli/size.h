// Amounts of bytes as people write them. Pure.
#pragma once

#include <string_view>

#include "core/status.h"
#include "core/units.h"

namespace stellwerk::cli {

// A whole number and a unit: B; K, M, G, T and KiB, MiB, GiB, TiB in steps of 1024; kB, KB, MB,
// GB, TB in steps of 1000. Letters in either case.
absl::StatusOr<Bytes> parse_size(std::string_view text);

}  // namespace stellwerk::cli
