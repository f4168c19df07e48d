// Which of the hosts that fit is best: the lower score. A score depends on one host, one request
// and the mix of sizes in the fleet alone, so it is kept until one of them changes. Integers, so
// that every machine decides alike. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

#include "placement/fleet.h"
#include "placement/rules.h"

namespace stellwerk::placement {

// The default, and what it is measured against (docs/placement.md names the sources).
enum class Policy : uint8_t {
  kDefault,
  kFirstFit,
  kBestFit,
  kWorstFit,
  kDotProduct,
  kL2,
  kFgd,
  kFgdInUse,
};
std::string_view to_string(Policy policy);  // "default", "first-fit"
std::optional<Policy> parse_policy(std::string_view text);

// No host has it, and every sum of it with a cost stays below overflow.
inline constexpr int32_t kNoFit = INT32_MAX / 2;

// The sizes of the guests that there are: what is likely to be asked next. Processors are counted
// in hardware threads, of which a vCPU takes what its class is oversubscribed by.
class SizeMix {
 public:
  // What one guest, or one guest's share of a NUMA node, takes.
  struct Size {
    float threads = 0;
    float memory = 0;  // MiB
    friend auto operator<=>(const Size&, const Size&) = default;
  };
  static constexpr size_t kMostSizes = 16;
  // The value of a mean host (or node) that is empty.
  static constexpr int32_t kWhole = 1 << 20;

  SizeMix() = default;
  // The most frequent sizes, each weighted by how frequent it is and by the root of how large it is
  // on a host (or node) of `whole`.
  SizeMix(const std::map<Size, int64_t>& counts, Size whole);

  bool empty() const { return used_ == 0; }
  // How many guests of each size would fit into this much, weighted.
  int32_t value(float threads, float memory) const;
  // The part of it that guests of each size would leave unused, weighted by how frequent they are.
  int32_t fragment(float threads, float memory) const;
  // What share of the mean host (or node) all sizes take, by how frequent they are, squared; the
  // larger is 1.
  const Size& demand() const { return demand_; }
  // How far the weights are from those of another: 0 for the same, 2 for nothing in common.
  float distance(const SizeMix& other) const;

 private:
  size_t used_ = 0;
  Size whole_{1, 1};
  Size demand_;
  // Of no size: no guest fits.
  std::array<float, kMostSizes> per_thread_{};
  std::array<float, kMostSizes> per_mib_{};
  std::array<int32_t, kMostSizes> weight_{};
  std::array<float, kMostSizes> frequency_{};
};

// Of a fleet: guests that run anywhere on their hosts, and guests bound to NUMA nodes.
struct Mixes {
  SizeMix hosts;
  SizeMix nodes;
  std::array<float, kCpuClasses> threads_per_vcpu{};  // on the mean host
  // How much of the fleet is in use, 0 to kFullFleet. While there are empty hosts to spare they are
  // kept empty; in a full fleet what counts is that guests of every size still find room.
  int32_t fullness = 0;
};
inline constexpr int32_t kFullFleet = 4;
// Of the share of hosts that are in use, and the fullness of before, which it does not leave for
// little.
int32_t fullness_of(double share_in_use, int32_t before);

// What every score of a host begins with.
struct HostSize {
  float threads = 0;  // free
  float memory = 0;
  float all_threads = 1;
  float all_memory = 1;
  int32_t value = 0;     // of all that is free
  int32_t constant = 0;  // what taking this host costs whoever is placed
};
HostSize size_of(const HostLoad& host, const Mixes& mixes, Policy policy);

// What a guest takes of any host, in the units of a mix.
SizeMix::Size size_of(const Ask& ask, const Mixes& mixes);
bool is_bound_to_nodes(const Ask& ask);

// 0 to kNoFit - 1, of a host that fits. Of guests that are not bound to nodes: the same for all of
// one size.
int32_t score_of_size(Policy policy, const HostSize& host, const SizeMix::Size& guest,
                      const Mixes& mixes);
// Of those that are.
int32_t score_on_nodes(Policy policy, const HostLoad& host, const HostSize& size, const Ask& ask,
                       const Mixes& mixes);
// What is added for a guest that asks for no device, where there are some free.
int32_t cost_of_idle_devices(Policy policy, const HostLoad& host);

}  // namespace stellwerk::placement
