#include "placement/amounts.h"

#include <algorithm>
#include <cstdlib>
#include <type_traits>

namespace stellwerk::placement {
namespace {

template <class Node, class Each>
bool for_each_of_node(Node& mine, const NodeAmounts& theirs, Each each) {
  for (size_t i = 0; i < kCpuClasses; ++i) {
    if (!each(mine.vcpus[i], theirs.vcpus[i])) return false;
  }
  for (size_t i = 0; i < kHugePageSizes; ++i) {
    if (!each(mine.pages[i], theirs.pages[i])) return false;
  }
  return each(mine.memory, theirs.memory);
}

// Calls it for every pair of elements, until it answers false; whether it never did. What one side
// has not written out is zero; what may be changed is written out first.
template <class What, class Each>
bool for_each(What& what, const Amounts& other, Each each) {
  for (size_t i = 0; i < kCpuClasses; ++i) {
    if (!each(what.vcpus[i], other.vcpus[i])) return false;
  }
  for (size_t i = 0; i < kHugePageSizes; ++i) {
    if (!each(what.pages[i], other.pages[i])) return false;
  }
  if (!each(what.memory, other.memory) || !each(what.disk, other.disk) ||
      !each(what.bandwidth, other.bandwidth) || !each(what.power, other.power)) {
    return false;
  }
  if constexpr (!std::is_const_v<What>) {
    if (what.devices.size() < other.devices.size()) what.devices.resize(other.devices.size());
    if (what.nodes.size() < other.nodes.size()) what.nodes.resize(other.nodes.size());
  }
  static constexpr NodeAmounts kNoNode;
  static constexpr int64_t kNone = 0;
  for (size_t i = 0; i < what.devices.size(); ++i) {
    if (!each(what.devices[i], i < other.devices.size() ? other.devices[i] : kNone)) return false;
  }
  for (size_t i = what.devices.size(); i < other.devices.size(); ++i) {
    if constexpr (std::is_const_v<What>) {
      if (!each(kNone, other.devices[i])) return false;
    }
  }
  for (size_t i = 0; i < what.nodes.size(); ++i) {
    const NodeAmounts& theirs = i < other.nodes.size() ? other.nodes[i] : kNoNode;
    if (!for_each_of_node(what.nodes[i], theirs, each)) return false;
  }
  for (size_t i = what.nodes.size(); i < other.nodes.size(); ++i) {
    if constexpr (std::is_const_v<What>) {
      if (!for_each_of_node(kNoNode, other.nodes[i], each)) return false;
    }
  }
  return true;
}

}  // namespace

bool operator==(const Amounts& a, const Amounts& b) {
  return for_each(a, b, [](int64_t x, int64_t y) { return x == y; });
}

bool Amounts::is_zero() const {
  return *this == Amounts();
}

void add(Amounts& to, const Amounts& other) {
  for_each(to, other, [](int64_t& sum, int64_t amount) {
    if (__builtin_add_overflow(sum, amount, &sum)) std::abort();
    return true;
  });
}

void subtract(Amounts& from, const Amounts& other) {
  for_each(from, other, [](int64_t& left, int64_t amount) {
    if (amount > left) std::abort();
    left -= amount;
    return true;
  });
}

void raise_to(Amounts& to, const Amounts& other) {
  for_each(to, other, [](int64_t& most, int64_t amount) {
    most = std::max(most, amount);
    return true;
  });
}

bool touches(const Amounts& what, const Amounts& other) {
  return !for_each(what, other,
                   [](int64_t mine, int64_t theirs) { return mine == 0 || mine < theirs; });
}

NodeAmounts share_of_node(const Amounts& amounts, int64_t nodes) {
  const auto part = [nodes](int64_t amount) { return (amount + nodes - 1) / nodes; };
  NodeAmounts share;
  for (size_t i = 0; i < kCpuClasses; ++i) share.vcpus[i] = part(amounts.vcpus[i]);
  for (size_t i = 0; i < kHugePageSizes; ++i) share.pages[i] = part(amounts.pages[i]);
  share.memory = part(amounts.memory);
  return share;
}

}  // namespace stellwerk::placement
