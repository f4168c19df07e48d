// Every random decision of a simulation, from one 64-bit seed. Written out here because the
// standard library's distributions differ between libraries, and a seed must mean the same run
// everywhere. xoshiro256** seeded by splitmix64 (https://prng.di.unimi.it/).
//
// `fork` gives each part of the simulation a stream of its own, so that one more draw in one part
// does not change what another part does.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/ids.h"
#include "core/time.h"

namespace stellwerk::sim {

// Well-mixed 64 bits of any 64 bits.
uint64_t mix(uint64_t value);
// FNV-1a, mixed: names and commit ids become numbers.
uint64_t hash_of(std::string_view text);

class Random {
 public:
  explicit Random(uint64_t seed);

  // An independent stream; the same name from the same seed gives the same one.
  Random fork(std::string_view name) const;

  uint64_t next();
  // Uniform in [0, bound); bound > 0.
  uint64_t below(uint64_t bound);
  // True in `per_mille` of 1,000 cases. Draws nothing for 0.
  bool chance(uint64_t per_mille);
  // Uniform in [low, high], to the microsecond.
  Duration between(Duration low, Duration high);
  Uuid uuid();

  template <class Item>
  const Item& pick(const std::vector<Item>& items) {
    return items[below(items.size())];
  }

 private:
  uint64_t seed_;
  std::array<uint64_t, 4> state_{};
};

}  // namespace stellwerk::sim
