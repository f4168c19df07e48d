#include "api/cli/wait.h"

#include <algorithm>
#include <optional>
#include <thread>

#include "api/cli/exit_code.h"
#include "api/cli/format.h"
#include "api/cli/progress.h"
#include "api/client/event_follower.h"
#include "core/overloaded.h"

namespace stellwerk::cli {
namespace {

using v1::Instance;

// Reasons that only a person can do something about; the agent tries nothing more.
constexpr std::string_view kForeignDomain = "ForeignDomain";
constexpr std::string_view kShutDownByGuest = "ShutDownByGuest";  // no matter to who stops it
// Events tell when to look. This is for phases that changed without one.
constexpr Duration kLookAtLeastEvery = std::chrono::seconds(2);
constexpr Duration kLongestLook = std::chrono::seconds(5);
constexpr Duration kPlainTick = std::chrono::milliseconds(500);

std::string why(const Instance& instance) {
  std::string text = phase_name(instance.phase());
  if (!instance.reason().empty()) text += ", reason " + Cell(instance.reason()).text();
  if (!instance.message().empty()) text += ": " + Cell(instance.message()).text();
  return text;
}

bool is_goal_phase(const Instance& now, Goal goal) {
  switch (goal) {
    case Goal::kRunning:
      return now.phase() == Instance::PHASE_RUNNING;
    case Goal::kStopped:
      return now.phase() == Instance::PHASE_STOPPED;
    case Goal::kRebooted:
      return true;  // a reboot is an act: it was done once its generation was carried out
    case Goal::kGone:
      return false;
  }
  return false;
}

// The mutation's answer may still carry the crash that it is to end.
bool crashed_since(const Instance& now, const Instance& answer) {
  if (now.phase() != Instance::PHASE_CRASHED) return false;
  if (answer.phase() != Instance::PHASE_CRASHED) return true;
  return wall_time(now.phase_time()) > wall_time(answer.phase_time());
}

bool is_hopeless(const Instance& now, const WaitOrder& order) {
  const bool is_answer = now.phase() == order.answer.phase() &&
                         now.observed_generation() == order.answer.observed_generation();
  if (is_answer) return false;
  const bool shall_run = order.goal == Goal::kRunning || order.goal == Goal::kRebooted;
  return now.reason() == kForeignDomain || (shall_run && now.reason() == kShutDownByGuest);
}

class Waiting {
 public:
  Waiting(Context& context, const WaitOrder& order)
      : context_(context),
        order_(order),
        started_(context.now().monotonic),
        looked_(started_),
        seen_(order.answer),
        line_(context.err(), {.terminal = context.environment.err_is_terminal,
                              .colour = context.colour && context.environment.err_is_terminal,
                              .width = context.environment.err_width}) {
    follow();
  }

  absl::StatusOr<Instance> run();

 private:
  void follow();
  void show();
  // True when the instance is gone.
  absl::StatusOr<bool> look();
  absl::Status listen();
  absl::Status timed_out() const;

  Duration elapsed() const { return context_.now().monotonic - started_; }
  std::string id() const { return Cell(id_of(order_.answer.name())).text(); }

  Context& context_;
  const WaitOrder& order_;
  const MonotonicTime started_;
  MonotonicTime looked_;
  bool look_wanted_ = false;
  bool unheard_ = false;
  Instance seen_;
  ProgressLine line_;
  std::optional<client::EventFollower> follower_;  // none while the daemon refuses to be watched
};

absl::StatusOr<Instance> Waiting::run() {
  for (;;) {
    const Verdict verdict = judge(seen_, order_);
    show();
    if (std::holds_alternative<Reached>(verdict)) return seen_;
    if (const auto* failed = std::get_if<Failed>(&verdict)) return failed->why;
    if (elapsed() >= order_.timeout) return timed_out();
    SW_RETURN_IF_ERROR(listen());
    if (!look_wanted_ && context_.now().monotonic - looked_ < kLookAtLeastEvery) continue;
    SW_ASSIGN_OR_RETURN(const bool gone, look());
    if (!follower_) follow();
    if (!gone) continue;
    if (order_.goal == Goal::kGone) return seen_;
    return not_found("{} was deleted meanwhile", id());
  }
}

void Waiting::follow() {
  client::FollowedEvents what{.parent = "projects/" + project_of(order_.answer.name()),
                              .resource = order_.answer.name(),
                              .token = ""};
  follower_.emplace(context_.client, std::move(what));
}

void Waiting::show() {
  std::string after = " (" + to_short_string(elapsed()) + ")";
  if (unheard_) {
    after += "; the daemon does not answer, trying again";
  } else if (!seen_.message().empty()) {
    after += "; " + seen_.message();
  }
  line_.show(id() + ": ", phase_cell(seen_.phase()), after);
}

absl::Status Waiting::listen() {
  const Duration tick = context_.environment.err_is_terminal ? kProgressTick : kPlainTick;
  const Duration left = std::max(order_.timeout - elapsed(), Duration(1000));
  if (!follower_) {
    std::this_thread::sleep_for(std::min(tick, left));
    return absl::OkStatus();
  }
  const auto response = follower_->next(std::min(tick, left));
  const auto reason = reason_of(response.status());
  if (reason == kTooManyStreamsReason) {
    follower_.reset();  // looking now and then tells the same, a little later
    return absl::OkStatus();
  }
  if (absl::IsOutOfRange(response.status()) || reason == "TOKEN_FROM_THE_FUTURE") {
    follow();  // the place in the log is gone; the instance itself tells the rest
    look_wanted_ = true;
    return absl::OkStatus();
  }
  SW_RETURN_IF_ERROR(response.status());
  if (response->has_value()) look_wanted_ = true;
  return absl::OkStatus();
}

absl::StatusOr<bool> Waiting::look() {
  v1::GetInstanceRequest request;
  request.set_name(order_.answer.name());
  const Duration left = std::max(order_.timeout - elapsed(), Duration(1000));
  auto now = context_.client.call_within(std::min(left, kLongestLook),
                                         &v1::Instances::Stub::GetInstance, request);
  looked_ = context_.now().monotonic;
  look_wanted_ = false;
  unheard_ = absl::IsUnavailable(now.status()) || absl::IsDeadlineExceeded(now.status());
  if (unheard_) return false;
  if (absl::IsNotFound(now.status())) return true;
  if (!now.ok()) return now.status();
  if (now->uid() != seen_.uid()) return true;  // the name was given to another
  seen_ = *std::move(now);
  return false;
}

absl::Status Waiting::timed_out() const {
  absl::Status status =
      unheard_ ? deadline_exceeded("{}: the daemon has not answered; last seen {} after {}", id(),
                                   why(seen_), to_short_string(order_.timeout))
               : deadline_exceeded("{} is {} after {}", id(), why(seen_),
                                   to_short_string(order_.timeout));
  return with_reason(std::move(status), kWaitTimedOutReason);
}

}  // namespace

Verdict judge(const Instance& now, const WaitOrder& order) {
  const std::string id = Cell(id_of(order.answer.name())).text();
  if (order.goal == Goal::kGone) {
    if (!is_hopeless(now, order)) return GoOn{};
    return Failed{failed_precondition("{} is not deleted: {}", id, why(now))};
  }
  const bool carried_out = now.observed_generation() >= order.answer.generation();
  if (carried_out && is_goal_phase(now, order.goal)) return Reached{};
  const bool changed = now.generation() > order.answer.generation() &&
                       now.desired_state() != order.answer.desired_state();
  if (changed) {
    return Failed{aborted("{} was changed meanwhile and shall be {} now: it is {}", id,
                          Instance::DesiredState_Name(now.desired_state()), why(now))};
  }
  const bool crash_matters = order.goal != Goal::kStopped;
  if ((crash_matters && crashed_since(now, order.answer)) || is_hopeless(now, order)) {
    return Failed{failed_precondition("{} is {}", id, why(now))};
  }
  return GoOn{};
}

absl::StatusOr<Instance> wait_for(Context& context, const WaitOrder& order) {
  return Waiting(context, order).run();
}

}  // namespace stellwerk::cli
