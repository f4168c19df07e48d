// Backups of a database in use, and what may and may not be restored from them.
#include <sched.h>
#include <sys/mount.h>

#include <atomic>
#include <thread>

#include "../../../support/in_child.h"
#include "drivers/store/sqlite/backup.h"
#include "sqlite_fixture.h"

namespace stellwerk::store {
namespace {

class SqliteBackup : public SqliteFixture {
 protected:
  static BackupNote note() {
    return {.host_uid = "0b5c1f0a-7d4e-5b1c-9a2f-3e4d5c6b7a80",
            .made_at = "2026-11-23T05:00:00Z",
            .made_by = "0.1.0"};
  }
  absl::StatusOr<BackupSummary> make(IfExists if_exists = IfExists::kRefuse) {
    return back_up(path_, backup_, note(), if_exists);
  }
  absl::StatusOr<BackupSummary> restore() { return restore_backup(backup_, path_, aside_); }
  std::vector<Entry> entries_of(SqliteStore& store) {
    return store.scan({"", "~", 1'000'000}, std::nullopt).value();
  }
  // As a daemon that is cut off: the commit lies in the WAL alone.
  void commit_and_die() {
    in_killed_child([&] {
      SqliteStore* const store = open().value().release();
      const Head head = store->take_over(store->observe().value(), Uuid({2})).value();
      (void)store->commit(head, Batch{{{"in-the-wal", "x"}}, {}});
    });
    ASSERT_GT(std::filesystem::file_size(path_ + "-wal"), 0u);
  }
  // Expects the refusal to say `words`, and that no byte in the folder has changed.
  void expect_refusal(std::string_view words) {
    const auto before = snapshot();
    const auto result = restore();
    EXPECT_FALSE(result.ok());
    EXPECT_TRUE(says(result.status(), words));
    EXPECT_EQ(snapshot(), before);
  }

  const std::string backup_ = folder_ / "backup.db";
  const std::string aside_ = folder_ / "old.db";
};

TEST_F(SqliteBackup, IsWholeAndConsistentBesideAWriterAtWork) {
  auto store = open().value();
  Head head = store->take_over(std::nullopt, Uuid({1})).value();
  std::atomic<bool> done = false;
  std::thread writer([&] {
    // Both keys change in each commit, so a torn copy would show them apart.
    for (int i = 0; i < 100; ++i) {
      const std::string value = std::to_string(i) + std::string(3000, 'v');
      head = store->commit(head, Batch{{{"a", value}, {"z", value}}, {}}).value();
    }
    done = true;
  });
  int backups = 0;
  do {
    const auto made = make(IfExists::kReplace);
    ASSERT_TRUE(made.ok()) << describe(made.status());
    auto copy = SqliteStore::open(backup_).value();
    EXPECT_EQ(copy->get("a").value(), copy->get("z").value());
    EXPECT_EQ(static_cast<int64_t>(copy->observe().value()->sequence.value()), made->sequence);
    ++backups;
  } while (!done);
  writer.join();
  EXPECT_GT(backups, 1);
}

TEST_F(SqliteBackup, OfADatabaseThatNobodyHasOpenHoldsItsWalAndLeavesNothingBeside) {
  make_database(19);
  commit_and_die();
  const auto before = snapshot();
  const auto made = make();
  ASSERT_TRUE(made.ok()) << describe(made.status());
  EXPECT_EQ(made->entries, 20);
  auto after = snapshot();
  EXPECT_EQ(after.erase("backup.db"), 1u);
  EXPECT_EQ(after, before);
}

TEST_F(SqliteBackup, IsForTheOwnerAloneAndNeedsNoFileBesideIt) {
  make_database(3);
  ASSERT_TRUE(make().ok());
  const auto permissions = std::filesystem::status(backup_).permissions();
  EXPECT_EQ(permissions & std::filesystem::perms::all, std::filesystem::perms(0600));
  EXPECT_FALSE(std::filesystem::exists(backup_ + "-wal"));
}

TEST_F(SqliteBackup, NeverReplacesAFileWithoutBeingTold) {
  make_database(3);
  std::ofstream(backup_) << "precious";
  const auto made = make();
  EXPECT_EQ(made.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(says(made.status(), "backup.db exists already"));
  EXPECT_EQ(read(backup_), "precious");
  EXPECT_EQ(snapshot().size(), 2u);
  EXPECT_TRUE(make(IfExists::kReplace).ok());
  EXPECT_EQ(inspect_backup(backup_)->note, note());
}

TEST_F(SqliteBackup, NeverReplacesTheDatabaseOrAFolder) {
  make_database(3);
  EXPECT_EQ(back_up(path_, path_, note(), IfExists::kReplace).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(back_up(path_, folder_.path(), note(), IfExists::kReplace).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(SqliteBackup, OnAFullDiskLeavesNothing) {
  make_database(2000);
  const std::string small = folder_ / "small";
  std::filesystem::create_directory(small);
  const int code = stellwerk::testing::in_child([&] {
    const int spaces = ::geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS;
    ASSERT_EQ(::unshare(spaces), 0);
    ASSERT_EQ(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    ASSERT_EQ(::mount("tmpfs", small.c_str(), "tmpfs", 0, "size=64k"), 0);
    const auto made = back_up(path_, small + "/backup.db", note(), IfExists::kRefuse);
    EXPECT_EQ(made.status().code(), absl::StatusCode::kResourceExhausted)
        << describe(made.status());
    EXPECT_TRUE(std::filesystem::is_empty(small));
  });
  EXPECT_EQ(code, 0);
}

TEST_F(SqliteBackup, OfNoDatabaseOrIntoNoFolderIsRefused) {
  EXPECT_EQ(make().status().code(), absl::StatusCode::kNotFound);
  make_database(1);
  EXPECT_TRUE(says(back_up(path_, folder_ / "no/backup", note(), IfExists::kRefuse).status(),
                   "No such file"));
}

TEST_F(SqliteBackup, RestoreBringsBackWhatWasThereAndKeepsWhatWas) {
  make_database(5);
  ASSERT_TRUE(make().ok());
  const auto then = entries_of(*open().value());
  {
    auto store = open().value();
    const Head head = store->take_over(store->observe().value(), Uuid({2})).value();
    ASSERT_TRUE(store->commit(head, Batch{{{"later", "x"}}, {"key/000000"}}).ok());
  }
  const auto restored = restore();
  ASSERT_TRUE(restored.ok()) << describe(restored.status());
  EXPECT_EQ(restored->note, note());
  auto store = open().value();
  EXPECT_EQ(entries_of(*store), then);
  EXPECT_EQ(SqliteStore::open(aside_).value()->get("later").value(), "x");
  // It is a database like any other.
  const Head head = store->take_over(store->observe().value(), Uuid({3})).value();
  EXPECT_TRUE(store->commit(head, Batch{{{"after", "y"}}, {}}).ok());
  EXPECT_TRUE(make(IfExists::kReplace).ok());
}

TEST_F(SqliteBackup, RestoreKeepsWhatLiesInTheWalOfTheOldDatabase) {
  make_database(2);
  ASSERT_TRUE(make().ok());
  commit_and_die();
  ASSERT_TRUE(restore().ok());
  EXPECT_EQ(SqliteStore::open(aside_).value()->get("in-the-wal").value(), "x");
  EXPECT_EQ(open().value()->get("in-the-wal").value(), std::nullopt);
}

TEST_F(SqliteBackup, RestoreReplacesADamagedDatabaseAndNoneAtAll) {
  make_database(5);
  ASSERT_TRUE(make().ok());
  write("rubbish");
  ASSERT_TRUE(restore().ok());
  EXPECT_EQ(read(aside_), "rubbish");
  EXPECT_EQ(entries_of(*open().value()).size(), 5u);
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path_ + suffix);
  std::filesystem::remove(aside_);
  ASSERT_TRUE(restore().ok());
  EXPECT_EQ(entries_of(*open().value()).size(), 5u);
  EXPECT_FALSE(std::filesystem::exists(aside_));
}

TEST_F(SqliteBackup, RestoreTakesAPlainCopyWithItsWal) {
  make_database(2);
  commit_and_die();
  std::filesystem::copy_file(path_, backup_);
  std::filesystem::copy_file(path_ + "-wal", backup_ + "-wal");
  const auto restored = restore();
  ASSERT_TRUE(restored.ok()) << describe(restored.status());
  EXPECT_EQ(restored->note, std::nullopt);
  EXPECT_EQ(open().value()->get("in-the-wal").value(), "x");
}

TEST_F(SqliteBackup, RestoreRefusesWhatIsNoWholeBackupAndChangesNothing) {
  make_database(50);
  ASSERT_TRUE(make().ok());
  const std::string whole = read(backup_);
  const auto with = [&](const std::string& bytes) {
    std::ofstream(backup_, std::ios::binary | std::ios::trunc) << bytes;
  };
  with(whole.substr(0, whole.size() / 2));
  expect_refusal("damaged");
  with(whole.substr(0, whole.size() - 100));
  expect_refusal("in the middle of a page");
  std::string torn = whole;
  torn.replace(torn.find("vvvvv"), 1, "w");
  with(torn);
  expect_refusal("damaged");
  with("");
  expect_refusal("0 bytes");
  with(std::string(20'000, 'x'));
  expect_refusal("does not begin like an SQLite database");
}

TEST_F(SqliteBackup, RestoreRefusesForeignAndNewerDatabases) {
  make_database(5);
  sql(backup_, "CREATE TABLE somebody (x)");
  expect_refusal("not Stellwerk's");
  std::filesystem::remove(backup_);
  ASSERT_TRUE(make().ok());
  sql(backup_, "PRAGMA user_version = 9");
  expect_refusal("has format 9");
  std::filesystem::remove(backup_);
  expect_refusal("No such file");
}

TEST_F(SqliteBackup, RestoreRefusesADatabaseInUseAndATakenName) {
  make_database(5);
  ASSERT_TRUE(make().ok());
  {
    auto store = open().value();
    expect_refusal("in use by another stellwerkd");
  }
  std::ofstream(aside_) << "older";
  expect_refusal("exists already");
}

}  // namespace
}  // namespace stellwerk::store
