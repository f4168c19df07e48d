// A database in a folder of its own, what lies in that folder, and raw SQL on it.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <sstream>
#include <string>

#include "../../../support/temporary_directory.h"
#include "core/digest.h"
#include "drivers/store/sqlite/sqlite_store.h"

namespace stellwerk::store {

class SqliteFixture : public ::testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<SqliteStore>> open() { return SqliteStore::open(path_); }

  // A database with `entries` records of some size, closed again.
  void make_database(int entries) {
    auto store = open().value();
    Head head = store->take_over(std::nullopt, Uuid({1})).value();
    for (int i = 0; i < entries; ++i) {
      const Batch batch{{{fmt::format("key/{:06}", i), std::string(700, 'v')}}, {}};
      head = store->commit(head, batch).value();
    }
  }

  // Name -> digest of every file in the folder.
  std::map<std::string, std::string> snapshot() const {
    std::map<std::string, std::string> files;
    for (const auto& file : std::filesystem::directory_iterator(folder_.path())) {
      files[file.path().filename()] = to_hex(sha256(read(file.path())));
    }
    return files;
  }

  static std::string read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream bytes;
    bytes << file.rdbuf();
    return bytes.str();
  }
  void write(const std::string& bytes) const {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes;
  }
  void overwrite(size_t offset, const std::string& bytes) const {
    std::string all = read(path_);
    all.replace(offset, bytes.size(), bytes);
    write(all);
  }

  static void sql(const std::string& path, const std::string& statements) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
    char* error = nullptr;
    EXPECT_EQ(sqlite3_exec(database, statements.c_str(), nullptr, nullptr, &error), SQLITE_OK)
        << error;
    sqlite3_free(error);
    sqlite3_close(database);
  }

  // Runs `body` in a child that dies by SIGKILL at its end, as a crash would end it.
  static void in_killed_child(const std::function<void()>& body) {
    const pid_t child = ::fork();
    if (child == 0) {
      body();
      ::kill(::getpid(), SIGKILL);
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
  }

  stellwerk::testing::TemporaryDirectory folder_;
  std::string path_ = folder_ / "stellwerk.db";
};

inline ::testing::AssertionResult says(const absl::Status& status, std::string_view words) {
  const bool found = message_of(status).find(words) != std::string_view::npos;
  if (found) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << describe(status) << " does not say \"" << words << '"';
}

}  // namespace stellwerk::store
