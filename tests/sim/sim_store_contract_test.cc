// The simulated store keeps the contract of the real ones. It lives in one thread; the suite, which
// reads from another, takes turns.
#include <mutex>

#include "store_contract.h"
#include "tests/sim/sim_store.h"

namespace stellwerk::store {
namespace {

class InTurn final : public Store {
 public:
  explicit InTurn(Store& store) : store_(store) {}

  absl::StatusOr<std::optional<Head>> observe() override {
    const std::lock_guard lock(mutex_);
    return store_.observe();
  }
  absl::StatusOr<Head> take_over(const std::optional<Head>& seen,
                                 const Uuid& incarnation) override {
    const std::lock_guard lock(mutex_);
    return store_.take_over(seen, incarnation);
  }
  absl::StatusOr<Head> commit(const Head& previous, const Batch& batch) override {
    const std::lock_guard lock(mutex_);
    return store_.commit(previous, batch);
  }
  absl::StatusOr<std::optional<std::string>> get(const std::string& key) override {
    const std::lock_guard lock(mutex_);
    return store_.get(key);
  }
  absl::StatusOr<std::vector<Entry>> scan(const ScanRange& range,
                                          const std::optional<Head>& guard) override {
    const std::lock_guard lock(mutex_);
    return store_.scan(range, guard);
  }

 private:
  std::mutex mutex_;
  Store& store_;
};

class SimSubject final : public StoreSubject {
 public:
  Store& store() override { return in_turn_; }

 private:
  sim::Schedule schedule_;
  sim::EventLog log_{schedule_};
  sim::Mishaps mishaps_{sim::Random(1)};
  sim::SimStore store_{schedule_, log_, mishaps_, sim::Random(2)};
  InTurn in_turn_{store_};
};

INSTANTIATE_TEST_SUITE_P(Simulated, StoreContract, ::testing::Values<StoreFactory>([] {
                           return std::make_unique<SimSubject>();
                         }));

}  // namespace
}  // namespace stellwerk::store
