// The embedded store: one SQLite file in WAL mode with synchronous=FULL, owned by one process.
//
// A database that is damaged, of a newer format or not Stellwerk's is refused and not touched; an
// older format is copied to `<path>.before-format-N` and then migrated in one transaction.
// `commit` and `take_over` use a connection of their own, so reads go on meanwhile; reads wait for
// each other. Threads: as store.h says.
#pragma once

#include <memory>
#include <string>

#include "drivers/store/store.h"

namespace stellwerk::store {

class SqliteStore final : public Store {
 public:
  // Makes the database if there is none; its folder must exist. FailedPrecondition when another
  // process has it.
  static absl::StatusOr<std::unique_ptr<SqliteStore>> open(const std::string& path);
  ~SqliteStore() override;
  SqliteStore(const SqliteStore&) = delete;
  SqliteStore& operator=(const SqliteStore&) = delete;

  absl::StatusOr<std::optional<Head>> observe() override;
  absl::StatusOr<Head> take_over(const std::optional<Head>& seen, const Uuid& incarnation) override;
  absl::StatusOr<Head> commit(const Head& previous, const Batch& batch) override;
  absl::StatusOr<std::optional<std::string>> get(const std::string& key) override;
  absl::StatusOr<std::vector<Entry>> scan(const ScanRange& range,
                                          const std::optional<Head>& guard) override;

 private:
  struct Body;
  explicit SqliteStore(std::unique_ptr<Body> body);
  absl::StatusOr<Head> advance(const std::optional<Head>& expected, const Head& next,
                               const Batch& batch);

  std::unique_ptr<Body> body_;
};

}  // namespace stellwerk::store
