#include "../../support/temporary_directory.h"
#include "drivers/storage/local/local_storage.h"
#include "storage_contract.h"

namespace stellwerk::storage {
namespace {

class LocalStorageUnderTest final : public StorageUnderTest {
 public:
  LocalStorageUnderTest() { reopen(); }
  Storage& storage() override { return *storage_; }
  void reopen() override {
    storage_.reset();
    LocalStorage::Options options;
    options.directory = directory_ / "storage";
    auto opened = LocalStorage::open(options);
    if (!opened.ok()) std::abort();
    storage_ = std::move(*opened);
  }

 private:
  testing::TemporaryDirectory directory_;
  std::unique_ptr<LocalStorage> storage_;
};

INSTANTIATE_TEST_SUITE_P(Local, StorageContract,
                         ::testing::Values(StorageImplementation{
                             "Local", [] { return std::make_unique<LocalStorageUnderTest>(); }}));

}  // namespace
}  // namespace stellwerk::storage
