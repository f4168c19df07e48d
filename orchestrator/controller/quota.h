// What a project's instances take together, and whether its limits admit more. Pure.
//
// Use is a sum over instances, those in deletion included until they are gone; there is no record
// of it. A limit may be below what is in use: then nothing more is admitted.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "core/model.h"
#include "core/status.h"

namespace stellwerk::controller {

struct ProjectUse {
  int64_t instances = 0;
  std::map<CpuClass, VcpuCount> vcpus;  // no entry: none
  Bytes memory;                         // guest RAM
  Bytes disk;
  int64_t addresses = 0;
  friend bool operator==(const ProjectUse&, const ProjectUse&) = default;
};

ProjectUse use_of(const Instance& instance);
ProjectUse operator+(ProjectUse a, const ProjectUse& b);
ProjectUse operator*(ProjectUse each, int64_t count);
// May be negative where a resize gives something back.
ProjectUse operator-(ProjectUse a, const ProjectUse& b);

// The single limits, in the order in which they are told.
enum class Limit : uint8_t {
  kInstances,
  kLowPerformanceVcpus,
  kSharedVcpus,
  kDedicatedThreads,
  kDedicatedCores,
  kMemory,
  kDisk,
  kAddresses,
};
inline constexpr Limit kAllLimits[] = {Limit::kInstances,      Limit::kLowPerformanceVcpus,
                                       Limit::kSharedVcpus,    Limit::kDedicatedThreads,
                                       Limit::kDedicatedCores, Limit::kMemory,
                                       Limit::kDisk,           Limit::kAddresses};

// None: not limited.
std::optional<int64_t> value_of(const ProjectLimits& limits, Limit limit);
void set_value(ProjectLimits& limits, Limit limit, std::optional<int64_t> value);
int64_t value_of(const ProjectUse& use, Limit limit);
// "shared vCPUs", "memory".
std::string_view to_string(Limit limit);
// "3" or "1.5 GiB".
std::string amount_of(Limit limit, int64_t value);

// ResourceExhausted (QUOTA_EXCEEDED) names every limit that `added` exceeds, with what was asked,
// what is used, and what is left.
absl::Status check_limits(const Project& project, const ProjectUse& used, const ProjectUse& added);

}  // namespace stellwerk::controller
