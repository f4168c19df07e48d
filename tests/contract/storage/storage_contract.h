// What every Storage must do, whatever it is made of. An implementation's own test file
// instantiates the suite with a factory.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "drivers/storage/storage.h"

namespace stellwerk::storage {

class StorageUnderTest {
 public:
  virtual ~StorageUnderTest() = default;
  virtual Storage& storage() = 0;
  // As after a restart of the daemon: the same content, opened anew.
  virtual void reopen() = 0;
};

struct StorageImplementation {
  std::string name;
  std::function<std::unique_ptr<StorageUnderTest>()> make;
  friend std::ostream& operator<<(std::ostream& out, const StorageImplementation& value) {
    return out << value.name;
  }
};

class StorageContract : public ::testing::TestWithParam<StorageImplementation> {
 protected:
  Storage& storage() { return under_test_->storage(); }
  void reopen() { under_test_->reopen(); }
  Inventory inventory();
  // Uploads `bytes` in pieces.
  absl::StatusOr<ImageFacts> upload(const ImageUid& image, std::string_view bytes,
                                    const std::optional<Sha256>& expected = std::nullopt);

 private:
  std::unique_ptr<StorageUnderTest> under_test_ = GetParam().make();
};

}  // namespace stellwerk::storage
