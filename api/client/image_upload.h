// Sends an image's bytes to the daemon. Blocking; one thread.
#pragma once

#include <cstddef>
#include <span>

#include "api/client/client.h"

namespace stellwerk::client {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Fills `buffer` and returns how many bytes; zero: that was all.
  virtual absl::StatusOr<size_t> read(std::span<char> buffer) = 0;
  // Back to the first byte; false when the source cannot (a pipe).
  virtual bool rewind() = 0;
};

inline constexpr size_t kChunkBytes = 1 << 20;

// A source that fails cancels the import, so that the daemon never takes a part for the whole.
// A connection that breaks is made again only when the source can be rewound.
absl::StatusOr<v1::Image> upload_image(Client& client, const v1::ImportImageRequest::Spec& spec,
                                       ByteSource& source);

}  // namespace stellwerk::client
