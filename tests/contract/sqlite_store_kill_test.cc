// Acknowledged means durable: a process that is killed in the middle of a stream of commits leaves
// every commit that it was told of, whole, and at most the one in flight beyond.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "../support/temporary_directory.h"
#include "drivers/store/sqlite/sqlite_store.h"

namespace stellwerk::store {
namespace {

constexpr int kKeys = 20;

// Every commit rewrites all keys with its own sequence, and adds one of its own.
Batch batch_of(Sequence sequence) {
  Batch batch;
  const std::string value = fmt::format("{}:{}", sequence.value(), std::string(500, 'x'));
  for (int i = 0; i < kKeys; ++i) batch.puts.push_back({fmt::format("shared/{:02}", i), value});
  batch.puts.push_back({fmt::format("log/{:020}", sequence.value()), value});
  return batch;
}

// The child's life: commits until it is killed, telling each acknowledged sequence.
[[noreturn]] void commit_for_ever(const std::string& path, int acknowledgements) {
  auto store = SqliteStore::open(path);
  if (!store.ok()) ::_exit(1);
  auto head = (*store)->take_over((*store)->observe().value(), Uuid({7}));
  while (head.ok()) {
    head = (*store)->commit(*head, batch_of(head->sequence.next()));
    if (!head.ok()) ::_exit(2);
    const uint64_t sequence = head->sequence.value();
    if (::write(acknowledgements, &sequence, sizeof sequence) != sizeof sequence) ::_exit(3);
  }
  ::_exit(4);
}

// The last sequence that the child was told of before it died, `commits` later at the earliest.
uint64_t kill_after(const std::string& path, int commits) {
  int pipe_ends[2];
  if (::pipe(pipe_ends) != 0) std::abort();
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(pipe_ends[0]);
    commit_for_ever(path, pipe_ends[1]);
  }
  ::close(pipe_ends[1]);
  uint64_t last = 0;
  for (int seen = 0;; ++seen) {
    uint64_t sequence = 0;
    if (::read(pipe_ends[0], &sequence, sizeof sequence) != sizeof sequence) break;
    last = sequence;
    if (seen == commits) ::kill(child, SIGKILL);
  }
  ::close(pipe_ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
  return last;
}

TEST(SqliteStoreKilled, KeepsEveryAcknowledgedCommitWhole) {
  const stellwerk::testing::TemporaryDirectory folder;
  const std::string path = folder / "stellwerk.db";
  uint64_t written_before = 0;
  for (const int commits : {0, 1, 3, 10, 40, 90, 25, 7}) {
    const uint64_t acknowledged = kill_after(path, commits);
    auto opened = SqliteStore::open(path);
    ASSERT_TRUE(opened.ok()) << describe(opened.status());
    Store& store = **opened;
    const Head head = store.observe().value().value();
    EXPECT_GE(head.sequence.value(), acknowledged);
    EXPECT_LE(head.sequence.value(), acknowledged + 1);
    const auto shared = store.scan({"shared/", "shared0", 100}, head).value();
    ASSERT_EQ(shared.size(), static_cast<size_t>(kKeys));
    for (const Entry& entry : shared) {
      EXPECT_EQ(entry.value, batch_of(head.sequence).puts.front().value);
    }
    for (uint64_t i = written_before + 2; i <= head.sequence.value(); ++i) {
      EXPECT_TRUE(store.get(fmt::format("log/{:020}", i)).value().has_value()) << i;
    }
    written_before = head.sequence.value();
  }
}

}  // namespace
}  // namespace stellwerk::store
