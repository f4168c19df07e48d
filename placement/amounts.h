// Amounts of everything that is counted on a host, as one vector: what a claim takes, what claims
// take together, what is kept for a failure. Values; every operation goes element by element.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/model.h"
#include "placement/rare_vector.h"

namespace stellwerk::placement {

inline constexpr size_t kCpuClasses = 4;
inline constexpr size_t kHugePageSizes = 2;

constexpr size_t index_of(CpuClass cpu_class) {
  return static_cast<size_t>(cpu_class);
}
// Of a size that is not normal.
constexpr size_t index_of(PageSize size) {
  return static_cast<size_t>(size) - 1;
}

// Counts are vCPUs, bytes, pages, Mbit/s, milliwatts and devices: each element has one unit, and no
// operation mixes elements.
struct NodeAmounts {
  std::array<int64_t, kCpuClasses> vcpus{};
  int64_t memory = 0;
  std::array<int64_t, kHugePageSizes> pages{};
  friend bool operator==(const NodeAmounts&, const NodeAmounts&) = default;
};

struct Amounts {
  std::array<int64_t, kCpuClasses> vcpus{};
  int64_t memory = 0;
  int64_t disk = 0;
  int64_t bandwidth = 0;
  int64_t power = 0;
  std::array<int64_t, kHugePageSizes> pages{};
  RareVector<int64_t> devices;    // by the fleet's order of classes; missing ones are zero
  RareVector<NodeAmounts> nodes;  // by the host's order of nodes; missing ones are zero
  // Equal whatever zeros are written out at the ends.
  friend bool operator==(const Amounts& a, const Amounts& b);

  bool is_zero() const;
};

void add(Amounts& to, const Amounts& other);
// Aborts if less is there: more released than was charged is a broken invariant.
void subtract(Amounts& from, const Amounts& other);
// The larger of each element; whether any became larger.
bool raise_to(Amounts& to, const Amounts& other);
// Whether any element that is not zero is as large as the other's.
bool touches(const Amounts& what, const Amounts& other);

// What each of so many nodes gives of it: equal parts, rounded up.
NodeAmounts share_of_node(const Amounts& amounts, int64_t nodes);

}  // namespace stellwerk::placement
