#include "drivers/store/sqlite/schema.h"

#include <array>

#include "core/failpoint.h"
#include "drivers/store/sqlite/database_file.h"
#include "drivers/store/store.h"

namespace stellwerk::store::sqlite {
namespace {

constexpr const char* kTables = R"(
  CREATE TABLE head (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    epoch       INTEGER NOT NULL,
    incarnation BLOB    NOT NULL CHECK (length(incarnation) = 16),
    sequence    INTEGER NOT NULL);
  CREATE TABLE entry (
    key   BLOB PRIMARY KEY NOT NULL,
    value BLOB NOT NULL);
)";

// Format 0 had no incarnation: a writer was known by its epoch alone.
constexpr const char* kFrom0To1 = R"(
  ALTER TABLE head RENAME TO head_of_format_0;
  CREATE TABLE head (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    epoch       INTEGER NOT NULL,
    incarnation BLOB    NOT NULL CHECK (length(incarnation) = 16),
    sequence    INTEGER NOT NULL);
  INSERT INTO head SELECT id, epoch, zeroblob(16), sequence FROM head_of_format_0;
  DROP TABLE head_of_format_0;
)";

// The n-th leads from format n to n + 1.
constexpr std::array<const char*, kFormat> kMigrations = {kFrom0To1};

absl::Status copy_before_migration(Connection& source, const std::string& path) {
  const std::string backup = fmt::format("{}.before-format-{}", path, kFormat);
  const std::string part = backup + ".part";
  SW_RETURN_IF_ERROR(create_private_file(part));
  {
    SW_ASSIGN_OR_RETURN(Connection target, Connection::open(part, OpenMode::kCreate));
    SW_RETURN_IF_ERROR(source.copy_to(target));
  }
  return publish(part, backup, /*replace=*/true);
}

}  // namespace

absl::Status create_database(const std::string& path) {
  const std::string part = path + ".new";
  SW_RETURN_IF_ERROR(create_private_file(part));
  {
    SW_ASSIGN_OR_RETURN(Connection connection, Connection::open(part, OpenMode::kCreate));
    SW_RETURN_IF_ERROR(
        connection.execute(fmt::format("PRAGMA application_id = {}", kApplicationId)));
    SW_RETURN_IF_ERROR(connection.execute(kTables));
    SW_RETURN_IF_ERROR(connection.execute(fmt::format("PRAGMA user_version = {}", kFormat)));
    SW_RETURN_IF_ERROR(connection.execute("PRAGMA journal_mode = WAL"));
  }
  return publish(part, path, /*replace=*/false);
}

absl::Status check_tables(Connection& connection, uint32_t format) {
  const char* const head = format == 0 ? "SELECT id, epoch, sequence FROM head"
                                       : "SELECT id, epoch, incarnation, sequence FROM head";
  for (const char* sql : {head, "SELECT key, value FROM entry"}) {
    const auto statement = connection.prepare(sql);
    if (!statement.ok()) {
      return data_loss("its tables are not those of format {}: {}", format,
                       message_of(statement.status()));
    }
  }
  return absl::OkStatus();
}

absl::Status migrate(const std::string& path, uint32_t from) {
  SW_ASSIGN_OR_RETURN(Connection connection, Connection::open(path, OpenMode::kReadWrite));
  SW_RETURN_IF_ERROR(connection.execute("PRAGMA synchronous = FULL"));
  SW_RETURN_IF_ERROR(copy_before_migration(connection, path));
  failpoint("store.migrate.before");
  Transaction transaction(connection);
  SW_RETURN_IF_ERROR(transaction.begin());
  for (uint32_t format = from; format < kFormat; ++format) {
    SW_RETURN_IF_ERROR(connection.execute(kMigrations[format]));
  }
  SW_RETURN_IF_ERROR(connection.execute(fmt::format("PRAGMA user_version = {}", kFormat)));
  SW_RETURN_IF_ERROR(transaction.commit());
  failpoint("store.migrate.after");
  return absl::OkStatus();
}

}  // namespace stellwerk::store::sqlite
