// Counts durations in buckets that are at most 1/32 of their value wide, so that a million of them
// take no more room than one. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace stellwerk::placement::simulate {

class Histogram {
 public:
  // Of nanoseconds; less than nothing counts as nothing.
  void add(int64_t value);

  int64_t count() const { return count_; }
  int64_t sum() const { return sum_; }
  // The largest value of the bucket in which the smallest `share` of all values ends; 0 without
  // values. Exact below 64, else at most 1/32 too much.
  int64_t quantile(double share) const;

 private:
  static constexpr size_t kSteps = 32;  // of each power of two
  static constexpr size_t kBuckets = 60 * kSteps;

  std::array<int64_t, kBuckets> buckets_{};
  int64_t count_ = 0;
  int64_t sum_ = 0;
};

}  // namespace stellwerk::placement::simulate
