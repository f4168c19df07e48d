#include "api/daemon/worker_pool.h"

#include <gtest/gtest.h>

#include "fakes.h"

namespace stellwerk::daemon {
namespace {

TEST(WorkerPool, RunsWorkOnItsThreads) {
  WorkerPool pool({.name = "test", .threads = 2, .max_waiting = 4});
  Gate gate;
  // Two at once: each waits at the gate, so one thread alone would not get both there.
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(pool.try_run([&] { gate.pass(); }));
  EXPECT_TRUE(gate.await_arrival(2));
  gate.open();
  EXPECT_TRUE(pool.stop(kDeadline));
}

TEST(WorkerPool, RefusesWorkBeyondItsQueue) {
  Gate gate;
  WorkerPool pool({.name = "test", .threads = 1, .max_waiting = 2});
  ASSERT_TRUE(pool.try_run([&] { gate.pass(); }));
  ASSERT_TRUE(gate.await_arrival());
  EXPECT_TRUE(pool.try_run([] {}));
  EXPECT_TRUE(pool.try_run([] {}));
  EXPECT_FALSE(pool.try_run([] {}));
  gate.open();
  EXPECT_TRUE(pool.stop(kDeadline));
}

TEST(WorkerPool, DropsWhatWaitsAndTellsWhatDoesNotComeBack) {
  Gate gate;
  Channel<int> ran;
  WorkerPool pool({.name = "test", .threads = 1, .max_waiting = 4});
  ASSERT_TRUE(pool.try_run([&] {
    gate.pass();
    ran.push(1);
  }));
  ASSERT_TRUE(gate.await_arrival());
  ASSERT_TRUE(pool.try_run([&] { ran.push(2); }));
  EXPECT_FALSE(pool.stop(std::chrono::milliseconds(1)));
  EXPECT_FALSE(pool.try_run([&] { ran.push(3); }));
  gate.open();
  EXPECT_TRUE(pool.stop(kDeadline));
  ran.push(4);
  EXPECT_EQ(ran.next(), 1);
  EXPECT_EQ(ran.next(), 4);
}

}  // namespace
}  // namespace stellwerk::daemon
