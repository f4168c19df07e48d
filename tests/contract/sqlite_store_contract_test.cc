#include "../support/temporary_directory.h"
#include "drivers/store/sqlite/sqlite_store.h"
#include "store_contract.h"

namespace stellwerk::store {
namespace {

class SqliteSubject final : public StoreSubject {
 public:
  Store& store() override { return *store_; }

 private:
  stellwerk::testing::TemporaryDirectory folder_;
  std::unique_ptr<SqliteStore> store_ = SqliteStore::open(folder_ / "stellwerk.db").value();
};

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreContract, ::testing::Values<StoreFactory>([] {
                           return std::make_unique<SqliteSubject>();
                         }));

}  // namespace
}  // namespace stellwerk::store
