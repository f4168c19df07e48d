// Limits and use of projects between the wire and the controller, one limit at a time. Used by the
// translations of this folder.
#pragma once

#include <optional>
#include <string_view>

#include "orchestrator/controller/quota.h"
#include "stellwerk/v1/projects.pb.h"

namespace stellwerk::convert {

struct LimitField {
  controller::Limit limit;
  std::string_view name;  // in Limits and in Use
  bool (v1::Project::Limits::*has)() const;
  int64_t (v1::Project::Limits::*get)() const;
  void (v1::Project::Limits::*set)(int64_t);
  void (v1::Project::Use::*set_use)(int64_t);
};

using WireLimits = v1::Project::Limits;
using WireUse = v1::Project::Use;

#define SW_LIMIT_FIELD(limit, field)                                                \
  LimitField {                                                                      \
    controller::Limit::limit, #field, &WireLimits::has_##field, &WireLimits::field, \
        &WireLimits::set_##field, &WireUse::set_##field                             \
  }
inline constexpr LimitField kLimitFields[] = {
    SW_LIMIT_FIELD(kInstances, instances),
    SW_LIMIT_FIELD(kLowPerformanceVcpus, low_performance_vcpus),
    SW_LIMIT_FIELD(kSharedVcpus, shared_vcpus),
    SW_LIMIT_FIELD(kDedicatedThreads, dedicated_threads),
    SW_LIMIT_FIELD(kDedicatedCores, dedicated_cores),
    SW_LIMIT_FIELD(kMemory, memory_bytes),
    SW_LIMIT_FIELD(kDisk, disk_bytes),
    SW_LIMIT_FIELD(kAddresses, addresses),
};
#undef SW_LIMIT_FIELD

}  // namespace stellwerk::convert
