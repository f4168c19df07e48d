// Recognises files that are often mistaken for raw disks, and formats that a prober would claim.
// Pure; any thread.
#pragma once

#include <optional>
#include <string_view>

#include "core/status.h"
#include "drivers/storage/local/random_access_reader.h"

namespace stellwerk::storage {

struct ForeignFormat {
  std::string_view looks_like;  // "a VMware disk (VMDK)"
  std::string_view remedy;      // what to type
};

// Nothing: no signature that could not also stand in an ordinary disk.
absl::StatusOr<std::optional<ForeignFormat>> find_foreign_format(const RandomAccessReader& file);

}  // namespace stellwerk::storage
