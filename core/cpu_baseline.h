// What a processor can at least do, as the x86-64 psABI names it: a guest that needs no more runs
// on every host that offers the level. Source: x86-64 psABI, "Micro-Architecture Levels"; the names
// of the flags are the kernel's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/validate.h"

namespace stellwerk {

// The levels that a processor with these flags (of /proc/cpuinfo, separated by blanks) reaches,
// ascending: "x86-64-v1" to "x86-64-v4". None on another architecture.
std::vector<std::string> cpu_baselines_of(std::string_view flags);

// One of the levels.
Problem check_cpu_baseline(std::string_view text);

}  // namespace stellwerk
