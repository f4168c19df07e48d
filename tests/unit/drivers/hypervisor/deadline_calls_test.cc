#include "drivers/hypervisor/libvirt/deadline_calls.h"

#include <gtest/gtest.h>

#include <latch>

namespace stellwerk::hypervisor {
namespace {

using Work = std::function<absl::Status(const Abandoned&)>;

const Uuid kOne = *Uuid::parse("aaaaaaaa-bbbb-5ccc-8ddd-000000000001");
const Uuid kTwo = *Uuid::parse("aaaaaaaa-bbbb-5ccc-8ddd-000000000002");
constexpr std::chrono::milliseconds kShort(20);
constexpr std::chrono::seconds kLong(30);

DeadlineCalls::Request request(std::optional<Uuid> key, Duration deadline) {
  return {.what = "test", .key = key, .deadline = deadline};
}

// Work that hangs until it is let go.
class Hang {
 public:
  Work work() {
    return [gate = gate_, saw = saw_abandoned_](const Abandoned& abandoned) {
      gate->wait();
      *saw = abandoned.value();
      return absl::OkStatus();
    };
  }
  void let_go() { gate_->count_down(); }
  bool saw_abandoned() const { return *saw_abandoned_; }

 private:
  std::shared_ptr<std::latch> gate_ = std::make_shared<std::latch>(1);
  std::shared_ptr<std::atomic<bool>> saw_abandoned_ = std::make_shared<std::atomic<bool>>(false);
};

TEST(DeadlineCalls, ReturnTheResult) {
  DeadlineCalls calls(4);
  const auto result = calls.run<absl::StatusOr<int>>(
      request(kOne, kLong), [](const Abandoned&) -> absl::StatusOr<int> { return 42; });
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(*result, 42);
  const absl::Status status = calls.run<absl::Status>(
      request(kOne, kLong), [](const Abandoned&) { return not_found("gone"); });
  EXPECT_TRUE(absl::IsNotFound(status));
}

TEST(DeadlineCalls, EndAtTheDeadlineAndBarTheKeyUntilTheHangingCallIsOver) {
  Hang hang;
  {
    DeadlineCalls calls(4);
    const Work ok = [](const Abandoned&) { return absl::OkStatus(); };
    EXPECT_TRUE(
        absl::IsDeadlineExceeded(calls.run<absl::Status>(request(kOne, kShort), hang.work())));
    EXPECT_TRUE(absl::IsUnavailable(calls.run<absl::Status>(request(kOne, kLong), ok)));
    EXPECT_TRUE(calls.run<absl::Status>(request(kTwo, kLong), ok).ok());
    EXPECT_TRUE(calls.run<absl::Status>(request(std::nullopt, kLong), ok).ok());
    hang.let_go();
    absl::Status again = unavailable("not yet");
    const SystemClock clock;
    const MonotonicTime deadline = clock.now().monotonic + kLong;
    while (absl::IsUnavailable(again) && clock.now().monotonic < deadline) {
      again = calls.run<absl::Status>(request(kOne, kLong), ok);
    }
    EXPECT_TRUE(again.ok()) << describe(again);
  }
  EXPECT_TRUE(hang.saw_abandoned());
}

TEST(DeadlineCalls, RefuseMoreThanTheLimitInsteadOfPilingUp) {
  DeadlineCalls calls(2);
  Hang hang;
  EXPECT_TRUE(absl::IsDeadlineExceeded(
      calls.run<absl::Status>(request(std::nullopt, kShort), hang.work())));
  EXPECT_TRUE(absl::IsDeadlineExceeded(
      calls.run<absl::Status>(request(std::nullopt, kShort), hang.work())));
  const absl::Status third = calls.run<absl::Status>(
      request(std::nullopt, kLong), [](const Abandoned&) { return absl::OkStatus(); });
  EXPECT_TRUE(absl::IsUnavailable(third)) << describe(third);
  hang.let_go();
}

TEST(DeadlineCalls, LeaveAHangingCallBehindWhenTheyEnd) {
  Hang hang;
  {
    DeadlineCalls calls(2);
    EXPECT_TRUE(
        absl::IsDeadlineExceeded(calls.run<absl::Status>(request(kOne, kShort), hang.work())));
  }
  hang.let_go();  // the call ends now, after its owner: it touches nothing that is gone
}

}  // namespace
}  // namespace stellwerk::hypervisor
