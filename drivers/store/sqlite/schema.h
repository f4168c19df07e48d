// The tables of each format and the ways from one to the next. Private to this folder.
//
// The number of the format is SQLite's user_version, so that it changes in the transaction that
// changes the tables.
#pragma once

#include <cstdint>
#include <string>

#include "core/status.h"
#include "drivers/store/sqlite/connection.h"

namespace stellwerk::store::sqlite {

inline constexpr uint32_t kApplicationId = 0x53745765;  // "StWe"

// A database without entries at `path`, which must not exist; it appears whole or not at all.
absl::Status create_database(const std::string& path);

// DataLoss if the tables are not those of the format.
absl::Status check_tables(Connection& connection, uint32_t format);

// Brings a database of an older format to kFormat: first a copy, `<path>.before-format-<kFormat>`,
// then one transaction. Interrupted anywhere, it can be repeated.
absl::Status migrate(const std::string& path, uint32_t from);

}  // namespace stellwerk::store::sqlite
