// Keeps the failover guarantee through every later change: looks again for instances whose backup
// may not hold any more, and for those without one once something has become free. A little at a
// time; decides without a caller. Sans-I/O, one thread at a time.
//
// Invariants: an instance that lost its protection is told about once, and once again when it has
// it back; where no backup can be found, nothing is tried before the fleet has changed.
#pragma once

#include <optional>
#include <set>

#include "core/event.h"
#include "core/time.h"
#include "orchestrator/controller/ledger.h"

namespace stellwerk::controller {

// That an instance has lost its protection, or has it back; without its time. For whoever gives it
// a backup that `before` did not have, or takes it away.
Event protection_event(const Ledger& ledger, const Instance& before, bool has_backup);

class FailoverGuard {
 public:
  static constexpr size_t kMostPerBatch = 200;

  // Until every host has told what runs on it, or `patience` has passed since `began`, a host that
  // is not heard yet could be taken for one that is not there.
  FailoverGuard(Ledger& ledger, Duration patience) : ledger_(ledger), patience_(patience) {}
  void begin(MonotonicTime now) { begin_by_ = now + patience_; }

  // Looks at no more than kMostPerBatch instances, and puts into the pending batch what follows.
  void work(Now now);
  // When `work` should be called next, other than with the next input; none: nothing is left to do
  // that it could do.
  std::optional<MonotonicTime> wake_at(MonotonicTime now) const;

 private:
  bool is_early(MonotonicTime now);
  void take_news();
  void look_at(const InstanceUid& uid, Now now);

  Ledger& ledger_;
  const Duration patience_;
  MonotonicTime begin_by_;
  bool begun_ = false;
  std::set<InstanceUid> due_;
  std::set<InstanceUid> unprotected_;  // for which none was found
};

}  // namespace stellwerk::controller
