// Looks at a database before anything may touch it. Private to this folder.
#pragma once

#include <cstdint>
#include <string>

#include "core/status.h"

namespace stellwerk::store::sqlite {

// The format of the database. DataLoss when it is damaged, FailedPrecondition when it is of a
// newer format or not Stellwerk's: each says so and what would do. Changes no byte of the file or
// of its directory. The caller holds its FileLock.
absl::StatusOr<uint32_t> inspect(const std::string& path);

}  // namespace stellwerk::store::sqlite
