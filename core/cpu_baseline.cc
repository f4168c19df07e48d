#include "core/cpu_baseline.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <set>
#include <sstream>

namespace stellwerk {
namespace {

struct Level {
  std::string_view name;
  std::vector<std::string_view> flags;  // in addition to the level before
};

const std::array<Level, 4>& levels() {
  static const std::array<Level, 4> all = {
      {{"x86-64-v1", {"lm", "cmov", "cx8", "fpu", "fxsr", "mmx", "sse", "sse2"}},
       {"x86-64-v2", {"cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"}},
       {"x86-64-v3", {"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"}},
       {"x86-64-v4", {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}}}};
  return all;
}

}  // namespace

std::vector<std::string> cpu_baselines_of(std::string_view flags) {
  std::istringstream words{std::string(flags)};
  const std::set<std::string, std::less<>> known{std::istream_iterator<std::string>(words), {}};
  std::vector<std::string> reached;
  for (const Level& level : levels()) {
    const bool has_all = std::ranges::all_of(
        level.flags, [&](std::string_view flag) { return known.contains(flag); });
    if (!has_all) break;
    reached.emplace_back(level.name);
  }
  return reached;
}

Problem check_cpu_baseline(std::string_view text) {
  std::vector<std::string_view> names;
  for (const Level& level : levels()) names.push_back(level.name);
  if (std::ranges::find(names, text) != names.end()) return std::nullopt;
  return fmt::format("{} is not a CPU baseline; there are: {}", quoted(text),
                     fmt::join(names, ", "));
}

}  // namespace stellwerk
