// A copy of the database in one file of its own, made while the store is in use, and the way back.
//
// A backup is an SQLite database of Stellwerk's format with one table more, which says whose it is.
// It gets its name only when it is whole and durable; a restore replaces nothing before what it
// puts there is whole and durable. A plain copy by SQLite's own means can be restored, too.
// Blocks; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/status.h"

namespace stellwerk::store {

// What is needed beside the database to make a cell whole.
struct BackupNote {
  std::string host_uid;
  std::string made_at;  // RFC 3339
  std::string made_by;  // the program's version
  friend bool operator==(const BackupNote&, const BackupNote&) = default;
};

struct BackupSummary {
  std::optional<BackupNote> note;  // none: a plain copy
  int64_t entries = 0;
  int64_t sequence = 0;  // of the newest commit in it; zero: none
};

enum class IfExists { kRefuse, kReplace };

// Copies the database as it is at one moment, also while a daemon has it open. AlreadyExists if
// `target` exists and is not to be replaced; ResourceExhausted if it does not fit. On any error
// nothing is left of it, and a file that was there is as it was.
absl::StatusOr<BackupSummary> back_up(const std::string& database, const std::string& target,
                                      const BackupNote& note, IfExists if_exists);

// Reads all of a backup. DataLoss or FailedPrecondition as SqliteStore::open refuses a database.
absl::StatusOr<BackupSummary> inspect_backup(const std::string& backup);

// Puts the content of `backup` in the place of `database`, of which a copy stays as `aside`, which
// must not exist. FailedPrecondition if somebody has the database open. On any error the database
// is as it was. An `aside` is made only if there was a database.
absl::StatusOr<BackupSummary> restore_backup(const std::string& backup, const std::string& database,
                                             const std::string& aside);

}  // namespace stellwerk::store
