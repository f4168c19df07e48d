#include "drivers/store/sqlite/backup.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "core/digest.h"
#include "core/failpoint.h"
#include "drivers/store/sqlite/connection.h"
#include "drivers/store/sqlite/database_file.h"
#include "drivers/store/sqlite/inspect.h"
#include "drivers/store/store.h"

namespace stellwerk::store {
namespace {

using sqlite::Connection;
using sqlite::FileLock;
using sqlite::OpenMode;
using sqlite::Statement;

constexpr const char* kNoteTable =
    "CREATE TABLE backup (name TEXT PRIMARY KEY NOT NULL, value BLOB NOT NULL)";

bool exists(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(std::filesystem::symlink_status(path, error));
}

// Of a file that nobody writes.
OpenMode reading_mode(const std::string& path) {
  std::error_code error;
  const uintmax_t wal = std::filesystem::file_size(path + "-wal", error);
  return !error && wal > 0 ? OpenMode::kReadWal : OpenMode::kImmutable;
}

// A file that comes to nothing unless it is published.
class Part {
 public:
  explicit Part(const std::string& target) : path_(fmt::format("{}.part-{}", target, ::getpid())) {}
  ~Part() { (void)sqlite::remove_database(path_); }
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;

  const std::string& path() const { return path_; }

 private:
  const std::string path_;
};

absl::Status put_note(Connection& connection, const char* name, const std::string& value) {
  SW_ASSIGN_OR_RETURN(Statement put,
                      connection.prepare("INSERT INTO backup (name, value) VALUES (?1, ?2)"));
  return put.bind_blob(1, name).bind_blob(2, value).run();
}

absl::StatusOr<std::string> get_note(Connection& connection, const char* name) {
  SW_ASSIGN_OR_RETURN(Statement get,
                      connection.prepare("SELECT value FROM backup WHERE name = ?1"));
  SW_ASSIGN_OR_RETURN(const bool row, get.bind_blob(1, name).step());
  if (!row) return data_loss("the backup's note lacks {}", name);
  return std::string(get.blob(0));
}

absl::StatusOr<bool> has_note(Connection& connection) {
  SW_ASSIGN_OR_RETURN(const int64_t tables,
                      connection.query_integer("SELECT count(*) FROM sqlite_master "
                                               "WHERE type = 'table' AND name = 'backup'"));
  return tables > 0;
}

void add_piece(Sha256Stream& digest, std::string_view piece) {
  digest.update(fmt::format("{}:", piece.size()));
  digest.update(piece);
}

// SQLite finds damage to its own structure, but not to what it holds.
absl::StatusOr<std::string> digest_of_content(Connection& connection) {
  Sha256Stream digest;
  SW_ASSIGN_OR_RETURN(Statement head,
                      connection.prepare("SELECT epoch, incarnation, sequence FROM head"));
  for (;;) {
    SW_ASSIGN_OR_RETURN(const bool row, head.step());
    if (!row) break;
    add_piece(digest, fmt::format("{} {}", head.integer(0), head.integer(2)));
    add_piece(digest, head.blob(1));
  }
  SW_ASSIGN_OR_RETURN(Statement entry,
                      connection.prepare("SELECT key, value FROM entry ORDER BY key"));
  for (;;) {
    SW_ASSIGN_OR_RETURN(const bool row, entry.step());
    if (!row) return to_hex(digest.finish());
    add_piece(digest, entry.blob(0));
    add_piece(digest, entry.blob(1));
  }
}

absl::Status check_content(Connection& connection) {
  SW_ASSIGN_OR_RETURN(const std::string then, get_note(connection, "content-sha256"));
  SW_ASSIGN_OR_RETURN(const std::string now, digest_of_content(connection));
  if (now == then) return absl::OkStatus();
  return data_loss("the backup is damaged: its content is not what was backed up; use another");
}

absl::StatusOr<BackupSummary> summary_of(Connection& connection) {
  BackupSummary summary;
  SW_ASSIGN_OR_RETURN(summary.entries, connection.query_integer("SELECT count(*) FROM entry"));
  SW_ASSIGN_OR_RETURN(summary.sequence,
                      connection.query_integer("SELECT coalesce(max(sequence), 0) FROM head"));
  SW_ASSIGN_OR_RETURN(const bool noted, has_note(connection));
  if (!noted) return summary;
  SW_RETURN_IF_ERROR(check_content(connection));
  BackupNote note;
  SW_ASSIGN_OR_RETURN(note.host_uid, get_note(connection, "host-uid"));
  SW_ASSIGN_OR_RETURN(note.made_at, get_note(connection, "made-at"));
  SW_ASSIGN_OR_RETURN(note.made_by, get_note(connection, "made-by"));
  summary.note = std::move(note);
  return summary;
}

// Into a new file that needs no other beside it.
absl::Status copy_database(Connection& source, const std::string& target) {
  SW_RETURN_IF_ERROR(sqlite::create_private_file(target));
  SW_ASSIGN_OR_RETURN(Connection copy, Connection::open(target, OpenMode::kCreate));
  SW_RETURN_IF_ERROR(source.copy_to(copy));
  return copy.execute("PRAGMA journal_mode = DELETE");
}

absl::Status write_note(const std::string& path, const BackupNote& note) {
  SW_ASSIGN_OR_RETURN(Connection connection, Connection::open(path, OpenMode::kReadWrite));
  sqlite::Transaction transaction(connection);
  SW_RETURN_IF_ERROR(transaction.begin());
  // A restored database may still have its own.
  SW_RETURN_IF_ERROR(connection.execute("DROP TABLE IF EXISTS backup"));
  SW_RETURN_IF_ERROR(connection.execute(kNoteTable));
  SW_RETURN_IF_ERROR(put_note(connection, "host-uid", note.host_uid));
  SW_RETURN_IF_ERROR(put_note(connection, "made-at", note.made_at));
  SW_RETURN_IF_ERROR(put_note(connection, "made-by", note.made_by));
  SW_ASSIGN_OR_RETURN(const std::string digest, digest_of_content(connection));
  SW_RETURN_IF_ERROR(put_note(connection, "content-sha256", digest));
  return transaction.commit();
}

// With a daemon at work its shared memory tells what is committed. Without one the lock keeps one
// from starting, and nothing is left beside the database that was not there.
absl::Status copy_living_database(const std::string& database, const std::string& target) {
  const auto lock = FileLock::acquire(database);
  const auto mode = lock.ok() ? reading_mode(database) : OpenMode::kReadSharedWal;
  SW_ASSIGN_OR_RETURN(Connection source, Connection::open(database, mode));
  return copy_database(source, target);
}

absl::Status taken(const std::string& path) {
  return already_exists("{} exists already; name another file, or say --force to replace it", path);
}

// The old database in one file: what lies in its WAL is written into it. One that is damaged keeps
// its WAL, under the name that goes with it.
absl::Status set_aside(const std::string& database, const std::string& aside) {
  if (sqlite::inspect(database).ok()) {
    SW_ASSIGN_OR_RETURN(Connection old, Connection::open(database, OpenMode::kReadWrite));
    SW_RETURN_IF_ERROR(old.execute("PRAGMA wal_checkpoint(TRUNCATE)"));
  } else {
    for (const char* suffix : {"-wal", "-shm", "-journal"}) {
      if (exists(database + suffix) &&
          ::rename((database + suffix).c_str(), (aside + suffix).c_str()) != 0) {
        return failed_precondition("cannot move {}{} aside: {}", database, suffix, strerror(errno));
      }
    }
  }
  if (::link(database.c_str(), aside.c_str()) == 0) return absl::OkStatus();
  if (errno == EEXIST) return already_exists("{} exists already; move it away", aside);
  return failed_precondition("cannot keep the old database as {}: {}", aside, strerror(errno));
}

// The restored database is as any other.
absl::Status make_ordinary(const std::string& path) {
  SW_ASSIGN_OR_RETURN(Connection connection, Connection::open(path, OpenMode::kReadWrite));
  SW_RETURN_IF_ERROR(connection.execute("DROP TABLE IF EXISTS backup"));
  return connection.execute("PRAGMA journal_mode = WAL");
}

}  // namespace

absl::StatusOr<BackupSummary> back_up(const std::string& database, const std::string& target,
                                      const BackupNote& note, IfExists if_exists) {
  if (!exists(database)) return not_found("database {}: does not exist", database);
  if (exists(target)) {
    if (if_exists == IfExists::kRefuse) return taken(target);
    std::error_code error;
    if (!std::filesystem::is_regular_file(std::filesystem::symlink_status(target, error)) ||
        std::filesystem::equivalent(target, database, error)) {
      return failed_precondition("{} is not a file that a backup may replace", target);
    }
  }
  const Part part(target);
  SW_RETURN_IF_ERROR(copy_living_database(database, part.path()));
  SW_RETURN_IF_ERROR(write_note(part.path(), note));
  SW_ASSIGN_OR_RETURN(const BackupSummary summary, inspect_backup(part.path()));
  failpoint("store.backup.before");
  const absl::Status published =
      sqlite::publish(part.path(), target, if_exists == IfExists::kReplace);
  if (absl::IsAlreadyExists(published)) return taken(target);
  SW_RETURN_IF_ERROR(published);
  return summary;
}

absl::StatusOr<BackupSummary> inspect_backup(const std::string& backup) {
  // A file that cannot be read is not a damaged one.
  if (::access(backup.c_str(), R_OK) != 0) {
    return not_found("cannot read {}: {}", backup, strerror(errno));
  }
  std::error_code error;
  if (!std::filesystem::is_regular_file(backup, error)) {
    return failed_precondition("{} is not a regular file", backup);
  }
  SW_RETURN_IF_ERROR(sqlite::inspect(backup).status());
  SW_ASSIGN_OR_RETURN(Connection connection, Connection::open(backup, reading_mode(backup)));
  return summary_of(connection);
}

absl::StatusOr<BackupSummary> restore_backup(const std::string& backup, const std::string& database,
                                             const std::string& aside) {
  if (exists(aside)) return already_exists("{} exists already; move it away", aside);
  SW_RETURN_IF_ERROR(inspect_backup(backup).status());
  const Part part(database);
  {
    SW_ASSIGN_OR_RETURN(Connection source, Connection::open(backup, reading_mode(backup)));
    SW_RETURN_IF_ERROR(copy_database(source, part.path()));
  }
  // What counts is what was written, not what was read before.
  SW_ASSIGN_OR_RETURN(const BackupSummary summary, inspect_backup(part.path()));
  SW_RETURN_IF_ERROR(make_ordinary(part.path()));
  std::optional<FileLock> lock;
  if (exists(database)) {
    SW_ASSIGN_OR_RETURN(FileLock held, FileLock::acquire(database));
    lock.emplace(std::move(held));
    SW_RETURN_IF_ERROR(set_aside(database, aside));
  }
  failpoint("store.restore.before");
  SW_RETURN_IF_ERROR(sqlite::publish(part.path(), database, /*replace=*/true));
  return summary;
}

}  // namespace stellwerk::store
