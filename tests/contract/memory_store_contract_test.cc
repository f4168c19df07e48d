#include "drivers/store/memory/memory_store.h"
#include "store_contract.h"

namespace stellwerk::store {
namespace {

class MemorySubject final : public StoreSubject {
 public:
  Store& store() override { return store_; }

 private:
  MemoryStore store_;
};

INSTANTIATE_TEST_SUITE_P(Memory, StoreContract, ::testing::Values<StoreFactory>([] {
                           return std::make_unique<MemorySubject>();
                         }));

}  // namespace
}  // namespace stellwerk::store
