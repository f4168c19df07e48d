// One commit at a time, each on top of the one before, until its outcome is known. Sans-I/O.
//
// Outcome unknown: the head is read back. Ours: it landed. The previous: the same batch again.
// Another's: this process is no longer the controller.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "core/status.h"
#include "core/time.h"
#include "drivers/store/store.h"

namespace stellwerk::controller {

class CommitChain {
 public:
  CommitChain(store::Head head, Duration retry_after) : durable_(head), retry_after_(retry_after) {}

  // What the owner has to do next, if anything.
  struct Commit {
    store::Head previous;
    store::Batch batch;
  };
  struct Observe {};
  struct Landed {};
  struct Lost {
    std::string why;
  };
  using Order = std::variant<std::monostate, Commit, Observe, Landed, Lost>;

  const store::Head& durable() const { return durable_; }
  bool idle() const { return state_ == State::kIdle; }
  // Why new mutations should be refused; nothing while commits go through.
  const std::optional<absl::Status>& trouble() const { return trouble_; }
  std::optional<MonotonicTime> wake_at() const { return retry_at_; }

  // Only when idle.
  Order begin(store::Batch batch);
  Order finished(const absl::StatusOr<store::Head>& result, MonotonicTime now);
  Order observed(const absl::StatusOr<std::optional<store::Head>>& result, MonotonicTime now);
  Order time_passed(MonotonicTime now);

 private:
  enum class State { kIdle, kCommitting, kObserving, kWaitingToCommit, kWaitingToObserve };

  Order commit();
  Order land(const store::Head& head);
  void wait(State state, MonotonicTime now, const absl::Status& why);

  store::Head durable_;
  const Duration retry_after_;
  State state_ = State::kIdle;
  store::Batch batch_;
  std::optional<absl::Status> trouble_;
  std::optional<MonotonicTime> retry_at_;
};

}  // namespace stellwerk::controller
