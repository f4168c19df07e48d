#include "placement/score.h"

#include <algorithm>
#include <array>
#include <cmath>

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
                               Named{Policy::kFgd, "fgd"}};

// Parts of the host's all, 0 to 1: what is free before, and what is asked.
struct Parts {
  float free_cpu = 0;
  float free_memory = 0;
  float cpu = 0;
  float memory = 0;
};

Parts parts_of(const HostLoad& host, const Ask& ask) {
  const size_t cpu_class = index_of(ask.request.cpu_class);
  const auto all_cpu = static_cast<float>(std::max<int64_t>(host.all_vcpus[cpu_class], 1));
  const auto all_memory = static_cast<float>(std::max<int64_t>(host.all_memory, 1));
  return {.free_cpu = static_cast<float>(host.room.vcpus[cpu_class]) / all_cpu,
          .free_memory = static_cast<float>(host.room.memory) / all_memory,
          .cpu = static_cast<float>(ask.amounts.vcpus[cpu_class]) / all_cpu,
          .memory = static_cast<float>(ask.amounts.memory) / all_memory};
}

// 0 to 1 becomes a score.
int32_t to_score(float value) {
  constexpr float kScale = 1 << 24;
  return static_cast<int32_t>(std::clamp(value, 0.0F, 1.0F) * kScale);
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

int32_t score(Policy policy, const HostLoad& host, const Ask& ask, const SizeMix&) {
  const Parts parts = parts_of(host, ask);
  const float left_cpu = parts.free_cpu - parts.cpu;
  const float left_memory = parts.free_memory - parts.memory;
  switch (policy) {
    case Policy::kDefault:
    case Policy::kBestFit:
    case Policy::kFgd:
      return to_score((left_cpu + left_memory) / 2);
    case Policy::kFirstFit:
      return 0;
    case Policy::kWorstFit:
      return to_score(1 - (left_cpu + left_memory) / 2);
    case Policy::kDotProduct:
      return to_score(1 - (parts.cpu * parts.free_cpu + parts.memory * parts.free_memory) / 2);
    case Policy::kL2:
      return to_score((left_cpu * left_cpu + left_memory * left_memory) / 2);
  }
  return 0;
}

}  // namespace stellwerk::placement
