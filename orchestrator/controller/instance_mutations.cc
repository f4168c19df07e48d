// Mutations of instances.
#include <fmt/format.h>

#include <set>
#include <utility>

#include "core/resource_names.h"
#include "core/validate.h"
#include "orchestrator/controller/addresses.h"
#include "orchestrator/controller/claims.h"
#include "orchestrator/controller/frame.h"
#include "orchestrator/controller/life.h"
#include "orchestrator/controller/mutations.h"
#include "orchestrator/controller/resize.h"
#include "orchestrator/controller/views.h"
#include "orchestrator/records/keys.h"

namespace stellwerk::controller {

// Two ports of one instance may be on the same network: each sees what the other has chosen or
// was given.
// Nothing is put before every port has its addresses.
absl::StatusOr<std::vector<Port>> Mutations::allocate_ports(const CreateInstance& create,
                                                            const Sizing& sizing) {
  std::vector<Port> ports;
  std::map<NetworkUid, Network> networks;
  std::map<NetworkUid, std::set<IpAddress>> taken;
  const bool incomplete = ledger_.state().has_invalid(records::kInstancePrefix);
  records::Cell cell = *ledger_.state().cell;
  for (size_t i = 0; i < create.ports.size(); ++i) {
    const NetworkUid uid = sizing.networks[i]->uid;
    networks.try_emplace(uid, *sizing.networks[i]);
    const std::vector<IpAddress>& chosen = create.ports[i].addresses;
    taken.try_emplace(uid, ledger_.taken_addresses(uid))
        .first->second.insert(chosen.begin(), chosen.end());
  }
  for (size_t i = 0; i < create.ports.size(); ++i) {
    const NetworkUid uid = sizing.networks[i]->uid;
    Network& network = networks.at(uid);
    std::set<IpAddress>& held = taken.at(uid);
    SW_ASSIGN_OR_RETURN(std::vector<IpAddress> addresses,
                        allocate_addresses(network, create.ports[i].addresses, {held, incomplete}));
    held.insert(addresses.begin(), addresses.end());
    while (ledger_.is_of_an_orphan(mac_number(cell.next_mac))) ++cell.next_mac;
    ports.push_back(
        {.network = uid, .mac = mac_number(cell.next_mac++), .addresses = std::move(addresses)});
  }
  for (auto& [uid, network] : networks) ledger_.put(std::move(network));
  if (!ports.empty()) ledger_.put_cell(cell);
  return ports;
}

absl::StatusOr<Answer> Mutations::apply(const Frame& frame, const CreateInstance& create) {
  std::vector<FieldViolation> violations = frame.context.violations;
  const Sizing sizing = check_instance(create, ledger_, violations);
  if (!violations.empty()) return invalid_fields(violations);
  if (const Instance* other = ledger_.instance(create.project, create.id)) {
    return with_reason(
        already_exists("instance {} exists{}; choose another id", create.id,
                       other->desired == DesiredState::kDeleted ? " and is being deleted" : ""),
        "NAME_TAKEN");
  }
  SW_RETURN_IF_ERROR(check_quota(frame.project_uid, demand_of(sizing)));
  SW_ASSIGN_OR_RETURN(std::vector<placement::Placement> placements,
                      place(ledger_.engine(), request_for({*sizing.flavor, sizing.boot_disk}, {}),
                            fmt::format("no host can take {}", create.id)));
  // The last thing that can fail; it changes the ledger only when it succeeds.
  SW_ASSIGN_OR_RETURN(std::vector<Port> ports, allocate_ports(create, sizing));

  Instance instance{.uid = InstanceUid(frame.fresh_uid()),
                    .project = frame.project_uid,
                    .id = create.id,
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
                    .ports = std::move(ports),
                    .ssh_keys = create.ssh_keys,
                    .has_user_data = !create.user_data.empty(),
                    .labels = create.labels,
                    .claim = std::move(placements.front().claim),
                    .backup = std::move(placements.front().backup),
                    .ingress = create.ingress,
                    .delete_protection = create.delete_protection,
                    .ever_started = create.desired == DesiredState::kRunning,
                    .created_at = frame.now.wall,
                    .run = Generation(1)};
  const InstanceUid uid = instance.uid;
  if (instance.has_user_data) ledger_.put_user_data(uid, create.user_data);
  ledger_.put(std::move(instance));
  book_.expect(uid, frame.now.wall);
  record_event(frame.now,
               {.type = "InstanceCreated",
                .project_id = frame.project,
                .resource = instance_name(frame.project, create.id),
                .uid = uid.value(),
                .message = fmt::format("flavor {}, image {}", create.flavor, create.image)});
  return view_of(ledger_.state().instances.at(uid), ledger_, book_, frame.now.monotonic);
}

absl::StatusOr<Instance> Mutations::changeable(const Frame& frame, const std::string& project,
                                               const std::string& id) const {
  if (!frame.context.violations.empty()) return invalid_fields(frame.context.violations);
  const Instance* instance = ledger_.instance(project, id);
  const std::string name = instance_name(project, id);
  if (!instance) return missing(name);
  SW_RETURN_IF_ERROR(check_etag(frame, name, etag_of(*instance)));
  return *instance;
}

Answer Mutations::put_changed(const Frame& frame, Instance instance, std::string type,
                              std::string message) {
  instance.generation = instance.generation.next();
  const InstanceUid uid = instance.uid;
  record_event(frame.now, {.type = std::move(type),
                           .project_id = frame.project,
                           .resource = instance_name(frame.project, instance.id),
                           .uid = uid.value(),
                           .message = std::move(message)});
  ledger_.put(std::move(instance));
  return view_of(ledger_.state().instances.at(uid), ledger_, book_, frame.now.monotonic);
}

absl::StatusOr<Answer> Mutations::apply(const Frame& frame, const StartInstance& start) {
  SW_ASSIGN_OR_RETURN(Instance instance, changeable(frame, start.project, start.id));
  SW_RETURN_IF_ERROR(refuse_if_deleted(instance));
  if (instance.desired == DesiredState::kRunning) {
    return view_of(instance, ledger_, book_, frame.now.monotonic);
  }
  order_run(instance);
  return put_changed(frame, std::move(instance), "InstanceStartRequested", "");
}

absl::StatusOr<Answer> Mutations::apply(const Frame& frame, const StopInstance& stop) {
  SW_ASSIGN_OR_RETURN(Instance instance, changeable(frame, stop.project, stop.id));
  SW_RETURN_IF_ERROR(refuse_if_deleted(instance));
  if (instance.desired == DesiredState::kStopped && (instance.stop_hard || !stop.hard)) {
    return view_of(instance, ledger_, book_, frame.now.monotonic);
  }
  order_stop(instance, stop.hard);
  return put_changed(frame, std::move(instance), "InstanceStopRequested",
                     stop.hard ? "without asking the guest" : "");
}

absl::StatusOr<Answer> Mutations::apply(const Frame& frame, const RebootInstance& reboot) {
  SW_ASSIGN_OR_RETURN(Instance instance, changeable(frame, reboot.project, reboot.id));
  SW_RETURN_IF_ERROR(refuse_if_deleted(instance));
  SW_RETURN_IF_ERROR(refuse_if_stopped(instance));
  order_reboot(instance, reboot.hard ? RebootKind::kPowerCycle : RebootKind::kSoft);
  return put_changed(frame, std::move(instance), "InstanceRebootRequested",
                     reboot.hard ? "a power cycle, without asking the guest" : "");
}

absl::StatusOr<Answer> Mutations::apply(const Frame& frame, const DeleteInstance& deletion) {
  SW_ASSIGN_OR_RETURN(Instance instance, changeable(frame, deletion.project, deletion.id));
  if (instance.desired == DesiredState::kDeleted) {
    return view_of(instance, ledger_, book_, frame.now.monotonic);
  }
  SW_RETURN_IF_ERROR(refuse_if_protected(instance));
  instance.desired = DesiredState::kDeleted;
  instance.run = instance.run.next();
  return put_changed(frame, std::move(instance), "InstanceDeleteRequested", "");
}

void Mutations::accept_end(const Instance& ended, FinalEnd end, Now now) {
  Instance instance = ended;
  instance.desired = DesiredState::kStopped;
  instance.run = instance.run.next();
  instance.generation = instance.generation.next();
  const std::string project = ledger_.project_id(instance.project);
  const bool by_guest = end == FinalEnd::kShutDownByGuest;
  record_event(now, {.type = "InstanceEnded",
                     .project_id = project,
                     .resource = instance_name(project, instance.id),
                     .uid = instance.uid.value(),
                     .reason = by_guest ? "ShutDownByGuest" : "Crashed",
                     .message = by_guest ? "the guest shut itself down; it stays stopped"
                                         : "the guest ended unexpectedly and its restart policy "
                                           "is never; it stays stopped"});
  ledger_.put(std::move(instance));
}

void Mutations::finish_deletion(const Instance& gone, Now now) {
  const std::string project = ledger_.project_id(gone.project);
  const InstanceUid uid = gone.uid;
  record_event(now, {.type = "InstanceDeleted",
                     .project_id = project,
                     .resource = instance_name(project, gone.id),
                     .uid = uid.value(),
                     .message = "domain, disk and port are gone"});
  ledger_.erase(uid);
  book_.forget(uid);
}

}  // namespace stellwerk::controller
