// Reads the store's log for watchers: the records between what they have seen and what is durable.
// Blocks; any thread.
#pragma once

#include "api/server/gateway.h"
#include "drivers/store/store.h"

namespace stellwerk::daemon {

// As server::Gateway::read_log, with what is `durable` at the time of the call. A record that
// cannot be read is left out and told to our own log.
absl::StatusOr<server::LogPage> read_log(store::Store& store, Sequence after, Sequence durable,
                                         size_t limit);

}  // namespace stellwerk::daemon
