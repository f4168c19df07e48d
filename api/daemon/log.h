// Sets the process's log up, once, before threads are there.
#pragma once

#include "api/daemon/config.h"

namespace stellwerk::daemon {

// To standard error, which systemd's journal takes; what gRPC has to say goes the same way.
void set_up_log(const DaemonConfig& config);

}  // namespace stellwerk::daemon
