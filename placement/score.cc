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
constexpr int32_t kPerGuest = SizeMix::kWhole / 20;    // divided by how many there are, and one
constexpr int32_t kEmptyHost = SizeMix::kWhole / 20;   // for beginning with a host
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

constexpr size_t kShared = index_of(CpuClass::kShared);

struct Left {
  float threads = 0;
  float memory = 0;
};

int32_t packed(const Mixes& mixes, const HostSize& host, const Left& left) {
  const int32_t value = mixes.hosts.value(left.threads, left.memory);
  return std::max(host.value - value, 0) + value / kValueLeft + host.constant;
}

bool has_idle_devices(const HostLoad& host) {
  return std::any_of(host.room.devices.begin(), host.room.devices.end(),
                     [](int64_t count) { return count > 0; });
}

// The mean over the nodes that it would get, each judged like a host.
int32_t packed_on_nodes(const Mixes& mixes, const HostLoad& host, const HostSize& size,
                        const Ask& ask) {
  const std::optional<std::vector<uint32_t>> nodes = choose_nodes(host, ask);
  if (!nodes || nodes->empty()) return kNoFit - 1;
  const float per_vcpu = mixes.threads_per_vcpu[kShared];
  const size_t cpu_class = index_of(ask.request.cpu_class);
  int64_t sum = 0;
  for (const uint32_t index : *nodes) {
    const NodeRoom& node = host.room.nodes[index];
    const float threads = static_cast<float>(node.vcpus[kShared]) * per_vcpu;
    const float memory = static_cast<float>(std::min(node.memory, host.room.memory)) / kMebibyte;
    const int32_t before = mixes.nodes.value(threads, memory);
    const int32_t after =
        mixes.nodes.value(threads - static_cast<float>(ask.share.vcpus[cpu_class]) *
                                        mixes.threads_per_vcpu[cpu_class],
                          memory - static_cast<float>(ask.share.memory) / kMebibyte);
    sum += std::max(before - after, 0) + after / kValueLeft;
  }
  return static_cast<int32_t>(sum / static_cast<int64_t>(nodes->size())) + size.constant;
}

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
  for (size_t i = 0; i < used_; ++i) {
    weight_[i] = static_cast<int32_t>(weights[i] / whole_value * kWhole);
  }
}

int32_t SizeMix::value(float threads, float memory) const {
  int32_t sum = 0;
  for (size_t i = 0; i < kMostSizes; ++i) {
    const float slots = std::min(threads * per_thread_[i], memory * per_mib_[i]) + kSlack;
    sum += weight_[i] * static_cast<int32_t>(slots);
  }
  return sum;
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
  size.constant = kPerGuest / static_cast<int32_t>(std::min<int64_t>(host.guests, 1 << 16) + 1) +
                  (host.guests == 0 ? kEmptyHost : 0);
  return size;
}

int32_t score(Policy policy, const HostLoad& host, const HostSize& size, const Ask& ask,
              const Mixes& mixes) {
  const size_t cpu_class = index_of(ask.request.cpu_class);
  const float threads =
      static_cast<float>(ask.amounts.vcpus[cpu_class]) * mixes.threads_per_vcpu[cpu_class];
  const float memory = static_cast<float>(ask.amounts.memory) / kMebibyte;
  const Left left{std::max(size.threads - threads, 0.0F), std::max(size.memory - memory, 0.0F)};
  const float left_cpu = left.threads / size.all_threads;
  const float left_memory = left.memory / size.all_memory;
  switch (policy) {
    case Policy::kDefault: {
      const int32_t packed_score = ask.request.numa_nodes > 0
                                       ? packed_on_nodes(mixes, host, size, ask)
                                       : packed(mixes, size, left);
      const bool wasted = ask.request.devices.empty() && has_idle_devices(host);
      return std::min(packed_score + (wasted ? kIdleDevices : 0), kNoFit - 1);
    }
    case Policy::kFirstFit:
      return 0;
    case Policy::kBestFit:
      return to_score((left_cpu + left_memory) / 2);
    case Policy::kWorstFit:
      return to_score(1 - (left_cpu + left_memory) / 2);
    case Policy::kDotProduct:
      return to_score(1 - (threads * size.threads / (size.all_threads * size.all_threads) +
                           memory * size.memory / (size.all_memory * size.all_memory)) /
                              2);
    case Policy::kL2:
      return to_score((left_cpu * left_cpu + left_memory * left_memory) / 2);
    case Policy::kFgd:
    case Policy::kFgdInUse:
      return 8 * SizeMix::kWhole + size.constant + mixes.hosts.fragment(left.threads, left.memory) -
             size.value;
  }
  return 0;
}

}  // namespace stellwerk::placement
