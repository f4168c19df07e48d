// What orders do to an instance's record, and what stands in their way. Pure; the caller counts the
// generation and puts the record.
//
// Whatever changes whether or how the guest runs begins a new run: ends and failures from before
// are then no longer held against it. Nothing else does.
#pragma once

#include "core/model.h"
#include "core/status.h"

namespace stellwerk::controller {

void order_run(Instance& instance);
void order_stop(Instance& instance, bool hard);
void order_reboot(Instance& instance, RebootKind kind);

// FailedPrecondition for what is in deletion.
absl::Status refuse_if_deleted(const Instance& instance);
// FailedPrecondition for what shall not run.
absl::Status refuse_if_stopped(const Instance& instance);
// FailedPrecondition for what is protected against deletion.
absl::Status refuse_if_protected(const Instance& instance);

}  // namespace stellwerk::controller
