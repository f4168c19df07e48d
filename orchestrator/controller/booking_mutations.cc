// Mutations that make instances: one, or several that are placed together.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "core/resource_names.h"
#include "orchestrator/controller/batch_weight.h"
#include "orchestrator/controller/claims.h"
#include "orchestrator/controller/frame.h"
#include "orchestrator/controller/mutations.h"
#include "orchestrator/controller/port_allocation.h"
#include "orchestrator/controller/resize.h"
#include "orchestrator/controller/users.h"
#include "orchestrator/controller/views.h"

namespace stellwerk::controller {
namespace {

absl::Status name_taken(const Instance& other) {
  const bool goes = other.desired == DesiredState::kDeleted;
  return with_reason(already_exists("instance {} exists{}; choose another id", other.id,
                                    goes ? " and is being deleted" : ""),
                     "NAME_TAKEN");
}

absl::Status refuse_taken(const std::string& project, const std::vector<std::string>& ids,
                          const Ledger& ledger) {
  std::vector<std::string> taken;
  for (const std::string& id : ids) {
    if (ledger.instance(project, id)) taken.push_back(id);
  }
  if (taken.empty()) return absl::OkStatus();
  if (taken.size() == 1) return name_taken(*ledger.instance(project, taken.front()));
  return with_reason(
      already_exists("these names are taken by {}; choose another id", few_of("instance", taken)),
      "NAME_TAKEN");
}

std::string nobody_takes(const std::vector<std::string>& ids) {
  if (ids.size() == 1) return fmt::format("no host can take {}", ids.front());
  return fmt::format("no hosts can take {} to {} together", ids.front(), ids.back());
}

// But for what differs from one to the next.
Instance instance_of(const CreateInstance& create, const Sizing& sizing) {
  return {.id = create.id,
          .generation = Generation(1),
          .desired = create.desired,
          .restart_policy = create.restart_policy,
          .flavor = sizing.flavor->uid,
          .flavor_id = sizing.flavor->id,
          .vcpus = sizing.flavor->vcpus,
          .memory = sizing.flavor->memory,
          .image = sizing.image->uid,
          .image_id = sizing.image->id,
          .image_format = sizing.image->format,
          .firmware = sizing.image->firmware,
          .boot_disk = sizing.boot_disk,
          .ssh_keys = create.ssh_keys,
          .has_user_data = !create.user_data.empty(),
          .labels = create.labels,
          .group = sizing.placing.group,
          .wishes = sizing.placing.wishes,
          .failover = create.failover,
          .ingress = create.ingress,
          .delete_protection = create.delete_protection,
          .ever_started = create.desired == DesiredState::kRunning,
          .run = Generation(1)};
}

}  // namespace

void Mutations::put_booked(const Frame& frame, const CreateInstance& create, Instance instance) {
  const InstanceUid uid = instance.uid;
  const std::string name = instance_name(frame.project, instance.id);
  if (instance.has_user_data) ledger_.put_user_data(uid, create.user_data);
  ledger_.put(std::move(instance));
  book_.expect(uid, frame.now.wall);
  record_event(frame.now,
               {.type = "InstanceCreated",
                .project_id = frame.project,
                .resource = name,
                .uid = uid.value(),
                .message = fmt::format("flavor {}, image {}", create.flavor, create.image)});
}

absl::StatusOr<std::vector<InstanceView>> Mutations::book(const Frame& frame,
                                                          const CreateInstance& create,
                                                          const Sizing& sizing,
                                                          const std::vector<Named>& named) {
  std::vector<std::string> ids;
  for (const Named& one : named) ids.push_back(one.id);
  const auto count = static_cast<int64_t>(named.size());
  SW_RETURN_IF_ERROR(refuse_taken(create.project, ids, ledger_));
  SW_RETURN_IF_ERROR(check_quota(frame.project_uid, demand_of(sizing) * count));
  SW_ASSIGN_OR_RETURN(
      std::vector<placement::Placement> placements,
      place(ledger_.engine(),
            request_for({*sizing.flavor, sizing.boot_disk}, asked_of(create, sizing, count)),
            nobody_takes(ids)));
  // The last thing that can fail; the ledger is changed only when all of it has succeeded.
  PortAllocation allocation(create.ports, sizing.networks, ledger_);
  std::vector<Instance> instances;
  for (size_t i = 0; i < named.size(); ++i) {
    SW_ASSIGN_OR_RETURN(std::vector<Port> ports, allocation.next());
    Instance instance = instance_of(create, sizing);
    instance.uid = named[i].uid;
    instance.project = frame.project_uid;
    instance.id = named[i].id;
    instance.ports = std::move(ports);
    instance.claim = std::move(placements[i].claim);
    instance.backup = std::move(placements[i].backup);
    instance.created_at = frame.now.wall;
    instances.push_back(std::move(instance));
  }
  allocation.put_into(ledger_);
  for (Instance& instance : instances) put_booked(frame, create, std::move(instance));
  std::vector<InstanceView> views;
  for (const Named& one : named) {
    views.push_back(
        view_of(ledger_.state().instances.at(one.uid), ledger_, book_, frame.now.monotonic));
  }
  return views;
}

absl::StatusOr<Answer> Mutations::apply(const Frame& frame, const CreateInstance& create) {
  std::vector<FieldViolation> violations = frame.context.violations;
  const Sizing sizing = check_instance(create, ledger_, violations);
  if (!violations.empty()) return invalid_fields(violations);
  SW_ASSIGN_OR_RETURN(std::vector<InstanceView> views,
                      book(frame, create, sizing, {{create.id, InstanceUid(frame.fresh_uid())}}));
  return std::move(views.front());
}

absl::StatusOr<Answer> Mutations::apply(const Frame& frame, const CreateInstances& create) {
  std::vector<FieldViolation> violations = frame.context.violations;
  const Sizing sizing = check_instances(create, ledger_, violations);
  if (const auto problem = check_weight(create, ledger_)) add_once(violations, "count", *problem);
  if (!violations.empty()) return invalid_fields(violations);
  std::vector<Named> named;
  for (const std::string& id : ids_of(create)) {
    named.push_back({id, InstanceUid(frame.fresh_uid(named.size() + 1))});
  }
  SW_ASSIGN_OR_RETURN(std::vector<InstanceView> views, book(frame, create, sizing, named));
  return InstancesView{std::move(views)};
}

// As they are by now: of those that are gone nothing is left but what they were called.
InstancesView Mutations::view_of_booking(const Frame& frame,
                                         const records::Booking& booking) const {
  InstancesView answer;
  for (const records::Booking::Booked& one : booking.instances) {
    const auto found = ledger_.state().instances.find(one.uid);
    if (found != ledger_.state().instances.end()) {
      answer.instances.push_back(view_of(found->second, ledger_, book_, frame.now.monotonic));
      continue;
    }
    const Instance gone{.uid = one.uid,
                        .project = frame.project_uid,
                        .id = one.id,
                        .desired = DesiredState::kDeleted};
    answer.instances.push_back(view_of(gone, ledger_, Observed{.phase = Phase::kDeleted}));
  }
  return answer;
}

}  // namespace stellwerk::controller
