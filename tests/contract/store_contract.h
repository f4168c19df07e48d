// What drivers/store/store.h promises, as tests. Each implementation instantiates the suite with a
// factory of empty stores.
#pragma once

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "core/failpoint.h"
#include "drivers/store/limits.h"
#include "drivers/store/store.h"

namespace stellwerk::store {

// Keeps alive whatever the store needs; `store` is empty at first.
class StoreSubject {
 public:
  virtual ~StoreSubject() = default;
  virtual Store& store() = 0;
};
using StoreFactory = std::function<std::unique_ptr<StoreSubject>()>;

inline Uuid incarnation(uint8_t number) {
  std::array<uint8_t, 16> bytes{};
  bytes[15] = number;
  return Uuid(bytes);
}

class StoreContract : public ::testing::TestWithParam<StoreFactory> {
 protected:
  Store& store() { return subject_->store(); }
  Head take_over(uint8_t number = 1) {
    return store().take_over(store().observe().value(), incarnation(number)).value();
  }
  std::vector<Entry> everything() {
    return store().scan({.begin = "", .end = "\x7f", .limit = 100'000}, std::nullopt).value();
  }

 private:
  std::unique_ptr<StoreSubject> subject_ = GetParam()();
};

inline bool is_aborted(const absl::Status& status) {
  return status.code() == absl::StatusCode::kAborted;
}

TEST_P(StoreContract, HasNoHeadBeforeTheFirstTakeover) {
  EXPECT_EQ(store().observe().value(), std::nullopt);
  EXPECT_TRUE(everything().empty());
}

TEST_P(StoreContract, TakeoverAdvancesEpochAndSequenceAndBearsTheIncarnation) {
  const Head first = store().take_over(std::nullopt, incarnation(1)).value();
  EXPECT_EQ(first, (Head{kFormat, Epoch(1), incarnation(1), Sequence(1)}));
  EXPECT_EQ(store().observe().value(), first);
  const Head second = store().take_over(first, incarnation(2)).value();
  EXPECT_EQ(second, (Head{kFormat, Epoch(2), incarnation(2), Sequence(2)}));
  EXPECT_EQ(store().observe().value(), second);
}

TEST_P(StoreContract, TakeoverOfAHeadThatMovedAborts) {
  const Head seen = take_over();
  const Head moved = store().commit(seen, {}).value();
  EXPECT_TRUE(is_aborted(store().take_over(seen, incarnation(2)).status()));
  EXPECT_TRUE(is_aborted(store().take_over(std::nullopt, incarnation(2)).status()));
  EXPECT_EQ(store().observe().value(), moved);
}

TEST_P(StoreContract, CommitBeforeAnyTakeoverAborts) {
  EXPECT_TRUE(is_aborted(store().commit(Head(), {{{"a", "1"}}, {}}).status()));
  EXPECT_EQ(store().observe().value(), std::nullopt);
  EXPECT_TRUE(everything().empty());
}

TEST_P(StoreContract, CommitPutsAndDeletesAndAdvancesBySequenceOne) {
  const Head first = take_over();
  const Head second = store().commit(first, {{{"a", "1"}, {"b", "2"}}, {}}).value();
  EXPECT_EQ(second.sequence, first.sequence.next());
  EXPECT_EQ(second.epoch, first.epoch);
  EXPECT_EQ(second.incarnation, first.incarnation);
  const Head third = store().commit(second, {{{"b", "3"}, {"c", "4"}}, {"a"}}).value();
  EXPECT_EQ(store().observe().value(), third);
  EXPECT_EQ(everything(), (std::vector<Entry>{{"b", "3"}, {"c", "4"}}));
}

TEST_P(StoreContract, CommitOnAStaleHeadAbortsAndWritesNothing) {
  const Head first = take_over();
  const Head second = store().commit(first, {{{"a", "1"}}, {}}).value();
  EXPECT_TRUE(is_aborted(store().commit(first, {{{"a", "2"}, {"b", "2"}}, {}}).status()));
  EXPECT_TRUE(is_aborted(store().commit(first, {{}, {"a"}}).status()));
  EXPECT_EQ(everything(), (std::vector<Entry>{{"a", "1"}}));
  EXPECT_EQ(store().observe().value(), second);
}

TEST_P(StoreContract, CommitOnAHeadOfTheFutureOrOfAnotherIncarnationAborts) {
  const Head head = take_over();
  Head future = head;
  future.sequence = head.sequence.next();
  Head other = head;
  other.incarnation = incarnation(9);
  Head later = head;
  later.epoch = head.epoch.next();
  for (const Head& wrong : {future, other, later}) {
    EXPECT_TRUE(is_aborted(store().commit(wrong, {{{"a", "1"}}, {}}).status()));
  }
  EXPECT_TRUE(everything().empty());
}

TEST_P(StoreContract, TakeoverFencesTheOldWriter) {
  const Head old_writer = take_over(1);
  const Head new_writer = take_over(2);
  EXPECT_TRUE(is_aborted(store().commit(old_writer, {{{"a", "old"}}, {}}).status()));
  EXPECT_TRUE(store().commit(new_writer, {{{"a", "new"}}, {}}).ok());
  EXPECT_EQ(store().get("a").value(), "new");
}

TEST_P(StoreContract, EmptyCommitIsAHeartbeat) {
  const Head first = take_over();
  const Head second = store().commit(first, {}).value();
  EXPECT_EQ(second.sequence, first.sequence.next());
  EXPECT_EQ(store().observe().value(), second);
}

TEST_P(StoreContract, DeletingAKeyThatIsNotThereIsNoError) {
  EXPECT_TRUE(store().commit(take_over(), {{}, {"missing"}}).ok());
}

TEST_P(StoreContract, GetTellsAMissingKeyFromAnEmptyValue) {
  ASSERT_TRUE(store().commit(take_over(), {{{"empty", ""}}, {}}).ok());
  EXPECT_EQ(store().get("empty").value(), "");
  EXPECT_EQ(store().get("missing").value(), std::nullopt);
}

TEST_P(StoreContract, ValuesMayHoldAnyBytes) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  ASSERT_TRUE(store().commit(take_over(), {{{"a", all}}, {}}).ok());
  EXPECT_EQ(store().get("a").value(), all);
  EXPECT_EQ(everything(), (std::vector<Entry>{{"a", all}}));
}

TEST_P(StoreContract, ScanIsInByteOrderFromBeginUpToButWithoutEnd) {
  const Batch batch{{{"b", ""}, {"a/2", ""}, {"B", ""}, {"a", ""}, {"a/10", ""}, {"~", ""}}, {}};
  ASSERT_TRUE(store().commit(take_over(), batch).ok());
  const auto keys = [&](const std::string& begin, const std::string& end) {
    const std::vector<Entry> page = store().scan({begin, end, 100}, std::nullopt).value();
    std::vector<std::string> found;
    for (const Entry& entry : page) found.push_back(entry.key);
    return found;
  };
  using Keys = std::vector<std::string>;
  EXPECT_EQ(keys("", "\x7f"), (Keys{"B", "a", "a/10", "a/2", "b", "~"}));
  EXPECT_EQ(keys("a", "b"), (Keys{"a", "a/10", "a/2"}));
  EXPECT_EQ(keys("a/10", "a/2"), (Keys{"a/10"}));
  EXPECT_EQ(keys("b", "a"), Keys{});
  EXPECT_EQ(keys("a", "a"), Keys{});
}

TEST_P(StoreContract, ScanGivesPagesOfTheLimit) {
  Batch batch;
  for (int i = 100; i < 350; ++i) batch.puts.push_back({fmt::format("k{}", i), fmt::to_string(i)});
  ASSERT_TRUE(store().commit(take_over(), batch).ok());
  std::vector<Entry> collected;
  ScanRange range{.begin = "k", .end = "l", .limit = 100};
  std::vector<size_t> sizes;
  for (;;) {
    const std::vector<Entry> page = store().scan(range, std::nullopt).value();
    sizes.push_back(page.size());
    if (page.empty()) break;
    collected.insert(collected.end(), page.begin(), page.end());
    range.begin = page.back().key + '\0';
  }
  EXPECT_EQ(sizes, (std::vector<size_t>{100, 100, 50, 0}));
  EXPECT_EQ(collected, batch.puts);
  EXPECT_TRUE(store().scan({"", "z", 0}, std::nullopt).value().empty());
}

TEST_P(StoreContract, GuardedScanAbortsOnceAnotherHasTakenOver) {
  const Head mine = take_over(1);
  const Head later = store().commit(mine, {{{"a", "1"}}, {}}).value();
  EXPECT_EQ(store().scan({"", "z", 10}, mine).value().size(), 1u);  // a later commit of ours
  EXPECT_EQ(store().scan({"", "z", 10}, later).value().size(), 1u);
  take_over(2);
  EXPECT_TRUE(is_aborted(store().scan({"", "z", 10}, later).status()));
}

TEST_P(StoreContract, AcceptsABatchAtItsLimits) {
  const Head head = take_over();
  Batch most_keys;
  for (size_t i = 0; i < kMaxBatchKeys / 2; ++i) {
    most_keys.puts.push_back({fmt::format("put{}", i), "v"});
    most_keys.deletes.push_back(fmt::format("delete{}", i));
  }
  const auto second = store().commit(head, most_keys);
  ASSERT_TRUE(second.ok()) << describe(second.status());
  Batch most_bytes;
  for (char c = 'a'; c <= 'g'; ++c) most_bytes.puts.push_back({{c}, std::string(128 << 10, c)});
  most_bytes.puts.push_back({"h", std::string((128 << 10) - 8, 'h')});
  const auto third = store().commit(*second, most_bytes);
  ASSERT_TRUE(third.ok()) << describe(third.status());
  EXPECT_EQ(store().get("g").value(), std::string(128 << 10, 'g'));
  ASSERT_TRUE(store().commit(*third, {{{std::string(256, 'k'), "v"}}, {}}).ok());
  EXPECT_EQ(store().get(std::string(256, 'k')).value(), "v");
}

TEST_P(StoreContract, RefusesABatchOverItsLimitsAndWritesNothing) {
  const Head head = take_over();
  Batch many;
  for (size_t i = 0; i <= kMaxBatchKeys; ++i) many.puts.push_back({fmt::format("k{}", i), ""});
  Batch large;
  for (char c = 'a'; c <= 'h'; ++c) large.puts.push_back({{c}, std::string(128 << 10, c)});
  for (const Batch& batch : {many, large}) {
    const absl::Status status = store().commit(head, batch).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(message_of(status).find("at most"), std::string_view::npos) << describe(status);
  }
  EXPECT_TRUE(everything().empty());
  EXPECT_EQ(store().observe().value(), head);
}

TEST_P(StoreContract, RefusesKeysAndValuesThatBreakTheRules) {
  const Head head = take_over();
  const std::vector<Batch> batches = {
      {{{"", "v"}}, {}},
      {{{std::string(257, 'k'), "v"}}, {}},
      {{{"line\n", "v"}}, {}},
      {{{std::string("nul\0", 4), "v"}}, {}},
      {{{"\xc3\xa4", "v"}}, {}},
      {{{"good", "v"}}, {"bad\x7f"}},
      {{{"large", std::string((128 << 10) + 1, 'v')}}, {}},
      {{{"twice", "1"}, {"twice", "2"}}, {}},
      {{{"twice", "1"}}, {"twice"}},
  };
  for (const Batch& batch : batches) {
    const absl::Status status = store().commit(head, batch).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << describe(status);
  }
  EXPECT_TRUE(everything().empty());
  EXPECT_EQ(store().observe().value(), head);
}

// A writer that does not hear the outcome reads the head back: it is either its own next one or
// still the previous one.
TEST_P(StoreContract, ObserveResolvesAnUnknownOutcome) {
  struct Interrupted {};
  const Head before = take_over();
  const Batch batch{{{"a", "1"}}, {}};
  const auto interrupt_at = [&](std::string place) {
    set_failpoint_hook([place](std::string_view name) {
      if (name == place) throw Interrupted();
    });
    EXPECT_THROW((void)store().commit(before, batch), Interrupted);
    set_failpoint_hook({});
  };
  interrupt_at("store.commit.before");
  EXPECT_EQ(store().observe().value(), before);
  EXPECT_TRUE(everything().empty());
  interrupt_at("store.commit.after");
  const std::optional<Head> after = store().observe().value();
  EXPECT_EQ(after->sequence, before.sequence.next());
  EXPECT_EQ(after->incarnation, before.incarnation);
  EXPECT_EQ(store().get("a").value(), "1");
  EXPECT_TRUE(store().commit(*after, {}).ok());
}

TEST_P(StoreContract, ReadsGoOnDuringCommitsAndSeeWholeBatches) {
  const Head mine = take_over();
  std::atomic<bool> done = false;
  std::atomic<int> torn = 0;
  std::atomic<int> reads = 0;
  std::thread reader([&] {
    while (!done) {
      const auto page = store().scan({"a", "c", 10}, mine);
      if (!page.ok() || (!page->empty() && page->front().value != page->back().value)) ++torn;
      if (!store().observe().ok()) ++torn;
      ++reads;
    }
  });
  Head head = mine;
  for (int i = 0; i < 200 || reads < 10; ++i) {
    head = store().commit(head, {{{"a", fmt::to_string(i)}, {"b", fmt::to_string(i)}}, {}}).value();
  }
  done = true;
  reader.join();
  EXPECT_EQ(torn, 0);
}

// Any sequence of batches leaves what a map would hold.
TEST_P(StoreContract, BehavesLikeAMap) {
  Head head = take_over();
  std::map<std::string, std::string> model;
  for (const Entry& entry : everything()) model[entry.key] = entry.value;
  const bool held = rc::check("any sequence of batches leaves what a map would hold", [&] {
    Batch batch;
    std::map<std::string, std::string> next = model;
    for (char c = 'a'; c <= 'h'; ++c) {
      const std::string key(1, c);
      switch (*rc::gen::inRange(0, 3)) {
        case 0:
          batch.puts.push_back({key, *rc::gen::arbitrary<std::string>()});
          next[key] = batch.puts.back().value;
          break;
        case 1:
          batch.deletes.push_back(key);
          next.erase(key);
          break;
      }
    }
    head = store().commit(head, batch).value();
    model = std::move(next);
    std::vector<Entry> expected;
    for (const auto& [key, value] : model) expected.push_back({key, value});
    RC_ASSERT(everything() == expected);
  });
  EXPECT_TRUE(held);
}

}  // namespace stellwerk::store
