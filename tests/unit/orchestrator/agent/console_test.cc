#include "orchestrator/agent/console.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace stellwerk::agent {
namespace {

using ::testing::HasSubstr;

constexpr size_t kAll = 1 << 20;

ConsoleAttach reader(size_t history = kConsoleHistory) {
  return {.caller = "uid 1000", .access = ConsoleAccess::kRead, .history = history};
}
ConsoleAttach writer(std::string caller, ConsoleAccess access = ConsoleAccess::kWrite) {
  return {.caller = std::move(caller), .access = access};
}

Console small_console(std::string_view history = "") {
  return Console({.history = 8, .attachments = 3, .pending_input = 4, .notices = 2}, history);
}

// Everything that waits for it: output as it is, notices in angle brackets.
std::string drain(Console& console, Console::AttachmentId id, size_t piece = kAll) {
  std::string all;
  while (const auto portion = console.next(id, piece)) {
    all += portion->output;
    if (portion->notice) all += fmt::format("<{}>", static_cast<int>(*portion->notice));
  }
  return all;
}

std::string mark(ConsoleNotice notice) {
  return fmt::format("<{}>", static_cast<int>(notice));
}
const std::string kAttached = mark(ConsoleNotice::kAttached);

RC_GTEST_PROP(ConsoleTail, HoldsTheEndOfWhateverWasWritten,
              (const std::vector<std::string>& pieces)) {
  const size_t kept = *rc::gen::inRange<size_t>(1, 20);
  ConsoleTail tail(kept);
  std::string all;
  for (const std::string& piece : pieces) {
    tail.append(piece);
    all += piece;
    RC_ASSERT(tail.end() == all.size());
    RC_ASSERT(tail.end() - tail.begin() >= std::min(kept, all.size()));
    RC_ASSERT(tail.end() - tail.begin() <= kept + kept / 4);
    RC_ASSERT(tail.at(tail.begin(), all.size()) == all.substr(tail.begin()));
    RC_ASSERT(tail.last(kept) == all.substr(all.size() - std::min(kept, all.size())));
  }
}

TEST(Console, KeepsTheEndOfWhatWasWrittenWhenNobodyWatches) {
  Console console = small_console("old ");
  console.guest_wrote("new");
  EXPECT_EQ(console.last(kAll), "old new");
  console.guest_wrote("est words");
  EXPECT_EQ(console.last(kAll), "st words");
  EXPECT_EQ(console.last(3), "rds");
}

TEST(Console, ShowsHistoryFirstAndMarksIt) {
  Console console = small_console("before");
  const auto id = *console.attach(reader());
  console.guest_wrote("now");
  EXPECT_EQ(console.next(id, kAll)->notice, ConsoleNotice::kAttached);
  auto portion = console.next(id, kAll);
  EXPECT_EQ(portion->output, "before");
  EXPECT_TRUE(portion->history);
  portion = console.next(id, kAll);
  EXPECT_EQ(portion->output, "now");
  EXPECT_FALSE(portion->history);
  EXPECT_FALSE(console.next(id, kAll));
}

TEST(Console, ShowsAsMuchHistoryAsIsAskedFor) {
  Console console = small_console("before");
  const auto none = *console.attach(reader(0));
  const auto some = *console.attach(reader(2));
  EXPECT_EQ(drain(console, none), kAttached);
  EXPECT_EQ(drain(console, some), kAttached + "re");
}

TEST(Console, SaysAtTheStartWhetherTheGuestRuns) {
  Console console = small_console();
  EXPECT_THAT(console.next(*console.attach(reader()), kAll)->message, HasSubstr("waiting"));
  console.guest_came();
  EXPECT_THAT(console.next(*console.attach(reader()), kAll)->message, HasSubstr("runs"));
}

TEST(Console, GivesAllReadersTheSameWhateverTheirPace) {
  Console console = small_console();
  const auto fast = *console.attach(reader());
  const auto slow = *console.attach(reader());
  console.guest_wrote("abc");
  EXPECT_EQ(drain(console, fast), kAttached + "abc");
  console.guest_wrote("def");
  EXPECT_EQ(drain(console, fast), "def");
  EXPECT_EQ(console.next(slow, 2)->notice, ConsoleNotice::kAttached);
  EXPECT_EQ(console.next(slow, 2)->output, "ab");
  EXPECT_EQ(drain(console, slow, 1), "cdef");
}

TEST(Console, TellsASlowReaderHowMuchItHasLost) {
  Console console = small_console();
  const auto id = *console.attach(reader());
  drain(console, id);
  for (int i = 0; i < 5; ++i) console.guest_wrote("0123456789");
  const auto portion = console.next(id, kAll);
  ASSERT_TRUE(portion);
  EXPECT_EQ(portion->notice, ConsoleNotice::kOutputLost);
  EXPECT_THAT(portion->message, HasSubstr("42 bytes"));
  EXPECT_EQ(drain(console, id), "23456789");
}

TEST(Console, PutsNoticesBetweenWhatWasWrittenBeforeAndAfter) {
  Console console({.history = 8}, "");
  console.guest_came();
  const auto id = *console.attach(reader());
  console.guest_wrote("bye");
  console.guest_went();
  console.guest_came();
  console.guest_wrote("hi");
  EXPECT_EQ(drain(console, id), kAttached + "bye" + mark(ConsoleNotice::kGuestStopped) +
                                    mark(ConsoleNotice::kGuestStarted) + "hi");
}

TEST(Console, TellsOnceThatTheGuestHasStartedAndThatItHasStopped) {
  Console console({.history = 8}, "");
  const auto id = *console.attach(reader());
  console.guest_went();  // there was none
  console.guest_came();
  console.guest_came();
  EXPECT_EQ(drain(console, id), kAttached + mark(ConsoleNotice::kGuestStarted));
  console.guest_went();
  console.guest_went();
  EXPECT_EQ(drain(console, id), mark(ConsoleNotice::kGuestStopped));
}

TEST(Console, KeepsABoundedNumberOfNoticesForASlowReader) {
  Console console = small_console();
  const auto id = *console.attach(reader());
  for (int i = 0; i < 100; ++i) {
    console.guest_came();
    console.guest_went();
  }
  EXPECT_EQ(drain(console, id),
            mark(ConsoleNotice::kGuestStarted) + mark(ConsoleNotice::kGuestStopped));
}

TEST(Console, LetsOneTypeAndRefusesTheSecondByName) {
  Console console = small_console();
  console.guest_came();
  const auto first = *console.attach(writer("root"));
  const auto second = console.attach(writer("uid 7"));
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(reason_of(second.status()), "CONSOLE_BUSY");
  EXPECT_THAT(std::string(message_of(second.status())), HasSubstr("root"));
  EXPECT_TRUE(console.attach(reader()).ok());
  EXPECT_TRUE(console.type(first, "a").ok());
  console.detach(first);
  EXPECT_TRUE(console.attach(writer("uid 7")).ok());
}

TEST(Console, TakesOverWritingByForceAndTellsTheFormerWriter) {
  Console console = small_console();
  console.guest_came();
  const auto first = *console.attach(writer("root"));
  drain(console, first);
  ASSERT_TRUE(console.type(first, "ab").ok());
  const auto second = *console.attach(writer("uid 7", ConsoleAccess::kTakeOver));
  const auto told = console.next(first, kAll);
  ASSERT_TRUE(told);
  EXPECT_EQ(told->notice, ConsoleNotice::kWriterLost);
  EXPECT_THAT(told->message, HasSubstr("uid 7"));
  EXPECT_EQ(reason_of(console.type(first, "c")), "NOT_THE_WRITER");
  EXPECT_TRUE(console.type(second, "d").ok());
  EXPECT_EQ(console.pending_input(), "d");
  // The former one goes on reading, and its end does not free what it has no more.
  console.guest_wrote("x");
  EXPECT_EQ(drain(console, first), "x");
  console.detach(first);
  EXPECT_EQ(reason_of(console.attach(writer("root")).status()), "CONSOLE_BUSY");
}

TEST(Console, TakesNoInputFromReaders) {
  Console console = small_console();
  console.guest_came();
  EXPECT_EQ(reason_of(console.type(*console.attach(reader()), "x")), "NOT_THE_WRITER");
  EXPECT_EQ(console.pending_input(), "");
}

TEST(Console, WantsNoMoreInputThanItsBufferHolds) {
  Console console = small_console();
  console.guest_came();
  const auto id = *console.attach(writer("root"));
  EXPECT_TRUE(console.wants_input());
  ASSERT_TRUE(console.type(id, "1234").ok());
  EXPECT_FALSE(console.wants_input()) << "the buffer is just full";
  ASSERT_TRUE(console.type(id, "5").ok());
  EXPECT_FALSE(console.wants_input());
  console.input_taken(3);
  EXPECT_EQ(console.pending_input(), "45");
  EXPECT_TRUE(console.wants_input());
}

TEST(Console, DropsInputWithoutAGuestAndSaysSoOnceForEachStop) {
  Console console = small_console();
  const auto id = *console.attach(writer("root"));
  const std::string dropped = mark(ConsoleNotice::kInputDropped);
  ASSERT_TRUE(console.type(id, "x").ok());
  ASSERT_TRUE(console.type(id, "y").ok());
  EXPECT_EQ(drain(console, id), kAttached + dropped);
  console.guest_came();
  EXPECT_EQ(console.pending_input(), "");
  ASSERT_TRUE(console.type(id, "z").ok());
  console.guest_went();
  EXPECT_EQ(console.pending_input(), "");
  drain(console, id);
  ASSERT_TRUE(console.type(id, "x").ok());
  EXPECT_EQ(drain(console, id), dropped);
}

TEST(Console, RefusesMoreAttachmentsThanItsLimit) {
  Console console = small_console();
  std::vector<Console::AttachmentId> ids;
  for (int i = 0; i < 3; ++i) ids.push_back(*console.attach(reader()));
  const auto refused = console.attach(writer("root", ConsoleAccess::kTakeOver));
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(reason_of(refused.status()), "TOO_MANY_ATTACHMENTS");
  console.detach(ids[1]);
  EXPECT_TRUE(console.attach(reader()).ok());
}

TEST(Console, Keeps64KibibytesFor32AttachmentsUnlessToldOtherwise) {
  Console console({}, "");
  console.guest_wrote(std::string(100 << 10, 'x'));
  EXPECT_EQ(console.last(kAll).size(), size_t{64} << 10);
  for (int i = 0; i < 32; ++i) EXPECT_TRUE(console.attach(reader()).ok());
  EXPECT_EQ(reason_of(console.attach(reader()).status()), "TOO_MANY_ATTACHMENTS");
}

}  // namespace
}  // namespace stellwerk::agent
