// A store in memory, for tests: the contract of store.h without durability. It
// outlives the controllers that a test starts and crashes on it. Any thread.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "drivers/store/store.h"

namespace stellwerk::store {

class MemoryStore final : public Store {
 public:
  absl::StatusOr<std::optional<Head>> observe() override;
  absl::StatusOr<Head> take_over(const std::optional<Head>& seen, const Uuid& incarnation) override;
  absl::StatusOr<Head> commit(const Head& previous, const Batch& batch) override;
  absl::StatusOr<std::optional<std::string>> get(const std::string& key) override;
  absl::StatusOr<std::vector<Entry>> scan(const ScanRange& range,
                                          const std::optional<Head>& guard) override;

 private:
  absl::StatusOr<Head> advance(const std::optional<Head>& expected, const Head& next,
                               const Batch& batch);

  std::mutex mutex_;
  std::optional<Head> head_;
  std::map<std::string, std::string> entries_;
};

}  // namespace stellwerk::store
