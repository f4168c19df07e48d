#include "drivers/store/sqlite/sqlite_store.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <mutex>

#include "core/failpoint.h"
#include "drivers/store/limits.h"
#include "drivers/store/sqlite/connection.h"
#include "drivers/store/sqlite/database_file.h"
#include "drivers/store/sqlite/inspect.h"
#include "drivers/store/sqlite/schema.h"

namespace stellwerk::store {
namespace {

using sqlite::Connection;
using sqlite::ResetAtEnd;
using sqlite::Statement;

constexpr const char* kSelectHead = "SELECT epoch, incarnation, sequence FROM head WHERE id = 1";

// The WAL is cut back to this after a checkpoint; it grows beyond it only while a long read runs.
constexpr const char* kPragmas =
    "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 16777216; PRAGMA trusted_schema = OFF";

struct Writer {
  Connection connection;
  Statement select_head;
  Statement write_head;
  Statement put;
  Statement remove;

  static absl::StatusOr<Writer> open(const std::string& path) {
    SW_ASSIGN_OR_RETURN(Connection connection,
                        Connection::open(path, sqlite::OpenMode::kReadWrite));
    SW_RETURN_IF_ERROR(connection.execute(kPragmas));
    SW_RETURN_IF_ERROR(connection.execute("PRAGMA journal_mode = WAL"));
    SW_ASSIGN_OR_RETURN(Statement select_head, connection.prepare(kSelectHead));
    SW_ASSIGN_OR_RETURN(Statement write_head,
                        connection.prepare("INSERT OR REPLACE INTO head "
                                           "(id, epoch, incarnation, sequence) "
                                           "VALUES (1, ?1, ?2, ?3)"));
    SW_ASSIGN_OR_RETURN(Statement put,
                        connection.prepare("INSERT INTO entry (key, value) VALUES (?1, ?2) "
                                           "ON CONFLICT (key) DO UPDATE SET value = ?2"));
    SW_ASSIGN_OR_RETURN(Statement remove, connection.prepare("DELETE FROM entry WHERE key = ?1"));
    return Writer{std::move(connection), std::move(select_head), std::move(write_head),
                  std::move(put), std::move(remove)};
  }
};

struct Reader {
  Connection connection;
  Statement select_head;
  Statement get;
  Statement scan;

  static absl::StatusOr<Reader> open(const std::string& path) {
    SW_ASSIGN_OR_RETURN(Connection connection,
                        Connection::open(path, sqlite::OpenMode::kReadWrite));
    SW_RETURN_IF_ERROR(connection.execute(kPragmas));
    SW_RETURN_IF_ERROR(connection.execute("PRAGMA query_only = ON"));
    SW_ASSIGN_OR_RETURN(Statement select_head, connection.prepare(kSelectHead));
    SW_ASSIGN_OR_RETURN(Statement get,
                        connection.prepare("SELECT value FROM entry WHERE key = ?1"));
    SW_ASSIGN_OR_RETURN(Statement scan,
                        connection.prepare("SELECT key, value FROM entry "
                                           "WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT ?3"));
    return Reader{std::move(connection), std::move(select_head), std::move(get), std::move(scan)};
  }
};

absl::StatusOr<std::optional<Head>> read_head(Statement& select_head) {
  const ResetAtEnd reset_at_end(select_head);
  SW_ASSIGN_OR_RETURN(const bool row, select_head.step());
  if (!row) return std::nullopt;
  const std::string_view bytes = select_head.blob(1);
  std::array<uint8_t, 16> incarnation{};
  if (bytes.size() != incarnation.size()) return data_loss("the head's incarnation is damaged");
  std::copy(bytes.begin(), bytes.end(), incarnation.begin());
  return Head{.format = kFormat,
              .epoch = Epoch(static_cast<uint64_t>(select_head.integer(0))),
              .incarnation = Uuid(incarnation),
              .sequence = Sequence(static_cast<uint64_t>(select_head.integer(2)))};
}

absl::Status write_head(Statement& statement, const Head& head) {
  const auto& bytes = head.incarnation.bytes();
  return statement.bind(1, static_cast<int64_t>(head.epoch.value()))
      .bind_blob(2, {reinterpret_cast<const char*>(bytes.data()), bytes.size()})
      .bind(3, static_cast<int64_t>(head.sequence.value()))
      .run();
}

}  // namespace

// Order matters: the lock goes last, when no connection has the file open any more.
struct SqliteStore::Body {
  sqlite::FileLock lock;
  Writer writer;
  std::mutex reader_mutex;
  Reader reader;
};

absl::StatusOr<std::unique_ptr<SqliteStore>> SqliteStore::open(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(std::filesystem::symlink_status(path, error))) {
    SW_RETURN_IF_ERROR(sqlite::create_database(path));
  }
  SW_ASSIGN_OR_RETURN(sqlite::FileLock lock, sqlite::FileLock::acquire(path));
  SW_ASSIGN_OR_RETURN(const uint32_t format, sqlite::inspect(path));
  SW_RETURN_IF_ERROR(lock.make_private());
  if (format < kFormat) SW_RETURN_IF_ERROR(sqlite::migrate(path, format));
  SW_ASSIGN_OR_RETURN(Writer writer, Writer::open(path));
  SW_ASSIGN_OR_RETURN(Reader reader, Reader::open(path));
  return std::unique_ptr<SqliteStore>(new SqliteStore(
      std::unique_ptr<Body>(new Body{std::move(lock), std::move(writer), {}, std::move(reader)})));
}

SqliteStore::SqliteStore(std::unique_ptr<Body> body) : body_(std::move(body)) {}
SqliteStore::~SqliteStore() = default;

absl::StatusOr<std::optional<Head>> SqliteStore::observe() {
  const std::lock_guard lock(body_->reader_mutex);
  return read_head(body_->reader.select_head);
}

absl::StatusOr<Head> SqliteStore::take_over(const std::optional<Head>& seen,
                                            const Uuid& incarnation) {
  return advance(seen, head_after_takeover(seen, incarnation), Batch());
}

absl::StatusOr<Head> SqliteStore::commit(const Head& previous, const Batch& batch) {
  failpoint("store.commit.before");
  SW_RETURN_IF_ERROR(check_batch(batch));
  SW_ASSIGN_OR_RETURN(const Head head, advance(previous, head_after_commit(previous), batch));
  failpoint("store.commit.after");
  return head;
}

absl::StatusOr<Head> SqliteStore::advance(const std::optional<Head>& expected, const Head& next,
                                          const Batch& batch) {
  Writer& writer = body_->writer;
  sqlite::Transaction transaction(writer.connection);
  SW_RETURN_IF_ERROR(transaction.begin());
  SW_ASSIGN_OR_RETURN(const std::optional<Head> actual, read_head(writer.select_head));
  SW_RETURN_IF_ERROR(check_head(actual, expected));
  for (const Entry& entry : batch.puts) {
    SW_RETURN_IF_ERROR(writer.put.bind_blob(1, entry.key).bind_blob(2, entry.value).run());
  }
  for (const std::string& key : batch.deletes) {
    SW_RETURN_IF_ERROR(writer.remove.bind_blob(1, key).run());
  }
  SW_RETURN_IF_ERROR(write_head(writer.write_head, next));
  SW_RETURN_IF_ERROR(transaction.commit());
  return next;
}

absl::StatusOr<std::optional<std::string>> SqliteStore::get(const std::string& key) {
  const std::lock_guard lock(body_->reader_mutex);
  Statement& get = body_->reader.get;
  const ResetAtEnd reset_at_end(get);
  SW_ASSIGN_OR_RETURN(const bool row, get.bind_blob(1, key).step());
  if (!row) return std::nullopt;
  return std::string(get.blob(0));
}

absl::StatusOr<std::vector<Entry>> SqliteStore::scan(const ScanRange& range,
                                                     const std::optional<Head>& guard) {
  const std::lock_guard lock(body_->reader_mutex);
  Reader& reader = body_->reader;
  // One read transaction, so that the page is of the head that was checked.
  SW_RETURN_IF_ERROR(reader.connection.execute("BEGIN"));
  const sqlite::Transaction rolled_back_at_end(reader.connection);
  if (guard) {
    SW_ASSIGN_OR_RETURN(const std::optional<Head> head, read_head(reader.select_head));
    SW_RETURN_IF_ERROR(check_guard(head, *guard));
  }
  const ResetAtEnd reset_at_end(reader.scan);
  const size_t largest = std::numeric_limits<int64_t>::max();
  reader.scan.bind_blob(1, range.begin).bind_blob(2, range.end);
  reader.scan.bind(3, static_cast<int64_t>(std::min(range.limit, largest)));
  std::vector<Entry> page;
  for (;;) {
    SW_ASSIGN_OR_RETURN(const bool row, reader.scan.step());
    if (!row) return page;
    page.push_back({std::string(reader.scan.blob(0)), std::string(reader.scan.blob(1))});
  }
}

}  // namespace stellwerk::store
