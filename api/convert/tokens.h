// Places in the order of events, as callers see them: "<cell uid>:<sequence>". They stay valid
// across restarts and mean nothing in another cell.
#pragma once

#include <string>
#include <string_view>

#include "core/ids.h"
#include "core/status.h"

namespace stellwerk::convert {

std::string format_event_token(const CellUid& cell, Sequence sequence);
// InvalidArgument; with reason TOKEN_OF_ANOTHER_CELL if it was made elsewhere.
absl::StatusOr<Sequence> parse_event_token(std::string_view token, const CellUid& cell);

// A page of events may end inside a record: `skip` of those that match have been listed already.
struct EventPlace {
  Sequence after;
  uint64_t skip = 0;
  friend bool operator==(const EventPlace&, const EventPlace&) = default;
};
// "<cell uid>:<sequence>" or "<cell uid>:<sequence>:<skip>".
std::string format_event_page_token(const CellUid& cell, const EventPlace& place);
absl::StatusOr<EventPlace> parse_event_page_token(std::string_view token, const CellUid& cell);

}  // namespace stellwerk::convert
