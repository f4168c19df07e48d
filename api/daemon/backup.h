// What `stellwerkd backup` and `stellwerkd restore` do: the cell's decisions and the host's
// identity in one file, and back. Disks and images are not part of it.
#pragma once

#include <string>

#include "api/daemon/config.h"
#include "core/time.h"

namespace stellwerk::daemon {

// Each returns what to tell people. Beside a daemon at work.
absl::StatusOr<std::string> back_up(const Config& config, const std::string& file, bool replace,
                                    WallTime now);

// FailedPrecondition while a daemon works in the state directory, and when the backup is another
// host's. On any error everything is as it was.
absl::StatusOr<std::string> restore_backup(const Config& config, const std::string& file,
                                           WallTime now);

}  // namespace stellwerk::daemon
