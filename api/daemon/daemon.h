// The composition root: controller, API and this host's agent in one process.
//
// Order of a start: nothing is touched before the state directory is locked and the database has
// been found whole; the API serves before the host is ready. An end leaves guests alone.
#pragma once

#include "api/daemon/config.h"

namespace stellwerk::daemon {

// What the process ends with; systemd starts it again after anything but kBadUsage, which only a
// person can mend.
enum ExitCode : int {
  kCleanEnd = 0,
  kRefusedToStart = 1,
  kBadUsage = 2,
  kSteppedDown = 3,
};

// Runs until SIGTERM or SIGINT, or until another controller has taken over. `kRefusedToStart` with
// the reason in the log. May end the process itself when a driver does not come back.
ExitCode run_all(const Config& config);

}  // namespace stellwerk::daemon
