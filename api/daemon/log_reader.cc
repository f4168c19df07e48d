#include "api/daemon/log_reader.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "orchestrator/records/keys.h"
#include "orchestrator/records/records.h"

namespace stellwerk::daemon {
namespace {

absl::StatusOr<std::optional<Sequence>> oldest_record(store::Store& store) {
  SW_ASSIGN_OR_RETURN(const std::vector<store::Entry> first,
                      store.scan({.begin = std::string(records::kLogPrefix),
                                  .end = records::prefix_end(records::kLogPrefix),
                                  .limit = 1},
                                 std::nullopt));
  if (first.empty()) return std::nullopt;
  return records::parse_log_key(first.front().key);
}

// Commits that take over write no record, so the record after a trimmed one cannot always be told
// from the first one ever; the doubt goes to the side on which nothing is lost.
absl::Status check_not_trimmed(store::Store& store, Sequence after) {
  if (after == Sequence()) return absl::OkStatus();
  SW_ASSIGN_OR_RETURN(const std::optional<Sequence> oldest, oldest_record(store));
  if (oldest && *oldest <= after.next()) return absl::OkStatus();
  return with_reason(
      out_of_range("what followed sequence {} is no longer kept; list the resources, then watch "
                   "without a token",
                   after.value()),
      "TOKEN_TRIMMED");
}

}  // namespace

absl::StatusOr<server::LogPage> read_log(store::Store& store, Sequence after, Sequence durable,
                                         size_t limit) {
  if (after > durable) {
    return with_reason(out_of_range("sequence {} has not been committed yet, the newest is {}; the "
                                    "token is of another state of this cell: list, then watch",
                                    after.value(), durable.value()),
                       "TOKEN_FROM_THE_FUTURE");
  }
  limit = std::max<size_t>(limit, 1);
  if (after == durable) return server::LogPage{.records = {}, .read_up_to = durable};
  SW_ASSIGN_OR_RETURN(const std::vector<store::Entry> entries,
                      store.scan({.begin = records::log_key(after.next()),
                                  .end = records::log_key(durable.next()),
                                  .limit = limit},
                                 std::nullopt));
  // Only now: had it been asked before, the trimmer could have come in between.
  SW_RETURN_IF_ERROR(check_not_trimmed(store, after));
  server::LogPage page{.records = {}, .read_up_to = durable, .more = entries.size() == limit};
  for (const store::Entry& entry : entries) {
    auto record = records::decode_log(entry.value);
    if (record.ok()) {
      page.records.push_back(*std::move(record));
    } else {
      spdlog::error("log record skipped key={} error=\"{}\"", entry.key,
                    message_of(record.status()));
    }
  }
  if (page.more) page.read_up_to = records::parse_log_key(entries.back().key).value_or(after);
  return page;
}

}  // namespace stellwerk::daemon
