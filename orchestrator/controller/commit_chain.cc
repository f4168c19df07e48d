#include "orchestrator/controller/commit_chain.h"

#include <fmt/format.h>

#include <utility>

#include "drivers/store/limits.h"

namespace stellwerk::controller {
CommitChain::Order CommitChain::begin(store::Batch batch) {
  batch_ = std::move(batch);
  return commit();
}

CommitChain::Order CommitChain::commit() {
  state_ = State::kCommitting;
  retry_at_.reset();
  return Commit{durable_, batch_};
}

CommitChain::Order CommitChain::land(const store::Head& head) {
  durable_ = head;
  state_ = State::kIdle;
  batch_ = {};
  trouble_.reset();
  retry_at_.reset();
  return Landed{};
}

void CommitChain::wait(State state, MonotonicTime now, const absl::Status& why) {
  state_ = state;
  trouble_ = why;
  retry_at_ = now + retry_after_;
}

CommitChain::Order CommitChain::finished(const absl::StatusOr<store::Head>& result,
                                         MonotonicTime now) {
  if (state_ != State::kCommitting) return {};
  if (result.ok()) return land(*result);
  switch (result.status().code()) {
    case absl::StatusCode::kAborted:
      return Lost{
          fmt::format("another controller has taken over: {}", message_of(result.status()))};
    // Never durable, however often it is tried; the next process begins without it.
    case absl::StatusCode::kInvalidArgument:
      return Lost{fmt::format("the store refuses the batch: {}", message_of(result.status()))};
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kUnknown:
      state_ = State::kObserving;
      trouble_ = result.status();
      return Observe{};
    default:
      wait(State::kWaitingToCommit, now, result.status());
      return {};
  }
}

CommitChain::Order CommitChain::observed(const absl::StatusOr<std::optional<store::Head>>& result,
                                         MonotonicTime now) {
  if (state_ != State::kObserving) return {};
  if (!result.ok()) {
    wait(State::kWaitingToObserve, now, result.status());
    return {};
  }
  const store::Head next = store::head_after_commit(durable_);
  if (*result == next) return land(next);
  if (*result == durable_) return commit();
  return Lost{fmt::format("the store's head is {}, not ours ({})", store::show(*result),
                          store::show(durable_))};
}

CommitChain::Order CommitChain::time_passed(MonotonicTime now) {
  if (!retry_at_ || now < *retry_at_) return {};
  if (state_ == State::kWaitingToCommit) return commit();
  retry_at_.reset();
  state_ = State::kObserving;
  return Observe{};
}

}  // namespace stellwerk::controller
