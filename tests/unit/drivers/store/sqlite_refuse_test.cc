// A damaged or newer database: refuse to start, say so, touch nothing.
#include "sqlite_fixture.h"

namespace stellwerk::store {
namespace {

class SqliteRefuses : public SqliteFixture {
 protected:
  // Opens, expects the refusal to say `words`, and that no byte in the folder has changed.
  void expect_refusal(absl::StatusCode code, std::string_view words) {
    const auto before = snapshot();
    const auto store = open();
    EXPECT_EQ(store.status().code(), code) << describe(store.status());
    EXPECT_TRUE(says(store.status(), path_));
    EXPECT_TRUE(says(store.status(), words));
    EXPECT_TRUE(says(store.status(), "Nothing was changed"));
    EXPECT_EQ(snapshot(), before);
  }
  void expect_damaged(std::string_view words) {
    expect_refusal(absl::StatusCode::kDataLoss, "damaged");
    expect_refusal(absl::StatusCode::kDataLoss, words);
  }
};

TEST_F(SqliteRefuses, ANewerFormatAndNamesBoth) {
  make_database(10);
  sql(path_, "PRAGMA user_version = 2");
  expect_refusal(absl::StatusCode::kFailedPrecondition,
                 "has format 2, this stellwerkd reads formats up to 1");
}

TEST_F(SqliteRefuses, ANewerFormatThatLiesInTheWalAlone) {
  make_database(10);
  in_killed_child([&] {
    sqlite3* database = nullptr;
    sqlite3_open(path_.c_str(), &database);
    sqlite3_exec(database, "PRAGMA user_version = 3; CREATE TABLE later (x)", nullptr, nullptr,
                 nullptr);
  });
  ASSERT_GT(std::filesystem::file_size(path_ + "-wal"), 0u);
  expect_refusal(absl::StatusCode::kFailedPrecondition,
                 "has format 3, this stellwerkd reads formats up to 1");
}

TEST_F(SqliteRefuses, AnEmptyFile) {
  write("");
  expect_damaged("it has only 0 bytes");
}

TEST_F(SqliteRefuses, Garbage) {
  write(std::string(20'000, 'x'));
  expect_damaged("does not begin like an SQLite database");
}

TEST_F(SqliteRefuses, AnOverwrittenHeader) {
  make_database(10);
  overwrite(0, std::string(16, '\0'));
  expect_damaged("does not begin like an SQLite database");
}

TEST_F(SqliteRefuses, ATruncatedDatabase) {
  make_database(100);
  const auto size = std::filesystem::file_size(path_);
  for (const auto length : {size - 1, size / 2, size / 2 + 100, size_t{4096}, size_t{200}}) {
    std::filesystem::resize_file(path_, length);
    expect_refusal(absl::StatusCode::kDataLoss, "damaged");
  }
}

TEST_F(SqliteRefuses, APageThatWasOverwritten) {
  make_database(100);
  const std::string whole = read(path_);
  // Every page but the first, whose damage other tests are about.
  for (size_t page = 1; page < whole.size() / 4096; page += 3) {
    write(whole);
    overwrite(page * 4096, std::string(4096, '\xff'));
    expect_refusal(absl::StatusCode::kDataLoss, "damaged");
  }
}

TEST_F(SqliteRefuses, ADamagedDatabaseWithAWalBesideIt) {
  make_database(100);
  in_killed_child([&] {
    auto store = open().value();
    (void)store->take_over(store->observe().value(), Uuid({2}));
    (void)store.release();
  });
  ASSERT_GT(std::filesystem::file_size(path_ + "-wal"), 0u);
  overwrite(8 * 4096, std::string(4096, '\xff'));
  expect_refusal(absl::StatusCode::kDataLoss, "damaged");
}

TEST_F(SqliteRefuses, AnotherProgramsDatabase) {
  sql(path_, "CREATE TABLE notes (text); INSERT INTO notes VALUES ('mine')");
  expect_refusal(absl::StatusCode::kFailedPrecondition, "not Stellwerk's");
}

TEST_F(SqliteRefuses, TablesThatAreNotThoseOfTheFormat) {
  make_database(1);
  sql(path_, "DROP TABLE entry");
  expect_damaged("its tables are not those of format 1");
}

TEST_F(SqliteRefuses, ARollbackJournalThatItDidNotWrite) {
  make_database(1);
  std::ofstream(path_ + "-journal") << "something";
  expect_damaged("rollback journal");
}

TEST_F(SqliteRefuses, AFolderInPlaceOfTheDatabase) {
  std::filesystem::create_directory(path_);
  EXPECT_TRUE(says(open().status(), "is not a regular file"));
}

}  // namespace
}  // namespace stellwerk::store
