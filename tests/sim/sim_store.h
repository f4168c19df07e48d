// The durable table of a simulated cell, after the contract of drivers/store/store.h.
//
// The functions of `Store` happen at once. `begin_commit` takes its time: between asking and
// happening, and between happening and the answer, everything else may go on, the caller may die,
// and the answer may be lost. What a dead caller had asked for may still happen, until a new
// writer has taken over.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "drivers/store/store.h"
#include "tests/sim/event_log.h"
#include "tests/sim/mishaps.h"

namespace stellwerk::sim {

class SimStore final : public store::Store {
 public:
  using Table = std::map<std::string, std::string>;
  using CommitReply = std::function<void(absl::StatusOr<store::Head>)>;

  SimStore(Schedule& schedule, EventLog& log, Mishaps& mishaps, Random random);

  absl::StatusOr<std::optional<store::Head>> observe() override;
  absl::StatusOr<store::Head> take_over(const std::optional<store::Head>& seen,
                                        const Uuid& incarnation) override;
  absl::StatusOr<store::Head> commit(const store::Head& previous,
                                     const store::Batch& batch) override;
  absl::StatusOr<std::optional<std::string>> get(const std::string& key) override;
  absl::StatusOr<std::vector<store::Entry>> scan(const store::ScanRange& range,
                                                 const std::optional<store::Head>& guard) override;

  // `reply` is called exactly once, unless the caller's life ends before.
  void begin_commit(const store::Head& previous, store::Batch batch, CommitReply reply);
  // The writer's process is gone; with `power_cut`, so is everything it had asked for.
  void writer_died(bool power_cut);

  const std::optional<store::Head>& head() const { return head_; }
  const Table& table() const { return table_; }
  // Called after every commit, with the head that it made.
  void watch(std::function<void(const store::Head&, const store::Batch&)> watcher);
  // From now on the newest commit is only safe once another follows.
  void stop_syncing() { syncs_ = false; }

 private:
  struct UnderWay {
    store::Head previous;
    store::Batch batch;
    CommitReply reply;
    bool cancelled = false;
  };
  void happen(const std::shared_ptr<UnderWay>& commit, Fate fate);
  void apply(const store::Batch& batch);

  Schedule& schedule_;
  EventLog& log_;
  Mishaps& mishaps_;
  Random random_;
  std::optional<store::Head> head_;
  Table table_;
  struct Backup {
    std::optional<store::Head> head;
    Table table;
  };
  std::optional<Backup> before_newest_;  // only without syncing
  bool syncs_ = true;
  std::weak_ptr<UnderWay> under_way_;
  std::function<void(const store::Head&, const store::Batch&)> watcher_;
};

}  // namespace stellwerk::sim
