// An older format is copied and then brought up to date in one transaction.
#include "core/failpoint.h"
#include "sqlite_fixture.h"

namespace stellwerk::store {
namespace {

class SqliteMigrates : public SqliteFixture {
 protected:
  // What a stellwerkd of format 0 left: a head without an incarnation.
  void make_format_0(uint64_t sequence = 41) {
    sql(path_,
        fmt::format("PRAGMA application_id = 0x53745765; PRAGMA user_version = 0;"
                    "CREATE TABLE head (id INTEGER PRIMARY KEY CHECK (id = 1),"
                    "  epoch INTEGER NOT NULL, sequence INTEGER NOT NULL);"
                    "CREATE TABLE entry (key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL);"
                    "INSERT INTO head VALUES (1, 3, {});"
                    "INSERT INTO entry VALUES (CAST('instance/1' AS BLOB), CAST('web' AS BLOB));"
                    "PRAGMA journal_mode = WAL;",
                    sequence));
  }
  void expect_migrated(uint64_t sequence = 41) {
    auto store = open();
    ASSERT_TRUE(store.ok()) << describe(store.status());
    const Head head{kFormat, Epoch(3), Uuid(), Sequence(sequence)};
    EXPECT_EQ((*store)->observe().value(), head);
    EXPECT_EQ((*store)->get("instance/1").value(), "web");
    EXPECT_TRUE((*store)->take_over(head, Uuid({1})).ok());
  }
  void crash_at(std::string place) {
    in_killed_child([&] {
      set_failpoint_hook([place](std::string_view name) {
        if (name == place) ::kill(::getpid(), SIGKILL);
      });
      (void)open();
      ::_exit(1);
    });
  }
  std::string backup() const { return path_ + ".before-format-1"; }
};

TEST_F(SqliteMigrates, FormatZeroAndKeepsEverything) {
  make_format_0();
  expect_migrated();
  auto again = open();
  ASSERT_TRUE(again.ok()) << describe(again.status());
  EXPECT_EQ((*again)->observe().value()->epoch, Epoch(4));
}

TEST_F(SqliteMigrates, OnlyAfterACopyThatTheOlderProgramCouldUse) {
  make_format_0();
  ASSERT_TRUE(open().ok());
  EXPECT_EQ(std::filesystem::status(backup()).permissions(), std::filesystem::perms(0600));
  // The copy is a whole database of format 0: put in place, it migrates again.
  std::filesystem::rename(backup(), path_);
  expect_migrated();
}

TEST_F(SqliteMigrates, LeavesNoHalfCopiesBehind) {
  make_format_0();
  ASSERT_TRUE(open().ok());
  const auto files = snapshot();
  EXPECT_EQ(files.size(), 2u);
  EXPECT_TRUE(files.contains("stellwerk.db.before-format-1"));
}

TEST_F(SqliteMigrates, AgainAfterACrashBetweenCopyAndMigration) {
  make_format_0();
  crash_at("store.migrate.before");
  ASSERT_TRUE(std::filesystem::exists(backup()));
  expect_migrated();
}

TEST_F(SqliteMigrates, OnceWhenItCrashedAfterTheMigration) {
  make_format_0();
  crash_at("store.migrate.after");
  const std::string copy = read(backup());
  expect_migrated();
  EXPECT_EQ(read(backup()), copy);
}

TEST_F(SqliteMigrates, WithACopyOfTheStateRightBeforeItNotOfAnEarlierOne) {
  make_format_0();
  crash_at("store.migrate.before");
  // The older program went on with the database before the upgrade was tried again.
  sql(path_, "UPDATE head SET sequence = 50");
  expect_migrated(50);
  std::filesystem::rename(backup(), path_);
  expect_migrated(50);
}

TEST_F(SqliteMigrates, NothingWhenTheCopyCannotBeMade) {
  make_format_0();
  std::filesystem::create_directories(backup() + ".part/in-the-way");
  const auto before = read(path_);
  const auto store = open();
  EXPECT_TRUE(says(store.status(), "before-format-1.part"));
  EXPECT_EQ(read(path_), before);
}

TEST_F(SqliteMigrates, NoDatabaseThatIsDamaged) {
  make_format_0();
  overwrite(4096, std::string(4096, '\xff'));
  const auto before = snapshot();
  EXPECT_TRUE(says(open().status(), "damaged"));
  EXPECT_EQ(snapshot(), before);
}

}  // namespace
}  // namespace stellwerk::store
