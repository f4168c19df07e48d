// How long one placement takes in a fleet of a given size.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>

#include "placement/engine.h"

namespace stellwerk::placement {
namespace {

Fleet fleet_of(int64_t hosts) {
  Fleet fleet;
  for (int64_t i = 0; i < hosts; ++i) {
    HostView host{.uid = HostUid(Uuid::v5(Uuid(), std::to_string(i))), .accepting = true};
    host.facts.cores = 64;
    host.facts.threads = 128;
    host.facts.memory = gibibytes(512);
    host.facts.disk = gibibytes(4096);
    // Unequal loads, so that best fit has to compare.
    host.memory_used = gibibytes(i * 37 % 500);
    fleet.hosts.push_back(std::move(host));
  }
  std::sort(fleet.hosts.begin(), fleet.hosts.end(),
            [](const HostView& a, const HostView& b) { return a.uid < b.uid; });
  return fleet;
}

void place_one(benchmark::State& state) {
  const Fleet fleet = fleet_of(state.range(0));
  const Request request{.vcpus = VcpuCount(2), .memory = gibibytes(8), .disk = gibibytes(20)};
  for (auto _ : state) benchmark::DoNotOptimize(place(fleet, request));
}
BENCHMARK(place_one)->Arg(1)->Arg(100)->Arg(10'000)->Unit(benchmark::kMicrosecond);

void refuse_one(benchmark::State& state) {
  const Fleet fleet = fleet_of(state.range(0));
  const Request request{.vcpus = VcpuCount(2), .memory = gibibytes(8192), .disk = gibibytes(20)};
  for (auto _ : state) benchmark::DoNotOptimize(place(fleet, request));
}
BENCHMARK(refuse_one)->Arg(1)->Arg(100)->Arg(10'000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace stellwerk::placement
