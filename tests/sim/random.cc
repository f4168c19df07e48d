#include "tests/sim/random.h"

#include <bit>

namespace stellwerk::sim {

uint64_t mix(uint64_t value) {
  value += 0x9e3779b97f4a7c15;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

uint64_t hash_of(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : text) {
    hash ^= static_cast<uint8_t>(byte);
    hash *= 0x100000001b3;
  }
  return mix(hash);
}

Random::Random(uint64_t seed) : seed_(seed) {
  for (auto& word : state_) word = seed = mix(seed);
}

Random Random::fork(std::string_view name) const {
  return Random(mix(seed_) ^ hash_of(name));
}

uint64_t Random::next() {
  const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

uint64_t Random::below(uint64_t bound) {
  // Values under the threshold would make small results more likely.
  const uint64_t threshold = (0 - bound) % bound;
  uint64_t value = next();
  while (value < threshold) value = next();
  return value % bound;
}

bool Random::chance(uint64_t per_mille) {
  return per_mille > 0 && below(1000) < per_mille;
}

Duration Random::between(Duration low, Duration high) {
  return low + Duration(below(static_cast<uint64_t>((high - low).count()) + 1));
}

Uuid Random::uuid() {
  std::array<uint8_t, 16> bytes{};
  for (size_t half = 0; half < 2; ++half) {
    const uint64_t word = next();
    for (size_t i = 0; i < 8; ++i) bytes[half * 8 + i] = static_cast<uint8_t>(word >> (8 * i));
  }
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return Uuid(bytes);
}

}  // namespace stellwerk::sim
