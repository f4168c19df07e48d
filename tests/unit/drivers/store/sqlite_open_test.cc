#include <sys/stat.h>

#include "core/failpoint.h"
#include "sqlite_fixture.h"

namespace stellwerk::store {
namespace {

class SqliteOpen : public SqliteFixture {};

TEST_F(SqliteOpen, MakesADatabaseThatOnlyItsOwnerMayRead) {
  const mode_t before = ::umask(0);
  const auto store = open();
  ::umask(before);
  ASSERT_TRUE(store.ok()) << describe(store.status());
  ASSERT_TRUE((*store)->take_over(std::nullopt, Uuid({1})).ok());
  for (const auto& file : std::filesystem::directory_iterator(folder_.path())) {
    struct stat info {};
    ASSERT_EQ(::stat(file.path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u) << file.path();
  }
}

TEST_F(SqliteOpen, TakesOthersTheRightToReadAnExistingDatabase) {
  make_database(1);
  std::filesystem::permissions(path_, std::filesystem::perms(0644));
  ASSERT_TRUE(open().ok());
  EXPECT_EQ(std::filesystem::status(path_).permissions(), std::filesystem::perms(0600));
}

TEST_F(SqliteOpen, LeavesNothingButTheDatabaseWhenClosed) {
  make_database(10);
  EXPECT_EQ(snapshot().size(), 1u);
}

TEST_F(SqliteOpen, FindsWhatWasCommittedBefore) {
  make_database(10);
  auto store = open().value();
  EXPECT_EQ(store->observe().value()->sequence, Sequence(11));
  EXPECT_EQ(store->get("key/000009").value(), std::string(700, 'v'));
}

TEST_F(SqliteOpen, FindsWhatWasCommittedBeforeACrash) {
  in_killed_child([&] {
    auto store = open().value();
    const Head head = store->take_over(std::nullopt, Uuid({1})).value();
    (void)store->commit(head, {{{"a", "1"}}, {}}).value();
    (void)store.release();
  });
  ASSERT_TRUE(std::filesystem::exists(path_ + "-wal"));
  EXPECT_EQ(open().value()->get("a").value(), "1");
}

TEST_F(SqliteOpen, RefusesASecondStoreOnTheSameDatabase) {
  const auto first = open();
  ASSERT_TRUE(first.ok());
  const auto second = open();
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(says(second.status(), "in use by another stellwerkd"));
  EXPECT_TRUE((*first)->take_over(std::nullopt, Uuid({1})).ok());
}

TEST_F(SqliteOpen, RefusesADatabaseThatAnotherProcessHas) {
  int ready[2];
  int finish[2];
  ASSERT_EQ(::pipe(ready), 0);
  ASSERT_EQ(::pipe(finish), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(finish[1]);
    const auto store = open();
    const char byte = store.ok() ? 'y' : 'n';
    if (::write(ready[1], &byte, 1) != 1) ::_exit(1);
    char ignored;
    ::_exit(::read(finish[0], &ignored, 1) == 0 ? 0 : 1);
  }
  char answer = 0;
  ASSERT_EQ(::read(ready[0], &answer, 1), 1);
  ASSERT_EQ(answer, 'y');
  EXPECT_TRUE(says(open().status(), "in use by another stellwerkd"));
  for (const int end : {ready[0], ready[1], finish[0], finish[1]}) ::close(end);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_TRUE(open().ok());
}

TEST_F(SqliteOpen, SaysSoWhenTheFolderIsMissing) {
  const auto store = SqliteStore::open(folder_ / "missing/stellwerk.db");
  EXPECT_TRUE(says(store.status(), "missing/stellwerk.db"));
  EXPECT_TRUE(says(store.status(), "No such file or directory"));
}

TEST_F(SqliteOpen, TakesPathsWithCharactersThatUrisUse) {
  const std::string path = folder_ / "a?b=c#d%41.db";
  ASSERT_TRUE(SqliteStore::open(path).ok());
  EXPECT_TRUE(std::filesystem::exists(path));
}

TEST_F(SqliteOpen, StartsAnewAfterACrashWhileMakingTheDatabase) {
  std::ofstream(path_ + ".new") << "half a database";
  std::ofstream(path_ + ".new-journal") << "half a journal";
  ASSERT_TRUE(open().ok());
  EXPECT_EQ(snapshot().size(), 1u);
}

TEST_F(SqliteOpen, PassesTheFailpointsOfACommit) {
  auto store = open().value();
  const Head head = store->take_over(std::nullopt, Uuid({1})).value();
  std::vector<std::string> passed;
  set_failpoint_hook([&](std::string_view name) { passed.emplace_back(name); });
  const auto result = store->commit(head, {});
  set_failpoint_hook({});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(passed, (std::vector<std::string>{"store.commit.before", "store.commit.after"}));
}

}  // namespace
}  // namespace stellwerk::store
