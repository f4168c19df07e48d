#include "placement/score.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "placement/capacity.h"

namespace stellwerk::placement {
namespace {

struct Named {
  Policy policy;
  std::string_view name;
};
constexpr std::array kNames = {Named{Policy::kDefault, "default"},
                               Named{Policy::kFirstFit, "first-fit"},
                               Named{Policy::kBestFit, "best-fit"},
                               Named{Policy::kWorstFit, "worst-fit"},
                               Named{Policy::kDotProduct, "dot-product"},
                               Named{Policy::kL2, "l2"},
                               Named{Policy::kFgd, "fgd"},
                               Named{Policy::kFgdInUse, "fgd-in-use"}};

// Tuned on one half of the traces and reported on the other, see docs/placement.md. In parts of
// SizeMix::kWhole:
// by fullness: what a guest costs on a host, divided by how many there are, and one; what it costs
// to begin with a host; and how much the squares of what remains weigh.
constexpr std::array<int32_t, kFullFleet + 1> kPerGuest = {41'943, 35'270, 29'659, 24'940, 20'972};
constexpr std::array<int32_t, kFullFleet + 1> kEmptyHost = {1'572'864, 1'179'648, 786'432, 393'216,
                                                            0};
constexpr std::array<float, kFullFleet + 1> kSquares = {20'972, 15'729, 10'486, 5'243, 0};
// The fleet is empty, or full, when so much of its hosts is in use.
constexpr double kEmptyUntil = 0.55;
constexpr double kFullFrom = 0.65;
constexpr int32_t kValueLeft = 100;                    // this part of what remains is a cost
constexpr int32_t kIdleDevices = 4 * SizeMix::kWhole;  // for leaving devices without processors
// So much of the weight goes to all sizes alike: what is rare today may be asked tomorrow.
constexpr double kEvenPart = 0.2;

constexpr float kMebibyte = 1 << 20;
// Divisions that should come out whole may fall short of it.
constexpr float kSlack = 1e-4F;

// 0 to 1 becomes a score.
int32_t to_score(float value) {
  constexpr float kScale = 1 << 24;
  return static_cast<int32_t>(std::clamp(value, 0.0F, 1.0F) * kScale);
}

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
// Integers add up to the same in any order, so this is the same with every width of vectors.
__attribute__((optimize("O3"), target_clones("avx2", "default")))
#endif
int32_t
weighted_slots(const float* per_thread, const float* per_mib, const int32_t* weight, float threads,
               float memory) {
  int32_t sum = 0;
  for (size_t i = 0; i < SizeMix::kMostSizes; ++i) {
    const float by_threads = threads * per_thread[i];
    const float by_memory = memory * per_mib[i];
    const float slots = (by_threads < by_memory ? by_threads : by_memory) + kSlack;
    sum += weight[i] * static_cast<int32_t>(slots);
  }
  return sum;
}

constexpr size_t kShared = index_of(CpuClass::kShared);

}  // namespace

std::string_view to_string(Policy policy) {
  for (const Named& one : kNames) {
    if (one.policy == policy) return one.name;
  }
  return "?";
}

std::optional<Policy> parse_policy(std::string_view text) {
  for (const Named& one : kNames) {
    if (one.name == text) return one.policy;
  }
  return std::nullopt;
}

SizeMix::SizeMix(const std::map<Size, int64_t>& counts, Size whole) : whole_(whole) {
  std::vector<std::pair<int64_t, Size>> order;
  int64_t all = 0;
  for (const auto& [size, count] : counts) {
    if (size.threads <= 0 && size.memory <= 0) continue;
    order.emplace_back(-count, size);
    all += count;
  }
  std::sort(order.begin(), order.end());
  const size_t kinds = order.size();
  if (order.size() > kMostSizes) order.resize(kMostSizes);
  used_ = order.size();
  std::array<double, kMostSizes> weights{};
  double whole_value = 0;
  for (size_t i = 0; i < used_; ++i) {
    const auto& [count, size] = order[i];
    const double often = (1 - kEvenPart) * static_cast<double>(-count) / static_cast<double>(all) +
                         kEvenPart / static_cast<double>(kinds);
    const double large = std::max(size.threads / whole.threads, size.memory / whole.memory);
    per_thread_[i] = size.threads > 0 ? 1 / size.threads : 1e9F;
    per_mib_[i] = size.memory > 0 ? 1 / size.memory : 1e9F;
    frequency_[i] = static_cast<float>(often);
    weights[i] = often * std::sqrt(large);
    const float slots = std::min(whole.threads * per_thread_[i], whole.memory * per_mib_[i]);
    whole_value += weights[i] * std::max(1.0F, std::floor(slots + kSlack));
  }
  Size sum;
  for (size_t i = 0; i < used_; ++i) {
    weight_[i] = static_cast<int32_t>(weights[i] / whole_value * kWhole);
    sum.threads += frequency_[i] * order[i].second.threads / whole.threads;
    sum.memory += frequency_[i] * order[i].second.memory / whole.memory;
  }
  const float most = std::max({sum.threads, sum.memory, 1e-9F});
  // Squared: what is seldom the bottleneck hardly counts.
  demand_ = {sum.threads / most * (sum.threads / most), sum.memory / most * (sum.memory / most)};
}

int32_t SizeMix::value(float threads, float memory) const {
  return weighted_slots(per_thread_.data(), per_mib_.data(), weight_.data(), threads, memory);
}

int32_t SizeMix::fragment(float threads, float memory) const {
  float sum = 0;
  for (size_t i = 0; i < used_; ++i) {
    const float slots =
        std::floor(std::min(threads * per_thread_[i], memory * per_mib_[i]) + kSlack);
    sum += frequency_[i] * ((threads - slots / per_thread_[i]) / whole_.threads +
                            (memory - slots / per_mib_[i]) / whole_.memory);
  }
  return static_cast<int32_t>(sum * kWhole / 2);
}

float SizeMix::distance(const SizeMix& other) const {
  const auto same = [](const SizeMix& a, size_t i, const SizeMix& b, size_t j) {
    return a.per_thread_[i] == b.per_thread_[j] && a.per_mib_[i] == b.per_mib_[j];
  };
  float far = 0;
  for (size_t i = 0; i < used_; ++i) {
    float there = 0;
    for (size_t j = 0; j < other.used_; ++j) {
      if (same(*this, i, other, j)) there = other.frequency_[j];
    }
    far += std::abs(frequency_[i] - there);
  }
  for (size_t j = 0; j < other.used_; ++j) {
    bool here = false;
    for (size_t i = 0; i < used_; ++i) here = here || same(*this, i, other, j);
    if (!here) far += other.frequency_[j];
  }
  return far;
}

int32_t fullness_of(double share_in_use, int32_t before) {
  const double part = (share_in_use - kEmptyUntil) / (kFullFrom - kEmptyUntil);
  const double now = std::clamp(part, 0.0, 1.0) * kFullFleet;
  return std::abs(now - before) > 0.75 ? static_cast<int32_t>(std::lround(now)) : before;
}

HostSize size_of(const HostLoad& host, const Mixes& mixes, Policy policy) {
  const float per_vcpu = mixes.threads_per_vcpu[kShared];
  HostSize size{
      .threads = static_cast<float>(host.room.vcpus[kShared]) * per_vcpu,
      .memory = static_cast<float>(host.room.memory) / kMebibyte,
      .all_threads = std::max(static_cast<float>(host.all_vcpus[kShared]) * per_vcpu, 1e-3F),
      .all_memory = std::max(static_cast<float>(host.all_memory) / kMebibyte, 1.0F)};
  if (policy == Policy::kFgd || policy == Policy::kFgdInUse) {
    size.value = mixes.hosts.fragment(size.threads, size.memory);
    size.constant = policy == Policy::kFgdInUse && host.guests == 0 ? 8 * SizeMix::kWhole : 0;
    return size;
  }
  if (policy != Policy::kDefault) return size;
  size.value = mixes.hosts.value(size.threads, size.memory);
  const auto step = static_cast<size_t>(mixes.fullness);
  size.constant =
      kPerGuest[step] / static_cast<int32_t>(std::min<int64_t>(host.guests, 1 << 16) + 1) +
      (host.guests == 0 ? kEmptyHost[step] : 0);
  return size;
}

SizeMix::Size size_of(const Ask& ask, const Mixes& mixes) {
  const size_t cpu_class = index_of(ask.request.cpu_class);
  return {.threads =
              static_cast<float>(ask.amounts.vcpus[cpu_class]) * mixes.threads_per_vcpu[cpu_class],
          .memory = static_cast<float>(ask.amounts.memory) / kMebibyte};
}

bool is_bound_to_nodes(const Ask& ask) {
  return ask.request.numa_nodes > 0;
}

int32_t score_of_size(Policy policy, const HostSize& host, const SizeMix::Size& guest,
                      const Mixes& mixes) {
  const float threads = std::max(host.threads - guest.threads, 0.0F);
  const float memory = std::max(host.memory - guest.memory, 0.0F);
  const float left_cpu = threads / host.all_threads;
  const float left_memory = memory / host.all_memory;
  switch (policy) {
    case Policy::kDefault: {
      const int32_t value = mixes.hosts.value(threads, memory);
      const float squares = mixes.hosts.demand().threads * left_cpu * left_cpu +
                            mixes.hosts.demand().memory * left_memory * left_memory;
      return std::max(host.value - value, 0) + value / kValueLeft + host.constant +
             static_cast<int32_t>(kSquares[static_cast<size_t>(mixes.fullness)] * squares);
    }
    case Policy::kFirstFit:
      return 0;
    case Policy::kBestFit:
      return to_score((left_cpu + left_memory) / 2);
    case Policy::kWorstFit:
      return to_score(1 - (left_cpu + left_memory) / 2);
    case Policy::kDotProduct:
      return to_score(1 - (guest.threads * host.threads / (host.all_threads * host.all_threads) +
                           guest.memory * host.memory / (host.all_memory * host.all_memory)) /
                              2);
    case Policy::kL2:
      return to_score((left_cpu * left_cpu + left_memory * left_memory) / 2);
    case Policy::kFgd:
    case Policy::kFgdInUse:
      return 8 * SizeMix::kWhole + host.constant + mixes.hosts.fragment(threads, memory) -
             host.value;
  }
  return 0;
}

// By default the mean over the nodes that it would get, each judged like a host.
int32_t score_on_nodes(Policy policy, const HostLoad& host, const HostSize& size, const Ask& ask,
                       const Mixes& mixes) {
  if (policy != Policy::kDefault) {
    return score_of_size(policy, size, size_of(ask, mixes), mixes);
  }
  const std::optional<std::vector<uint32_t>> nodes = choose_nodes(host, ask);
  if (!nodes || nodes->empty()) return kNoFit - 1;
  const size_t cpu_class = index_of(ask.request.cpu_class);
  const float asked_threads =
      static_cast<float>(ask.share.vcpus[cpu_class]) * mixes.threads_per_vcpu[cpu_class];
  const float asked_memory = static_cast<float>(ask.share.memory) / kMebibyte;
  int64_t sum = 0;
  for (const uint32_t index : *nodes) {
    const NodeRoom& node = host.room.nodes[index];
    const float threads = static_cast<float>(node.vcpus[kShared]) * mixes.threads_per_vcpu[kShared];
    const float memory = static_cast<float>(std::min(node.memory, host.room.memory)) / kMebibyte;
    const int32_t before = mixes.nodes.value(threads, memory);
    const int32_t after = mixes.nodes.value(std::max(threads - asked_threads, 0.0F),
                                            std::max(memory - asked_memory, 0.0F));
    sum += std::max(before - after, 0) + after / kValueLeft;
  }
  return static_cast<int32_t>(sum / static_cast<int64_t>(nodes->size())) + size.constant;
}

int32_t cost_of_idle_devices(Policy policy, const HostLoad& host) {
  if (policy != Policy::kDefault) return 0;
  const bool idle = std::any_of(host.room.devices.begin(), host.room.devices.end(),
                                [](int64_t count) { return count > 0; });
  return idle ? kIdleDevices : 0;
}

}  // namespace stellwerk::placement
