#include "placement/simulate/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace stellwerk::placement::simulate {
namespace {

constexpr int kStepBits = 5;
constexpr uint64_t kStepsEach = 1 << kStepBits;

// Values below 64 have a bucket each; above, each power of two has 32.
size_t bucket_of(uint64_t value) {
  if (value < 2 * kStepsEach) return value;
  const int shift = std::bit_width(value) - 1 - kStepBits;
  return static_cast<size_t>(shift) * kStepsEach + (value >> shift);
}

uint64_t last_of(size_t bucket) {
  if (bucket < 2 * kStepsEach) return bucket;
  const size_t shift = bucket / kStepsEach - 1;
  return ((bucket - shift * kStepsEach + 1) << shift) - 1;
}

}  // namespace

void Histogram::add(int64_t value) {
  value = std::max<int64_t>(value, 0);
  ++buckets_[std::min(bucket_of(static_cast<uint64_t>(value)), kBuckets - 1)];
  ++count_;
  sum_ += value;
}

int64_t Histogram::quantile(double share) const {
  if (count_ == 0) return 0;
  const auto wanted =
      std::max<int64_t>(1, std::llround(std::ceil(share * static_cast<double>(count_))));
  int64_t seen = 0;
  for (size_t bucket = 0; bucket < kBuckets; ++bucket) {
    seen += buckets_[bucket];
    if (seen >= wanted) return static_cast<int64_t>(last_of(bucket));
  }
  return 0;
}

}  // namespace stellwerk::placement::simulate
