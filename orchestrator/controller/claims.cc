#include "orchestrator/controller/claims.h"

#include <algorithm>

#include "core/overloaded.h"
#include "placement/engine.h"

namespace stellwerk::controller {
namespace {

placement::Request request_for(const Size& size) {
  const Flavor& flavor = size.flavor;
  return {.cpu_class = flavor.cpu_class,
          .vcpus = flavor.vcpus,
          .memory = memory_with_overhead(flavor.memory, flavor.vcpus),
          .disk = size.boot_disk,
          .disk_type = flavor.disks ? flavor.disks->type : DiskType::kUnspecified};
}

// Hosts that are not there yet are worth waiting for; hosts that are too small are not.
absl::Status refusal(std::string_view who, const placement::Refused& refused) {
  const bool none_reports =
      std::all_of(refused.refusals.begin(), refused.refusals.end(),
                  [](const placement::Refusal& one) { return one.rule == "accepting"; });
  if (none_reports) {
    return with_reason(unavailable("{}: {}", who, refused.summary), "NO_HOST_CONNECTED");
  }
  return with_reason(resource_exhausted("{}: {}", who, refused.summary), "NO_HOST_FITS");
}

absl::StatusOr<Claim> claim(const placement::Fleet& fleet, const Size& size, std::string_view who) {
  return std::visit(Overloaded{[](const placement::Placed& placed) -> absl::StatusOr<Claim> {
                                 return placed.claim;
                               },
                               [who](const placement::Refused& refused) -> absl::StatusOr<Claim> {
                                 return refusal(who, refused);
                               }},
                    placement::place(fleet, request_for(size)));
}

}  // namespace

absl::StatusOr<Claim> claim_somewhere(const placement::Fleet& fleet, const std::string& id,
                                      const Size& size) {
  return claim(fleet, size, fmt::format("no host can take {}", id));
}

absl::StatusOr<Claim> claim_in_place(const placement::Fleet& fleet, const Instance& instance,
                                     const Size& size) {
  placement::Fleet alone{.cpu_limits = fleet.cpu_limits, .hosts = {}};
  if (const placement::HostLoad* host = fleet.find(instance.claim.host)) {
    alone.hosts.push_back(*host);
    alone.release(instance.claim);
  }
  return claim(alone, size, fmt::format("the host of {} cannot take the new size", instance.id));
}

}  // namespace stellwerk::controller
