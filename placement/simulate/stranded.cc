#include "placement/simulate/stranded.h"

#include <algorithm>
#include <map>
#include <utility>

namespace stellwerk::placement::simulate {

CommonSizes common_sizes(const std::vector<TraceRow>& rows) {
  constexpr size_t kOneIn = 100;
  std::map<std::pair<int64_t, int64_t>, size_t> counts;  // in the order of sizes
  for (const TraceRow& row : rows) ++counts[{row.vcpus, row.memory_mib}];
  size_t most = 0;
  for (const auto& [size, count] : counts) most = std::max(most, count);
  std::vector<Volume> common;
  for (const auto& [size, count] : counts) {
    if (count == most || count * kOneIn >= rows.size()) common.push_back({size.first, size.second});
  }
  return common.empty() ? CommonSizes() : CommonSizes{common.front(), common.back()};
}

int64_t placeable_in(const Volume& free, const Volume& size) {
  const int64_t by_vcpus = size.vcpus > 0 ? free.vcpus / size.vcpus : INT64_MAX;
  const int64_t by_memory = size.memory_mib > 0 ? free.memory_mib / size.memory_mib : INT64_MAX;
  const int64_t fewer = std::min(by_vcpus, by_memory);
  return fewer == INT64_MAX ? 0 : std::max(fewer, int64_t{0});
}

Volume stranded_of(const Volume& free, const Volume& smallest) {
  const bool vcpus_suffice = free.vcpus >= smallest.vcpus;
  const bool memory_suffices = free.memory_mib >= smallest.memory_mib;
  return {.vcpus = vcpus_suffice && !memory_suffices ? free.vcpus : 0,
          .memory_mib = memory_suffices && !vcpus_suffice ? free.memory_mib : 0};
}

}  // namespace stellwerk::placement::simulate
