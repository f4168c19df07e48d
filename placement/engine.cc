#include "placement/engine.h"

#include <cstdlib>
#include <optional>
#include <tuple>
#include <utility>

#include "placement/capacity.h"
#include "placement/explain.h"
#include "placement/fits.h"
#include "placement/processors.h"

namespace stellwerk::placement {
namespace {

// Smaller is better: what the host has left once the request is on it.
using Score = std::tuple<Bytes, VcpuCount>;

Score left_over(const HostLoad& host, const Request& request, const CpuLimits& limits) {
  return {free_memory(host) - request.memory,
          free_vcpus(host, request.cpu_class, limits) - request.vcpus};
}

}  // namespace

Decision place(const Fleet& fleet, const Request& request) {
  std::vector<Refusal> refusals;
  const HostLoad* best = nullptr;
  std::optional<Score> best_score;
  for (const HostLoad& host : fleet.hosts) {
    if (std::optional<Refusal> refusal = first_refusal(host, request, fleet.cpu_limits)) {
      refusals.push_back(*std::move(refusal));
      continue;
    }
    const Score score = left_over(host, request, fleet.cpu_limits);
    if (best_score && score >= *best_score) continue;
    best = &host;
    best_score = score;
  }
  if (best == nullptr) {
    std::string summary = summarize(fleet, request, refusals);
    return Refused{std::move(refusals), std::move(summary)};
  }
  Claim claim{.host = best->uid,
              .cpu_class = request.cpu_class,
              .vcpus = request.vcpus,
              .memory = request.memory,
              .disk = request.disk};
  if (is_dedicated(request.cpu_class)) {
    std::optional<CpuChoice> choice = choose_cpus(*best, request.cpu_class, request.vcpus);
    if (!choice) std::abort();  // it fits, so there is room
    claim.cpus = std::move(choice->cpus);
    claim.numa_nodes = std::move(choice->numa_nodes);
  }
  return Placed{std::move(claim)};
}

}  // namespace stellwerk::placement
