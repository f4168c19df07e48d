// SQLite's C interface as values: connections, statements and transactions that clean up after
// themselves, result codes as statuses. Private to this folder. One thread at a time each.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/status.h"

struct sqlite3;
struct sqlite3_stmt;

namespace stellwerk::store::sqlite {

class Statement {
 public:
  Statement(Statement&&) noexcept = default;
  Statement& operator=(Statement&&) noexcept = default;

  // Parameters count from 1. The bytes must live until `reset`.
  Statement& bind(int parameter, int64_t value);
  Statement& bind_blob(int parameter, std::string_view value);

  // True: a row is there. False: done.
  absl::StatusOr<bool> step();
  // Steps to the end, drops rows, and makes the statement ready to be bound again.
  absl::Status run();
  void reset();

  // Columns count from 0; bytes live until the next step or reset.
  int64_t integer(int column) const;
  std::string_view blob(int column) const;

 private:
  friend class Connection;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

// Resets a statement at the end of a scope, so that no read transaction stays open.
class ResetAtEnd {
 public:
  explicit ResetAtEnd(Statement& statement) : statement_(statement) {}
  ~ResetAtEnd() { statement_.reset(); }
  ResetAtEnd(const ResetAtEnd&) = delete;
  ResetAtEnd& operator=(const ResetAtEnd&) = delete;

 private:
  Statement& statement_;
};

enum class OpenMode {
  kReadWrite,
  kCreate,     // refuses nothing: the file is the caller's own
  kImmutable,  // reads the main file only, touches nothing; no WAL may lie beside it
  // Reads the WAL too and touches nothing: no shared-memory file, no checkpoint at the end.
  kReadWal,
  // The same beside others that have the database open: uses the shared memory that they made.
  kReadSharedWal,
};

class Connection {
 public:
  static absl::StatusOr<Connection> open(const std::string& path, OpenMode mode);
  Connection(Connection&&) noexcept = default;
  Connection& operator=(Connection&&) noexcept = default;

  // One or more statements without parameters.
  absl::Status execute(const std::string& sql);
  absl::StatusOr<Statement> prepare(const std::string& sql);
  absl::StatusOr<int64_t> query_integer(const std::string& sql);
  // Copies the whole database into `target`, which must be empty.
  absl::Status copy_to(Connection& target);

  // True outside of a transaction.
  bool is_autocommit() const;

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  explicit Connection(sqlite3* database) : database_(database) {}
  absl::Status last_error() const;

  std::unique_ptr<sqlite3, Close> database_;
};

// A write transaction; rolled back unless committed.
class Transaction {
 public:
  explicit Transaction(Connection& connection) : connection_(connection) {}
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  absl::Status begin();
  // Unknown, when it cannot be told whether the transaction is durable.
  absl::Status commit();

 private:
  Connection& connection_;
};

}  // namespace stellwerk::store::sqlite
