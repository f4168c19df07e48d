// A disk that is full or fails: every commit is refused as a whole, and goes through once there is
// room again.
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include <thread>

#include "sqlite_fixture.h"

namespace stellwerk::store {
namespace {

class SqliteFull : public SqliteFixture {};

// Runs `body` in a thread with a mount namespace of its own, in which `folder` is a file system of
// `size`. Nothing of it is seen outside.
void on_small_file_system(const std::string& folder, const char* size,
                          const std::function<void()>& body) {
  std::thread([&] {
    const int spaces = ::geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS;
    ASSERT_EQ(::unshare(CLONE_FS | spaces), 0) << strerror(errno);
    ASSERT_EQ(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0) << strerror(errno);
    ASSERT_EQ(::mount("tmpfs", folder.c_str(), "tmpfs", 0, size), 0) << strerror(errno);
    body();
    ::umount(folder.c_str());
  }).join();
}

Batch large_batch(int number) {
  return {{{fmt::format("key/{:06}", number), std::string(100'000, 'v')}}, {}};
}

TEST_F(SqliteFull, RefusesTheCommitLeavesEverythingAndGoesOnWhenThereIsRoom) {
  on_small_file_system(folder_.path(), "size=4m", [&] {
    const std::string ballast = folder_ / "ballast";
    auto store = open().value();
    Head head = store->take_over(std::nullopt, Uuid({1})).value();
    head = store->commit(head, large_batch(0)).value();
    std::ofstream(ballast) << std::string(2 << 20, 'b');

    int number = 1;
    absl::StatusOr<Head> result = head;
    while (result.ok() && number < 100) {
      head = *result;
      result = store->commit(head, large_batch(number++));
    }
    EXPECT_EQ(result.status().code(), absl::StatusCode::kResourceExhausted);
    EXPECT_TRUE(says(result.status(), "full"));
    const auto entries = store->scan({"", "z", 1000}, head);
    ASSERT_TRUE(entries.ok()) << describe(entries.status());
    EXPECT_EQ(entries->size(), static_cast<size_t>(number - 1));
    EXPECT_EQ(store->observe().value(), head);

    std::filesystem::remove(ballast);
    const auto later = store->commit(head, large_batch(number));
    ASSERT_TRUE(later.ok()) << describe(later.status());
    store.reset();
    EXPECT_EQ(open().value()->observe().value(), *later);
  });
}

// What the disk answers when it fails while the commit is written: nobody knows what it kept.
TEST_F(SqliteFull, CallsTheOutcomeUnknownWhenTheCommitCannotBeWritten) {
  auto store = open().value();
  const Head head = store->take_over(std::nullopt, Uuid({1})).value();
  const auto old_handler = ::signal(SIGXFSZ, SIG_IGN);
  struct rlimit before {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  struct rlimit small = before;
  small.rlim_cur = 50'000;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto failed = store->commit(head, large_batch(1));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ::signal(SIGXFSZ, old_handler);

  EXPECT_EQ(failed.status().code(), absl::StatusCode::kUnknown) << describe(failed.status());
  EXPECT_EQ(store->observe().value(), head);  // it did not land, so the same batch may go again
  EXPECT_TRUE(store->commit(head, large_batch(1)).ok());
}

}  // namespace
}  // namespace stellwerk::store
