// Which of the hosts that fit is best: the lower score. A score depends on one host, one request
// and the table of common sizes alone, so it is kept until one of them changes. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

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
};
std::string_view to_string(Policy policy);  // "default", "first-fit"
std::optional<Policy> parse_policy(std::string_view text);

// No host has it, and every sum of it with a cost stays below overflow.
inline constexpr int32_t kNoFit = INT32_MAX / 2;

// The sizes that are asked most, and how much each counts.
struct SizeMix {
  struct Size {
    CpuClass cpu_class = CpuClass::kShared;
    int64_t vcpus = 0;
    int64_t memory = 0;
    float weight = 0;  // all weights together are 1
    friend bool operator==(const Size&, const Size&) = default;
  };
  std::vector<Size> sizes;
};

// 0 to kNoFit - 1, of a host that fits.
int32_t score(Policy policy, const HostLoad& host, const Ask& ask, const SizeMix& mix);

}  // namespace stellwerk::placement
