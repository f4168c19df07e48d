// Events out of the log: pages for lists, portions for watchers. These functions block on the
// gateway's log.
#pragma once

#include <vector>

#include "api/convert/from_wire.h"
#include "api/server/gateway.h"

namespace stellwerk::server {

// Oldest first. A page may hold fewer events than asked for, even none, and still have a next one:
// one call reads a bounded number of records.
absl::StatusOr<v1::ListEventsResponse> list_events(Gateway& gateway,
                                                   const convert::EventListing& listing);

struct EventPortion {
  std::vector<v1::WatchEventsResponse> responses;  // without those that would be empty
  Sequence read_up_to;
};
// What came after `after`, as far as one read goes.
absl::StatusOr<EventPortion> read_portion(Gateway& gateway, const convert::EventFilter& filter,
                                          Sequence after);

// The error of a token that the log refuses, told with the field that carried it.
absl::Status token_error(const absl::Status& status, std::string_view field);

}  // namespace stellwerk::server
