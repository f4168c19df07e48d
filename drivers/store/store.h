// The store: one table of keys and values, changed only by a chain of commits.
//
// Contract, passed by every implementation (tests/contract/store_contract.h):
//  - One head {format, epoch, incarnation, sequence}. `commit` compares it with the one given and,
//    in the same atomic write, puts and deletes the batch's keys and advances it by one sequence.
//  - OK means durable. Aborted: the head is another's; nothing was written. DeadlineExceeded or
//    Unknown: the outcome is unknown, observe() tells. Any other error: nothing was written.
//  - Keys are printable ASCII up to 256 bytes, values any bytes up to 128 KiB; scans are in byte
//    order of the keys.
// Calls block. `commit` and `take_over` come from one thread at a time; `get`, `scan` and `observe`
// may come from any other meanwhile.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/ids.h"
#include "core/status.h"

namespace stellwerk::store {

inline constexpr uint32_t kFormat = 1;
inline constexpr size_t kMaxBatchKeys = 1000;
inline constexpr size_t kMaxBatchBytes = 1 << 20;

struct Head {
  uint32_t format = kFormat;
  Epoch epoch;
  Uuid incarnation;  // random, new with every takeover
  Sequence sequence;
  friend bool operator==(const Head&, const Head&) = default;
};

struct Entry {
  std::string key;
  std::string value;
  friend bool operator==(const Entry&, const Entry&) = default;
};

struct Batch {
  std::vector<Entry> puts;
  std::vector<std::string> deletes;
};

// Keys in [begin, end), at most `limit` of them.
struct ScanRange {
  std::string begin;
  std::string end;
  size_t limit = 1000;
};

class Store {
 public:
  virtual ~Store() = default;

  // The head as it is now; nothing in a table that was never taken over.
  virtual absl::StatusOr<std::optional<Head>> observe() = 0;

  // Becomes the writer: epoch + 1, the given incarnation, sequence + 1. `seen` is what observe()
  // returned; Aborted if the head has changed since. After it, older writers' commits abort.
  virtual absl::StatusOr<Head> take_over(const std::optional<Head>& seen,
                                         const Uuid& incarnation) = 0;

  virtual absl::StatusOr<Head> commit(const Head& previous, const Batch& batch) = 0;

  virtual absl::StatusOr<std::optional<std::string>> get(const std::string& key) = 0;

  // One page, in order. With `guard`, Aborted if the head is no longer of that epoch and
  // incarnation.
  virtual absl::StatusOr<std::vector<Entry>> scan(const ScanRange& range,
                                                  const std::optional<Head>& guard) = 0;
};

}  // namespace stellwerk::store
