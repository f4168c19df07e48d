#include "orchestrator/controller/claims.h"

#include <fmt/format.h>

#include <utility>

#include "core/overloaded.h"
#include "orchestrator/controller/occupancy.h"
#include "placement/explain.h"

namespace stellwerk::controller {
namespace {

// Hosts that are not there yet are worth waiting for; hosts that are too small are not.
absl::Status refusal(const std::string& who, const placement::Explanation& explanation) {
  if (explanation.none_connected) {
    return with_reason(unavailable("{}: {}", who, explanation.summary), "NO_HOST_CONNECTED");
  }
  std::string text = explanation.summary;
  if (explanation.smallest_change) text += "; would fit: " + *explanation.smallest_change;
  return with_reason(resource_exhausted("{}: {}", who, text), "NO_HOST_FITS");
}

using Placements = std::vector<placement::Placement>;

}  // namespace

placement::Request request_for(const Size& size, const Asked& asked) {
  const Flavor& flavor = size.flavor;
  return {.cpu_class = flavor.cpu_class,
          .vcpus = flavor.vcpus,
          .memory = memory_with_overhead(flavor.memory, flavor.vcpus),
          .disk = size.boot_disk,
          .disk_type = flavor.disks ? flavor.disks->type : DiskType::kUnspecified,
          .wishes = asked.wishes,
          .group = asked.group,
          .failover = asked.failover,
          .count = asked.count};
}

placement::Request request_of(const Instance& instance) {
  const Claim& claim = instance.claim;
  return {.cpu_class = claim.cpu_class,
          .vcpus = claim.vcpus,
          .memory = claim.memory,
          .disk = claim.disk,
          .numa_nodes = claim.by_node ? static_cast<int32_t>(claim.numa_nodes.size()) : 0,
          .page_size = claim.page_size,
          .pages = claim.pages,
          .bandwidth = claim.bandwidth,
          .devices = claim.devices,
          .wishes = instance.wishes,
          .group = instance.group,
          .failover = instance.failover};
}

absl::StatusOr<Placements> place(placement::Engine& engine, const placement::Request& request,
                                 const std::string& who) {
  return std::visit(Overloaded{[](placement::Placed&& placed) -> absl::StatusOr<Placements> {
                                 return std::move(placed.placements);
                               },
                               [&](placement::Refused&&) -> absl::StatusOr<Placements> {
                                 return refusal(who, placement::explain(engine, request));
                               },
                               [](placement::Malformed&& malformed) -> absl::StatusOr<Placements> {
                                 return invalid_fields(malformed.violations);
                               }},
                    engine.place(request));
}

absl::StatusOr<placement::Placement> place_again(placement::Engine& engine,
                                                 const Instance& instance, const Size& size) {
  placement::Request request =
      request_for(size, {instance.wishes, instance.group, instance.failover});
  request.wishes.host = instance.claim.host;
  const std::string who = fmt::format("the host of {} cannot take the new size", instance.id);
  const bool is_charged = engine.fleet().find(instance.claim.host) != nullptr;
  if (is_charged) engine.release(occupation_of(instance));
  absl::StatusOr<Placements> placements = place(engine, request, who);
  if (is_charged) engine.charge(occupation_of(instance));
  SW_RETURN_IF_ERROR(placements.status());
  return std::move(placements->front());
}

}  // namespace stellwerk::controller
