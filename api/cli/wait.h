// --wait: follows an instance until what was asked of it is done, cannot be done, or takes too
// long. Watches events and looks at the instance after each; survives a restart of the daemon.
#pragma once

#include <variant>

#include "api/cli/context.h"
#include "stellwerk/v1/instances.pb.h"

namespace stellwerk::cli {

enum class Goal { kRunning, kStopped, kRebooted, kGone };

struct WaitOrder {
  v1::Instance answer;  // the mutation's: its uid and generation are waited for
  Goal goal = Goal::kRunning;
  Duration timeout{};
};

struct GoOn {};
struct Reached {};
struct Failed {
  absl::Status why;
};
using Verdict = std::variant<GoOn, Reached, Failed>;

// Pure: what an instance's present state means for the order.
Verdict judge(const v1::Instance& now, const WaitOrder& order);

// The instance as it was seen last. Errors: what `judge` found, NotFound when it was deleted
// meanwhile, DeadlineExceeded with reason WAIT_TIMED_OUT.
absl::StatusOr<v1::Instance> wait_for(Context& context, const WaitOrder& order);

}  // namespace stellwerk::cli
