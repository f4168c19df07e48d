#include "api/server/event_pages.h"

#include "api/convert/to_wire.h"

namespace stellwerk::server {
namespace {

constexpr size_t kRecordsPerRead = 256;
constexpr size_t kReadsPerPage = 32;
constexpr int kEventsPerResponse = 500;

absl::Status trimmed(Sequence after) {
  return with_reason(out_of_range("the record after sequence {} is no longer kept; list again from "
                                  "an empty page token",
                                  after.value()),
                     "TOKEN_TRIMMED");
}

}  // namespace

absl::StatusOr<v1::ListEventsResponse> list_events(Gateway& gateway,
                                                   const convert::EventListing& listing) {
  v1::ListEventsResponse response;
  convert::EventPlace place = listing.place;
  for (size_t reads = 0; reads < kReadsPerPage; ++reads) {
    SW_ASSIGN_OR_RETURN(const LogPage page, gateway.read_log(place.after, kRecordsPerRead));
    for (const LogRecord& record : page.records) {
      if (place.skip > 0 && record.sequence != place.after.next()) return trimmed(place.after);
      uint64_t matching = 0;
      for (const Event& event : record.events) {
        if (!listing.filter.matches(event) || matching++ < place.skip) continue;
        if (response.events_size() >= listing.size) {
          // Named by what comes before it, so that its place is known to be gone once it is
          // trimmed.
          place = {.after = Sequence(record.sequence.value() - 1), .skip = matching - 1};
          response.set_next_page_token(convert::format_event_page_token(gateway.cell(), place));
          return response;
        }
        *response.add_events() = convert::to_wire(event, record.sequence);
      }
      place = {.after = record.sequence, .skip = 0};
    }
    place.after = std::max(place.after, page.read_up_to);
    if (!page.more) return response;
  }
  response.set_next_page_token(convert::format_event_page_token(gateway.cell(), place));
  return response;
}

absl::StatusOr<EventPortion> read_portion(Gateway& gateway, const convert::EventFilter& filter,
                                          Sequence after) {
  SW_ASSIGN_OR_RETURN(const LogPage page, gateway.read_log(after, kRecordsPerRead));
  EventPortion portion{.responses = {}, .read_up_to = page.read_up_to};
  v1::WatchEventsResponse response;
  const auto close = [&](Sequence up_to) {
    if (response.events_size() == 0) return;
    response.set_token(convert::format_event_token(gateway.cell(), up_to));
    portion.responses.push_back(std::move(response));
    response = {};
  };
  for (const LogRecord& record : page.records) {
    for (const Event& event : record.events) {
      if (filter.matches(event)) *response.add_events() = convert::to_wire(event, record.sequence);
    }
    // A token names a whole record, so a response never ends inside one.
    if (response.events_size() >= kEventsPerResponse) close(record.sequence);
  }
  close(page.read_up_to);
  return portion;
}

absl::Status token_error(const absl::Status& status, std::string_view field) {
  if (reason_of(status) != "TOKEN_FROM_THE_FUTURE") return status;
  return with_reason(
      invalid_fields({{std::string(field),
                       "names a place that this cell has not reached; list, then watch from an "
                       "empty token"}}),
      "TOKEN_FROM_THE_FUTURE");
}

}  // namespace stellwerk::server
