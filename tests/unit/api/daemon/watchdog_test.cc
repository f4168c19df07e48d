#include "api/daemon/watchdog.h"

#include <gtest/gtest.h>

#include <thread>

#include "fakes.h"

namespace stellwerk::daemon {
namespace {

// A loop in the test's hands: it keeps the token until it makes a step.
struct HeldLoop {
  Watchdog::Round round() {
    return [this](std::function<void()> done) { waiting.push_back(std::move(done)); };
  }
  void step() {
    for (const auto& done : std::exchange(waiting, {})) done();
  }
  std::vector<std::function<void()>> waiting;
};

class WatchdogTest : public ::testing::Test {
 protected:
  void settle() {
    io_.restart();
    io_.poll();
  }
  void settle_after_the_pause() {
    io_.restart();
    io_.run_one_for(kDeadline);  // the pause's end
    settle();
  }

  boost::asio::io_context io_;
  int fed_ = 0;
  HeldLoop controller_, agent_;
  Watchdog watchdog_{io_, {.pause = std::chrono::milliseconds(5), .feed = [this] { ++fed_; }}};
};

TEST_F(WatchdogTest, FeedsOnlyWhenEveryLoopHasMadeAStep) {
  watchdog_.watch(controller_.round());
  watchdog_.watch(agent_.round());
  watchdog_.start();
  settle();
  EXPECT_EQ(fed_, 0);
  controller_.step();
  settle();
  EXPECT_EQ(fed_, 0);
  agent_.step();
  settle();
  EXPECT_EQ(fed_, 1);
}

TEST_F(WatchdogTest, FeedsOnceForEachRoundOfAllLoops) {
  watchdog_.watch(controller_.round());
  watchdog_.watch(agent_.round());
  watchdog_.start();
  for (int round = 1; round <= 3; ++round) {
    // One loop alone may step as often as it likes.
    for (int i = 0; i < 5; ++i) {
      controller_.step();
      settle();
    }
    EXPECT_EQ(fed_, round - 1);
    agent_.step();
    settle();
    EXPECT_EQ(fed_, round);
    settle_after_the_pause();
  }
}

TEST_F(WatchdogTest, WatchesALoopThatComesLaterFromTheNextRoundOn) {
  watchdog_.watch(controller_.round());
  watchdog_.start();
  watchdog_.watch(agent_.round());
  controller_.step();
  settle();
  EXPECT_EQ(fed_, 1);
  settle_after_the_pause();
  controller_.step();
  settle();
  EXPECT_EQ(fed_, 1);
  agent_.step();
  settle();
  EXPECT_EQ(fed_, 2);
}

TEST_F(WatchdogTest, StarvesWhenItsOwnThreadHangs) {
  watchdog_.watch(controller_.round());
  watchdog_.start();
  std::thread([this] { controller_.step(); }).join();  // and nobody runs io_
  EXPECT_EQ(fed_, 0);
  settle();
  EXPECT_EQ(fed_, 1);
}

}  // namespace
}  // namespace stellwerk::daemon
