// What the threads of a guest may run on, by what its claim names and what the host's guests share.
// Pure.
#pragma once

#include <optional>
#include <vector>

#include "core/model.h"
#include "drivers/hypervisor/hypervisor.h"

namespace stellwerk::agent {

// A dedicated guest's vCPUs run on the threads of its claim, each on its own; its emulator, and all
// of any other guest, on the shared ones. Nothing where the host's processors are not known: no
// claim names any then. A dedicated guest whose claim names none counts as any other.
std::optional<hypervisor::CpuPins> wanted_pins(const Instance& instance,
                                               const std::vector<int32_t>& shared_cpus);

// Whether anything pinned so may run on one of `cpus`.
bool touches(const hypervisor::CpuPins& pins, const std::vector<int32_t>& cpus);

}  // namespace stellwerk::agent
