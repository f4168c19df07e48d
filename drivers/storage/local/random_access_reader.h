// Bytes that can be read at any place: a file, or a test's memory.
// The size does not change while a reader lives. One thread at a time.
#pragma once

#include <cstdint>
#include <span>

#include "core/status.h"

namespace stellwerk::storage {

class RandomAccessReader {
 public:
  virtual ~RandomAccessReader() = default;
  virtual uint64_t size() const = 0;
  // Fills `into` wholly or fails; reading past the end is OutOfRange.
  virtual absl::Status read(uint64_t offset, std::span<uint8_t> into) const = 0;
};

}  // namespace stellwerk::storage
