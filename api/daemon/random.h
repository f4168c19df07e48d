// Where randomness comes from: the kernel, asked by shells alone. Any thread.
#pragma once

#include "core/ids.h"

namespace stellwerk::daemon {

// RFC 9562 version 4.
Uuid random_uuid();

}  // namespace stellwerk::daemon
