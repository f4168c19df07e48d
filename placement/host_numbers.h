// The number of a host by its uid: asked for with every claim. A hash table that nobody can walk
// through, so its order cannot decide anything.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <cstring>

#include "core/ids.h"

namespace stellwerk::placement {

class HostNumbers {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  void add(const HostUid& uid, uint32_t number) { numbers_[uid] = number; }
  uint32_t find(const HostUid& uid) const {
    const auto found = numbers_.find(uid);
    return found == numbers_.end() ? kNone : found->second;
  }

 private:
  // The bytes of a uid are as good as random.
  struct Hash {
    size_t operator()(const HostUid& uid) const {
      size_t hash = 0;
      std::memcpy(&hash, uid.value().bytes().data() + 8, sizeof(hash));
      return hash;
    }
  };
  absl::flat_hash_map<HostUid, uint32_t, Hash> numbers_;
};

}  // namespace stellwerk::placement
