// Images for tests: in memory, or made for real by QEMU's own tools.
#pragma once

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

#include "drivers/storage/local/child_process.h"
#include "drivers/storage/local/random_access_reader.h"

namespace stellwerk::storage {

class MemoryReader final : public RandomAccessReader {
 public:
  explicit MemoryReader(std::string bytes) : bytes_(std::move(bytes)) {}
  uint64_t size() const override { return bytes_.size(); }
  absl::Status read(uint64_t offset, std::span<uint8_t> into) const override {
    if (offset > bytes_.size() || into.size() > bytes_.size() - offset) {
      return out_of_range("ends at byte {}", bytes_.size());
    }
    std::memcpy(into.data(), bytes_.data() + offset, into.size());
    return absl::OkStatus();
  }

 private:
  std::string bytes_;
};

inline std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void write_content(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

// Runs one of QEMU's tools; a test that cannot make its image must not pass.
inline void run_tool(const std::vector<std::string>& argv) {
  absl::Status status;
  // On a busy machine qemu-img cannot always measure the processor time that it derives keys by.
  for (int attempt = 0; attempt < 5; ++attempt) {
    status = run_to_end({.argv = argv, .deadline = std::chrono::seconds(60)});
    if (message_of(status).find("accurate CPU usage") == std::string_view::npos) break;
  }
  if (status.ok()) return;
  fmt::print(stderr, "{}\n", describe(status));
  std::abort();
}

template <class Word>
void put_big_endian(std::string& bytes, size_t at, Word value) {
  for (size_t i = 0; i < sizeof(Word); ++i) {
    bytes[at + i] = static_cast<char>(value >> (8 * (sizeof(Word) - 1 - i)));
  }
}

template <class Word>
Word get_big_endian(const std::string& bytes, size_t at) {
  Word value = 0;
  for (size_t i = 0; i < sizeof(Word); ++i) {
    value = static_cast<Word>((value << 8) | static_cast<uint8_t>(bytes[at + i]));
  }
  return value;
}

}  // namespace stellwerk::storage
