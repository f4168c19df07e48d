#include "drivers/store/sqlite/connection.h"

#include <sqlite3.h>

namespace stellwerk::store::sqlite {
namespace {

// Only our own readers and a person's sqlite3 shell can make us wait.
constexpr int kBusyMilliseconds = 5000;

absl::StatusCode code_of(int result) {
  switch (result & 0xff) {
    case SQLITE_FULL:
    case SQLITE_TOOBIG: return absl::StatusCode::kResourceExhausted;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return absl::StatusCode::kUnavailable;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return absl::StatusCode::kDataLoss;
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN: return absl::StatusCode::kFailedPrecondition;
  }
  return absl::StatusCode::kInternal;
}

absl::Status error_of(sqlite3* database, int result) {
  const char* const file = sqlite3_db_filename(database, "main");
  return make_status(code_of(result), fmt::format("database {}: {} (SQLite {})",
                                                  file == nullptr ? "" : file,
                                                  sqlite3_errmsg(database), result));
}

// A path as a URI: SQLite would take '?', '#' and '%' in it for syntax.
std::string uri_of(const std::string& path, std::string_view parameters) {
  std::string uri = "file:";
  for (const char c : path) {
    if (c == '?' || c == '#' || c == '%') {
      uri += fmt::format("%{:02x}", static_cast<unsigned char>(c));
    } else {
      uri += c;
    }
  }
  return uri.append(parameters);
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

Statement& Statement::bind(int parameter, int64_t value) {
  sqlite3_bind_int64(statement_.get(), parameter, value);
  return *this;
}

Statement& Statement::bind_blob(int parameter, std::string_view value) {
  // A null pointer would bind NULL instead of no bytes.
  const char* const data = value.empty() ? "" : value.data();
  sqlite3_bind_blob64(statement_.get(), parameter, data, value.size(), SQLITE_STATIC);
  return *this;
}

absl::StatusOr<bool> Statement::step() {
  const int result = sqlite3_step(statement_.get());
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  return error_of(sqlite3_db_handle(statement_.get()), result);
}

absl::Status Statement::run() {
  const ResetAtEnd reset_at_end(*this);
  for (;;) {
    SW_ASSIGN_OR_RETURN(const bool row, step());
    if (!row) return absl::OkStatus();
  }
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
}

int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string_view Statement::blob(int column) const {
  const void* const data = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return {static_cast<const char*>(data), static_cast<size_t>(size)};
}

void Connection::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

absl::StatusOr<Connection> Connection::open(const std::string& path, OpenMode mode) {
  int flags = SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  flags |= mode == OpenMode::kImmutable ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  if (mode == OpenMode::kCreate) flags |= SQLITE_OPEN_CREATE;
  const std::string uri = uri_of(path, mode == OpenMode::kImmutable ? "?immutable=1" : "");
  sqlite3* database = nullptr;
  const int result = sqlite3_open_v2(uri.c_str(), &database, flags, nullptr);
  Connection connection(database);
  if (result != SQLITE_OK) {
    return make_status(code_of(result), fmt::format("database {}: cannot open: {}", path,
                                                    sqlite3_errstr(result)));
  }
  sqlite3_busy_timeout(database, kBusyMilliseconds);
  if (mode == OpenMode::kReadWal || mode == OpenMode::kReadSharedWal) {
    sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  }
  if (mode == OpenMode::kReadWal) {
    sqlite3_busy_timeout(database, 0);  // whoever else reads will go on reading
    SW_RETURN_IF_ERROR(connection.execute("PRAGMA locking_mode = EXCLUSIVE"));
  }
  return connection;
}

absl::Status Connection::last_error() const {
  return error_of(database_.get(), sqlite3_extended_errcode(database_.get()));
}

absl::Status Connection::execute(const std::string& sql) {
  if (sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) {
    return absl::OkStatus();
  }
  return last_error();
}

absl::StatusOr<Statement> Connection::prepare(const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(database_.get(), sql.c_str(), -1, SQLITE_PREPARE_PERSISTENT, &statement,
                         nullptr) != SQLITE_OK) {
    return last_error();
  }
  return Statement(statement);
}

absl::StatusOr<int64_t> Connection::query_integer(const std::string& sql) {
  SW_ASSIGN_OR_RETURN(Statement statement, prepare(sql));
  SW_ASSIGN_OR_RETURN(const bool row, statement.step());
  if (!row) return internal_error("no row from \"{}\"", sql);
  return statement.integer(0);
}

absl::Status Connection::copy_to(Connection& target) {
  sqlite3_backup* const backup =
      sqlite3_backup_init(target.database_.get(), "main", database_.get(), "main");
  if (backup == nullptr) return target.last_error();
  sqlite3_backup_step(backup, -1);
  if (sqlite3_backup_finish(backup) == SQLITE_OK) return absl::OkStatus();
  return target.last_error();
}

bool Connection::is_autocommit() const { return sqlite3_get_autocommit(database_.get()) != 0; }

Transaction::~Transaction() {
  // SQLite rolls back by itself on some errors, a full disk among them.
  if (!connection_.is_autocommit()) (void)connection_.execute("ROLLBACK");
}

absl::Status Transaction::begin() { return connection_.execute("BEGIN IMMEDIATE"); }

absl::Status Transaction::commit() {
  const absl::Status result = connection_.execute("COMMIT");
  switch (result.code()) {
    case absl::StatusCode::kOk:
    case absl::StatusCode::kUnavailable:
    // The disk was full before the commit's last frame was written, so there is no commit.
    case absl::StatusCode::kResourceExhausted: return result;
    default:
      return make_status(absl::StatusCode::kUnknown,
                         fmt::format("outcome of the commit unknown: {}", message_of(result)));
  }
}

}  // namespace stellwerk::store::sqlite
