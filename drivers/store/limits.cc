#include "drivers/store/limits.h"

#include <algorithm>
#include <vector>

#include "core/validate.h"

namespace stellwerk::store {
namespace {

absl::Status check_key(const std::string& key) {
  if (key.empty() || key.size() > kMaxKeyBytes) {
    return invalid_argument("key {} has {} bytes; a key has 1 to {}", quoted(key), key.size(),
                            kMaxKeyBytes);
  }
  const auto printable = [](char c) { return c >= 0x20 && c <= 0x7e; };
  if (!std::all_of(key.begin(), key.end(), printable)) {
    return invalid_argument("key {} holds bytes that are not printable ASCII", quoted(key));
  }
  return absl::OkStatus();
}

absl::Status check_distinct(std::vector<std::string_view> keys) {
  std::sort(keys.begin(), keys.end());
  const auto twice = std::adjacent_find(keys.begin(), keys.end());
  if (twice == keys.end()) return absl::OkStatus();
  return invalid_argument("key {} comes twice in one batch", quoted(*twice));
}

}  // namespace

std::string show(const std::optional<Head>& head) {
  if (!head) return "none";
  return fmt::format("epoch {}, sequence {} of {}", head->epoch.value(), head->sequence.value(),
                     head->incarnation.to_string());
}

absl::Status check_batch(const Batch& batch) {
  const size_t count = batch.puts.size() + batch.deletes.size();
  if (count > kMaxBatchKeys) {
    return invalid_argument("batch of {} keys; at most {} fit: split it", count, kMaxBatchKeys);
  }
  std::vector<std::string_view> keys;
  keys.reserve(count);
  size_t bytes = 0;
  for (const Entry& entry : batch.puts) {
    SW_RETURN_IF_ERROR(check_key(entry.key));
    if (entry.value.size() > kMaxValueBytes) {
      return invalid_argument("value of {} has {} bytes; at most {} are allowed", quoted(entry.key),
                              entry.value.size(), kMaxValueBytes);
    }
    keys.push_back(entry.key);
    bytes += entry.key.size() + entry.value.size();
  }
  for (const std::string& key : batch.deletes) {
    SW_RETURN_IF_ERROR(check_key(key));
    keys.push_back(key);
    bytes += key.size();
  }
  if (bytes > kMaxBatchBytes) {
    return invalid_argument("batch of {} bytes; at most {} fit: split it", bytes, kMaxBatchBytes);
  }
  return check_distinct(std::move(keys));
}

absl::Status check_head(const std::optional<Head>& actual, const std::optional<Head>& expected) {
  if (actual == expected) return absl::OkStatus();
  return aborted("the head is {}, not {}: another writer has taken over or went on", show(actual),
                 show(expected));
}

absl::Status check_guard(const std::optional<Head>& actual, const Head& guard) {
  if (actual && actual->epoch == guard.epoch && actual->incarnation == guard.incarnation) {
    return absl::OkStatus();
  }
  return aborted("the head is {}, not of {}: another writer has taken over", show(actual),
                 show(guard));
}

Head head_after_takeover(const std::optional<Head>& seen, const Uuid& incarnation) {
  const Head before = seen.value_or(Head());
  return {.format = kFormat,
          .epoch = before.epoch.next(),
          .incarnation = incarnation,
          .sequence = before.sequence.next()};
}

Head head_after_commit(const Head& previous) {
  Head next = previous;
  next.sequence = previous.sequence.next();
  return next;
}

}  // namespace stellwerk::store
