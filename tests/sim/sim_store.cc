#include "tests/sim/sim_store.h"

#include <utility>

#include "core/failpoint.h"
#include "drivers/store/limits.h"

namespace stellwerk::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr Duration kDeadline = std::chrono::seconds(2);

}  // namespace

SimStore::SimStore(Schedule& schedule, EventLog& log, Mishaps& mishaps, Random random)
    : schedule_(schedule), log_(log), mishaps_(mishaps), random_(std::move(random)) {}

absl::StatusOr<std::optional<store::Head>> SimStore::observe() {
  return head_;
}

absl::StatusOr<store::Head> SimStore::take_over(const std::optional<store::Head>& seen,
                                                const Uuid& incarnation) {
  SW_RETURN_IF_ERROR(store::check_head(head_, seen));
  head_ = store::head_after_takeover(seen, incarnation);
  log_.add("store: epoch {} begins at sequence {}", head_->epoch.value(), head_->sequence.value());
  return *head_;
}

absl::StatusOr<store::Head> SimStore::commit(const store::Head& previous,
                                             const store::Batch& batch) {
  failpoint("store.commit.before");
  SW_RETURN_IF_ERROR(store::check_batch(batch));
  SW_RETURN_IF_ERROR(store::check_head(head_, previous));
  if (!syncs_) before_newest_ = Backup{head_, table_};
  apply(batch);
  head_ = store::head_after_commit(previous);
  log_.add("store: commit {} ({} puts, {} deletes)", head_->sequence.value(), batch.puts.size(),
           batch.deletes.size());
  if (watcher_) watcher_(*head_, batch);
  failpoint("store.commit.after");
  return *head_;
}

void SimStore::apply(const store::Batch& batch) {
  for (const store::Entry& entry : batch.puts) table_[entry.key] = entry.value;
  for (const std::string& key : batch.deletes) table_.erase(key);
}

absl::StatusOr<std::optional<std::string>> SimStore::get(const std::string& key) {
  const auto found = table_.find(key);
  return found == table_.end() ? std::nullopt : std::optional(found->second);
}

absl::StatusOr<std::vector<store::Entry>> SimStore::scan(const store::ScanRange& range,
                                                         const std::optional<store::Head>& guard) {
  if (guard) SW_RETURN_IF_ERROR(store::check_guard(head_, *guard));
  std::vector<store::Entry> page;
  for (auto entry = table_.lower_bound(range.begin);
       entry != table_.end() && entry->first < range.end && page.size() < range.limit; ++entry) {
    page.push_back({entry->first, entry->second});
  }
  return page;
}

void SimStore::watch(std::function<void(const store::Head&, const store::Batch&)> watcher) {
  watcher_ = std::move(watcher);
}

void SimStore::begin_commit(const store::Head& previous, store::Batch batch, CommitReply reply) {
  auto commit = std::make_shared<UnderWay>(
      UnderWay{.previous = previous, .batch = std::move(batch), .reply = std::move(reply)});
  under_way_ = commit;
  const bool slow = random_.chance(20);
  const Duration delay = slow ? random_.between(milliseconds(50), milliseconds(900))
                              : random_.between(microseconds(100), milliseconds(8));
  schedule_.after(delay, [this, commit = std::move(commit), fate = mishaps_.commit()] {
    if (!commit->cancelled) happen(commit, fate);
  });
}

void SimStore::happen(const std::shared_ptr<UnderWay>& commit, Fate fate) {
  under_way_.reset();
  if (fate == Fate::kRefused) {
    log_.add("store: refuses a commit");
    return commit->reply(unavailable("the simulated store refuses"));
  }
  if (fate == Fate::kLate) {  // neither written nor answered
    log_.add("store: loses a commit");
    return schedule_.after(kDeadline, [commit] {
      commit->reply(deadline_exceeded("the simulated store lost the request"));
    });
  }
  auto result = this->commit(commit->previous, commit->batch);
  if (fate == Fate::kAnswerLost) {
    log_.add("store: the answer will be lost");
    return schedule_.after(kDeadline, [commit] {
      commit->reply(deadline_exceeded("the simulated store's answer was lost"));
    });
  }
  schedule_.after(random_.between(microseconds(50), milliseconds(2)),
                  [commit, result = std::move(result)] { commit->reply(result); });
}

void SimStore::writer_died(bool power_cut) {
  if (const auto commit = under_way_.lock()) {
    under_way_.reset();
    commit->cancelled = true;
    if (!power_cut && mishaps_.outlives_caller()) {
      // Late enough to meet the next writer.
      schedule_.after(random_.between(milliseconds(1), std::chrono::seconds(3)), [this, commit] {
        log_.add("store: a dead writer's commit arrives");
        (void)this->commit(commit->previous, commit->batch);
      });
    }
  }
  if (power_cut && before_newest_) {
    const Backup backup = *std::exchange(before_newest_, std::nullopt);
    head_ = backup.head;
    table_ = backup.table;
    log_.add("store: the power cut takes the newest commit back");
  }
}

}  // namespace stellwerk::sim
