#include "api/daemon/event_loop.h"

#include <gtest/gtest.h>

#include <variant>

#include "fakes.h"

namespace stellwerk::daemon {
namespace {

struct TimePassed {};
using Input = std::variant<int, TimePassed>;
using Loop = EventLoop<Input, TimePassed>;

TEST(EventLoop, HandsOverInputsInTheirOrderAndInBatches) {
  const SystemClock clock;
  Channel<int> seen;
  Channel<size_t> batches;
  Loop loop(clock, [&](std::span<const Input> inputs) {
    batches.push(inputs.size());
    for (const Input& input : inputs) seen.push(std::get<int>(input));
    return std::optional<MonotonicTime>();
  });
  for (int i = 0; i < 100; ++i) loop.post(i);
  loop.start([] { return std::optional<MonotonicTime>(); });
  for (int i = 0; i < 100; ++i) EXPECT_EQ(seen.next(), i);
  EXPECT_EQ(batches.next(), 100u);  // they came before the start, and so all at once
}

TEST(EventLoop, BeginsBeforeAnythingElse) {
  const SystemClock clock;
  Channel<std::string> seen;
  Loop loop(clock, [&](std::span<const Input>) {
    seen.push("step");
    return std::optional<MonotonicTime>();
  });
  loop.post(1);
  loop.start([&] {
    seen.push("begin");
    return std::optional<MonotonicTime>();
  });
  EXPECT_EQ(seen.next(), "begin");
  EXPECT_EQ(seen.next(), "step");
}

TEST(EventLoop, DeliversTimePassedWhenAskedTo) {
  const SystemClock clock;
  Channel<MonotonicTime> woken;
  Loop loop(clock, [&](std::span<const Input> inputs) {
    if (std::holds_alternative<TimePassed>(inputs.front())) woken.push(clock.now().monotonic);
    return std::optional<MonotonicTime>();
  });
  const MonotonicTime due = clock.now().monotonic + std::chrono::milliseconds(20);
  loop.start([&] { return std::optional(due); });
  const auto at = woken.next();
  ASSERT_TRUE(at.has_value());
  EXPECT_GE(*at, due);
}

TEST(EventLoop, ForgetsAnAlarmThatANewerStepReplaces) {
  const SystemClock clock;
  Channel<int> seen;
  Loop loop(clock, [&](std::span<const Input> inputs) {
    for (const Input& input : inputs) seen.push(std::holds_alternative<int>(input) ? 1 : 2);
    // Far away: the first alarm must not fire any more.
    return std::optional(clock.now().monotonic + std::chrono::hours(1));
  });
  loop.start([&] {
    loop.deliver(1);
    return std::optional(clock.now().monotonic + std::chrono::milliseconds(30));
  });
  EXPECT_EQ(seen.next(), 1);
  // Longer than the first alarm would have taken, measured by a loop of its own.
  Channel<int> later;
  Loop timer(clock, [&](std::span<const Input>) {
    later.push(1);
    return std::optional<MonotonicTime>();
  });
  timer.start([&] { return std::optional(clock.now().monotonic + std::chrono::milliseconds(60)); });
  ASSERT_TRUE(later.next().has_value());
  loop.post(3);
  EXPECT_EQ(seen.next(), 1);
}

TEST(EventLoop, TellsOfAStepOnlyWhenItHasBeenMade) {
  const SystemClock clock;
  Gate gate;
  Channel<std::string> seen;
  Loop loop(clock, [&](std::span<const Input> inputs) {
    EXPECT_TRUE(std::holds_alternative<TimePassed>(inputs.back()));
    seen.push("step begins");
    gate.pass();
    seen.push("step ends");
    return std::optional<MonotonicTime>();
  });
  loop.after_a_step([&] { seen.push("told"); });
  loop.start([] { return std::optional<MonotonicTime>(); });
  ASSERT_TRUE(gate.await_arrival());
  EXPECT_EQ(seen.next(), "step begins");
  gate.open();
  EXPECT_EQ(seen.next(), "step ends");
  EXPECT_EQ(seen.next(), "told");
  loop.after_a_step([&] { seen.push("told again"); });
  EXPECT_EQ(seen.next(), "step begins");
  EXPECT_EQ(seen.next(), "step ends");
  EXPECT_EQ(seen.next(), "told again");
}

TEST(EventLoop, StopsWithInputsInItsQueue) {
  const SystemClock clock;
  Gate gate;
  Loop loop(clock, [&](std::span<const Input>) {
    gate.pass();
    return std::optional<MonotonicTime>();
  });
  loop.start([] { return std::optional<MonotonicTime>(); });
  loop.post(1);
  ASSERT_TRUE(gate.await_arrival());
  for (int i = 0; i < 1000; ++i) loop.post(i);
  gate.open();
  loop.stop();
  loop.post(1);  // to nobody
}

}  // namespace
}  // namespace stellwerk::daemon
