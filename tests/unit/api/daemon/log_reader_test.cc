#include "api/daemon/log_reader.h"

#include <gtest/gtest.h>

#include "drivers/store/memory/memory_store.h"
#include "orchestrator/records/keys.h"
#include "orchestrator/records/records.h"

namespace stellwerk::daemon {
namespace {

class LogReaderTest : public ::testing::Test {
 protected:
  // The table of a cell whose commits `first` to `last` wrote log records.
  void write_log(uint64_t first, uint64_t last) {
    for (uint64_t i = first; i <= last; ++i) {
      put(i, records::encode(LogRecord{.sequence = Sequence(i), .events = {}, .audit = {}}));
    }
  }
  void put(uint64_t sequence, std::string bytes) {
    commit({{{records::log_key(Sequence(sequence)), std::move(bytes)}}, {}});
  }
  void trim(uint64_t sequence) { commit({{}, {records::log_key(Sequence(sequence))}}); }
  void commit(const store::Batch& batch) { head_ = store_.commit(head_, batch).value(); }

  absl::StatusOr<server::LogPage> read(uint64_t after, uint64_t durable, size_t limit = 100) {
    return read_log(store_, Sequence(after), Sequence(durable), limit);
  }
  static std::vector<uint64_t> sequences(const server::LogPage& page) {
    std::vector<uint64_t> found;
    for (const LogRecord& record : page.records) found.push_back(record.sequence.value());
    return found;
  }

  store::MemoryStore store_;
  store::Head head_ = store_.take_over(std::nullopt, Uuid({1})).value();
};

using Sequences = std::vector<uint64_t>;

TEST_F(LogReaderTest, ReadsWhatFollowsUpToWhatIsDurable) {
  write_log(2, 9);
  const auto page = read(4, 7);
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(sequences(*page), (Sequences{5, 6, 7}));
  EXPECT_EQ(page->read_up_to, Sequence(7));
  EXPECT_FALSE(page->more);
}

TEST_F(LogReaderTest, GoesOnWhereAPageEnded) {
  write_log(2, 9);
  const auto first = read(2, 9, 3).value();
  EXPECT_EQ(sequences(first), (Sequences{3, 4, 5}));
  EXPECT_TRUE(first.more);
  const auto second = read(first.read_up_to.value(), 9, 3).value();
  EXPECT_EQ(sequences(second), (Sequences{6, 7, 8}));
  const auto third = read(second.read_up_to.value(), 9, 3).value();
  EXPECT_EQ(sequences(third), (Sequences{9}));
  EXPECT_FALSE(third.more);
  EXPECT_EQ(third.read_up_to, Sequence(9));
}

TEST_F(LogReaderTest, HasNothingMoreAtTheDurableEnd) {
  write_log(2, 4);
  const auto page = read(4, 4);
  ASSERT_TRUE(page.ok());
  EXPECT_TRUE(page->records.empty());
  EXPECT_EQ(page->read_up_to, Sequence(4));
}

TEST_F(LogReaderTest, ReadsOverCommitsThatWroteNoRecord) {
  write_log(2, 4);
  write_log(6, 7);
  EXPECT_EQ(sequences(read(3, 8).value()), (Sequences{4, 6, 7}));
  EXPECT_EQ(read(3, 8).value().read_up_to, Sequence(8));
}

TEST_F(LogReaderTest, SaysWhenWhatFollowedHasBeenTrimmed) {
  write_log(2, 9);
  for (uint64_t i = 2; i <= 5; ++i) trim(i);
  const auto page = read(4, 9);
  EXPECT_EQ(page.status().code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(reason_of(page.status()), "TOKEN_TRIMMED");
  EXPECT_EQ(sequences(read(5, 9).value()), (Sequences{6, 7, 8, 9}));
}

TEST_F(LogReaderTest, BeginsAtTheOldestRecordForSequenceZero) {
  write_log(2, 9);
  for (uint64_t i = 2; i <= 5; ++i) trim(i);
  EXPECT_EQ(sequences(read(0, 9).value()), (Sequences{6, 7, 8, 9}));
}

TEST_F(LogReaderTest, RefusesATokenOfTheFuture) {
  write_log(2, 9);
  const auto page = read(10, 9);
  EXPECT_EQ(page.status().code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(reason_of(page.status()), "TOKEN_FROM_THE_FUTURE");
}

TEST_F(LogReaderTest, LeavesOutARecordThatCannotBeRead) {
  write_log(2, 3);
  put(4, "garbage");
  write_log(5, 5);
  EXPECT_EQ(sequences(read(2, 5).value()), (Sequences{3, 5}));
}

}  // namespace
}  // namespace stellwerk::daemon
