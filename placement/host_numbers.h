// The number of a host by its uid: asked for with every claim. A hash table that nobody can walk
// through, so its order cannot decide anything. Uids stand with the hosts alone, which whoever asks
// reads next anyway.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <vector>

#include "core/ids.h"

namespace stellwerk::placement {

class HostNumbers {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  HostNumbers() : HostNumbers(0) {}
  // At most so many are added.
  explicit HostNumbers(size_t hosts) : entries_(std::bit_ceil(2 * hosts + 2)) {}

  void add(const HostUid& uid, uint32_t number) {
    const Hash hash = hash_of(uid);
    size_t at = hash.first;
    while (entries_[at].number != kNone) at = next(at);
    entries_[at] = {.tag = hash.tag, .number = number};
  }
  // `has_uid(number)`: whether it is that host's.
  template <class HasUid>
  uint32_t find(const HostUid& uid, HasUid has_uid) const {
    const Hash hash = hash_of(uid);
    for (size_t at = hash.first; entries_[at].number != kNone; at = next(at)) {
      if (entries_[at].tag == hash.tag && has_uid(entries_[at].number)) return entries_[at].number;
    }
    return kNone;
  }

 private:
  struct Entry {
    uint32_t tag = 0;
    uint32_t number = kNone;
  };
  struct Hash {
    size_t first;
    uint32_t tag;
  };
  // The bytes of a uid are as good as random, but for a few that say which kind it is.
  Hash hash_of(const HostUid& uid) const {
    uint64_t bits = 0;
    std::memcpy(&bits, uid.value().bytes().data() + 8, sizeof(bits));
    bits *= 0x9E3779B97F4A7C15;
    return {.first = (bits >> 32) & (entries_.size() - 1), .tag = static_cast<uint32_t>(bits)};
  }
  size_t next(size_t at) const { return (at + 1) & (entries_.size() - 1); }

  std::vector<Entry> entries_;  // a power of two, at most half of them used
};

}  // namespace stellwerk::placement
