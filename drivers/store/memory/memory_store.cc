#include "drivers/store/memory/memory_store.h"

#include "core/failpoint.h"
#include "drivers/store/limits.h"

namespace stellwerk::store {

absl::StatusOr<std::optional<Head>> MemoryStore::observe() {
  const std::lock_guard lock(mutex_);
  return head_;
}

absl::StatusOr<Head> MemoryStore::take_over(const std::optional<Head>& seen,
                                            const Uuid& incarnation) {
  return advance(seen, head_after_takeover(seen, incarnation), Batch());
}

absl::StatusOr<Head> MemoryStore::commit(const Head& previous, const Batch& batch) {
  failpoint("store.commit.before");
  SW_RETURN_IF_ERROR(check_batch(batch));
  SW_ASSIGN_OR_RETURN(const Head head, advance(previous, head_after_commit(previous), batch));
  failpoint("store.commit.after");
  return head;
}

absl::StatusOr<Head> MemoryStore::advance(const std::optional<Head>& expected, const Head& next,
                                          const Batch& batch) {
  const std::lock_guard lock(mutex_);
  SW_RETURN_IF_ERROR(check_head(head_, expected));
  for (const Entry& entry : batch.puts) entries_[entry.key] = entry.value;
  for (const std::string& key : batch.deletes) entries_.erase(key);
  head_ = next;
  return next;
}

absl::StatusOr<std::optional<std::string>> MemoryStore::get(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end()) return std::nullopt;
  return found->second;
}

absl::StatusOr<std::vector<Entry>> MemoryStore::scan(const ScanRange& range,
                                                     const std::optional<Head>& guard) {
  const std::lock_guard lock(mutex_);
  if (guard) SW_RETURN_IF_ERROR(check_guard(head_, *guard));
  std::vector<Entry> page;
  for (auto at = entries_.lower_bound(range.begin);
       at != entries_.end() && at->first < range.end && page.size() < range.limit; ++at) {
    page.push_back({at->first, at->second});
  }
  return page;
}

}  // namespace stellwerk::store
