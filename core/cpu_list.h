// Sets of hardware threads in the kernel's notation: "0-3,8". Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stellwerk {

// No thread of any machine has a number as high.
inline constexpr int32_t kMostCpus = 8192;

// `cpus` are ascending. Nothing at all is "".
std::string cpu_list_text(std::span<const int32_t> cpus);

// Ascending, without repetition; white space around it is left out. Nothing where it is no list:
// "3-1", "1,,2", "a", or a number from kMostCpus on.
std::optional<std::vector<int32_t>> parse_cpu_list(std::string_view text);

}  // namespace stellwerk
