#include "placement/simulate/stranded.h"

#include <algorithm>
#include <map>
#include <utility>

namespace stellwerk::placement::simulate {

Volume smallest_common_size(const std::vector<TraceRow>& rows) {
  constexpr size_t kOneIn = 100;
  std::map<std::pair<int64_t, int64_t>, size_t> counts;  // in the order of sizes
  for (const TraceRow& row : rows) ++counts[{row.vcpus, row.memory_mib}];
  size_t most = 0;
  for (const auto& [size, count] : counts) most = std::max(most, count);
  for (const auto& [size, count] : counts) {
    if (count == most || count * kOneIn >= rows.size()) return {size.first, size.second};
  }
  return {};
}

Volume stranded_of(const Volume& free, const Volume& smallest) {
  const bool vcpus_suffice = free.vcpus >= smallest.vcpus;
  const bool memory_suffices = free.memory_mib >= smallest.memory_mib;
  return {.vcpus = vcpus_suffice && !memory_suffices ? free.vcpus : 0,
          .memory_mib = memory_suffices && !vcpus_suffice ? free.memory_mib : 0};
}

}  // namespace stellwerk::placement::simulate
