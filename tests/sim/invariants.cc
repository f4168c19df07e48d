#include "tests/sim/invariants.h"

#include <algorithm>
#include <utility>

#include "core/overloaded.h"
#include "orchestrator/records/keys.h"

namespace stellwerk::sim {
namespace {

// Which instances a booking made; a repeated answer shows them as they are by then, renamed ones by
// their new names.
std::string bytes_of(const controller::InstancesView& view) {
  std::string made;
  for (const controller::InstanceView& each : view.instances) {
    made += each.instance.uid.to_string() + '\n';
  }
  return made;
}

std::string bytes_of(const records::Booking& booking) {
  std::string made;
  for (const auto& each : booking.instances) made += each.uid.to_string() + '\n';
  return made;
}

// The resource of an answer in its persisted form: equal bytes, equal answers.
std::string bytes_of(const controller::Answer& answer) {
  return std::visit(
      Overloaded{
          [](const controller::InstanceView& view) { return records::encode(view.instance); },
          [](const controller::ImageView& view) { return records::encode(view.image); },
          [](const controller::NetworkView& view) { return records::encode(view.network); },
          [](const Flavor& flavor) { return records::encode(flavor); },
          [](const controller::ProjectView& view) { return records::encode(view.project); },
          [](const controller::InstancesView& view) { return bytes_of(view); },
          [](const controller::HostView& view) { return records::encode(view.host); },
          [](const controller::SiteView& view) { return records::encode(view.site); },
          [](const controller::ZoneView& view) { return records::encode(view.zone); },
          [](const controller::FeedView& view) { return records::encode(view.feed); },
          [](const controller::RackView& view) { return records::encode(view.rack); },
          [](const controller::GroupView& view) { return records::encode(view.group); },
          [](const auto&) { return std::string(); }},
      answer);
}

std::string bytes_of(const records::RequestRecord& request) {
  return std::visit(Overloaded{[](const records::Booking& booking) { return bytes_of(booking); },
                               [](const auto& resource) { return records::encode(resource); }},
                    request.resource);
}

// Whether the commit decided such a request. It may hold others of the same instance after it.
bool asked_for(const RecordHistory::Change& change, const Instance& instance,
               std::string_view method) {
  return std::any_of(change.requests.begin(), change.requests.end(), [&](const auto& each) {
    const auto* answer = std::get_if<Instance>(&each.resource);
    return answer && answer->uid == instance.uid && each.method == method &&
           (method != "UpdateInstance" || answer->desired == DesiredState::kStopped);
  });
}

}  // namespace

Invariants::Invariants(EventLog& log, const World& world, SimStore& store,
                       std::optional<DomainLevel> guarantee)
    : log_(log), world_(world), store_(store), placements_(history_, guarantee) {
  store_.watch(
      [this](const store::Head& head, const store::Batch& batch) { committed(head, batch); });
}

void Invariants::fail(std::string what) {
  if (failure_) return;
  log_.add("BREACH: {}", what);
  failure_ = std::move(what);
}

void Invariants::committed(const store::Head& head, const store::Batch& batch) {
  const RecordHistory::Change change = history_.apply(head, batch);
  for (const std::string& problem : change.problems) fail(problem);
  check_audit(change);
  for (const Event& event : change.log ? change.log->events : std::vector<Event>()) {
    if (!event.type.starts_with("Failover")) continue;
    log_.add("cell: {} of {} {}", event.type, event.resource, event.reason);
  }
  for (const Instance& instance : change.written) check_written(instance, change);
  for (const Instance& instance : change.erased) check_erased(instance);
  if (!change.written.empty()) {
    for (const Machine& machine : world_.machines()) check_processors(machine);
  }
  check_limits(change);
  for (std::string& problem : placements_.check(change)) fail(std::move(problem));
}

void Invariants::check_audit(const RecordHistory::Change& change) {
  for (const auto& request : change.requests) {
    const bool found = change.log && std::any_of(change.log->audit.begin(), change.log->audit.end(),
                                                 [&](const AuditEntry& entry) {
                                                   return entry.request_id == request.request_id &&
                                                          entry.method == request.method;
                                                 });
    if (!found) fail("a request without an audit entry in its commit: " + request.method);
  }
}

void Invariants::check_written(const Instance& instance, const RecordHistory::Change& change) {
  check_image(instance);
  for (size_t i = 0; i < instance.ports.size(); ++i) {
    port_names_.insert(agent::interface_name(instance.uid, i));
  }
  check_ports(instance);
  const Instance* before = history_.previous_version(instance.uid);
  if (!before) {
    if (history_.count_versions(instance.uid) > 1) fail("a deleted instance comes back");
    return;
  }
  if (instance.generation < before->generation) fail("a generation goes backwards");
  if (before->desired == DesiredState::kDeleted && instance.desired != DesiredState::kDeleted) {
    fail("a deletion is taken back");
  }
  if (instance.ports != before->ports) fail("a port changes after admission");
  check_claim(*before, instance, change);
  check_own_stop(instance, change);
}

void Invariants::check_claim(const Instance& before, const Instance& after,
                             const RecordHistory::Change& change) {
  const Claim& claim = after.claim;
  if (claim.vcpus != after.vcpus || claim.disk != after.boot_disk ||
      claim.memory != memory_with_overhead(after.memory, after.vcpus)) {
    fail("a claim is not of its instance's size");
  }
  if (after.boot_disk < before.boot_disk) fail("a disk shrinks");
  if (claim == before.claim) return;
  if (claim.host != before.claim.host) fail("an instance changes its host");
  if (!asked_for(change, after, "ResizeInstance")) fail("a claim changes without a resize");
}

// What a commit adds to a project's use fits the limits that it had before, after or in between.
void Invariants::check_limits(const RecordHistory::Change& change) {
  std::map<ProjectUid, controller::ProjectUse> now;
  for (const auto& [uid, instance] : history_.instances()) {
    now[instance.project] = now[instance.project] + controller::use_of(instance);
  }
  for (const auto& [uid, use] : now) {
    const auto project = history_.projects().find(uid);
    if (project == history_.projects().end()) continue;
    std::vector<Project> versions = {project->second};
    for (const Project& before : change.limits) versions.push_back(before);
    for (const auto& request : change.requests) {
      if (const auto* answer = std::get_if<Project>(&request.resource)) versions.push_back(*answer);
    }
    for (const controller::Limit limit : controller::kAllLimits) {
      const int64_t value = controller::value_of(use, limit);
      if (value <= controller::value_of(use_[uid], limit)) continue;
      const bool allowed = std::any_of(versions.begin(), versions.end(), [&](const Project& each) {
        const auto most = controller::value_of(each.limits, limit);
        return each.uid == uid && (!most || value <= *most);
      });
      if (!allowed)
        fail(fmt::format("project {} is given more {} than its limit", project->second.id,
                         controller::to_string(limit)));
    }
  }
  use_ = std::move(now);
}

// An instance that is stopped without anybody asking must have stopped by itself.
void Invariants::check_own_stop(const Instance& instance, const RecordHistory::Change& change) {
  const Instance* before = history_.previous_version(instance.uid);
  if (before->desired != DesiredState::kRunning || instance.desired != DesiredState::kStopped) {
    return;
  }
  if (asked_for(change, instance, "StopInstance") ||
      asked_for(change, instance, "UpdateInstance")) {
    return;
  }
  const auto& endings = world_.endings(instance.uid.value());
  if (endings.empty()) return fail("stopped as if it had ended: an instance that never ran");
  const Cause cause = endings.back().cause;
  const bool crashed = cause == Cause::kCrash || cause == Cause::kPowerCut;
  const bool final =
      cause == Cause::kOwnShutdown || (crashed && instance.restart_policy == RestartPolicy::kNever);
  if (!final) {
    fail(fmt::format("instance {} becomes desired-stopped by itself, yet it ended by {}",
                     brief(instance.uid), to_string(cause)));
  }
}

void Invariants::check_ports(const Instance& instance) {
  for (const Port& port : instance.ports) {
    const auto [mac, is_new] = macs_.emplace(port.mac, instance.uid);
    if (!is_new && mac->second != instance.uid) fail("a MAC is given twice");
    for (const auto& [uid, other] : history_.instances()) {
      for (const Port& theirs : uid == instance.uid ? instance.ports : other.ports) {
        if (&theirs == &port || theirs.network != port.network) continue;
        for (const IpAddress& address : port.addresses) {
          if (std::ranges::find(theirs.addresses, address) == theirs.addresses.end()) continue;
          fail("an address is given twice: " + address.to_string());
        }
      }
    }
  }
}

void Invariants::check_erased(const Instance& instance) {
  for (size_t i = 0; i < instance.ports.size(); ++i) {
    port_names_.erase(agent::interface_name(instance.uid, i));
  }
  if (instance.desired != DesiredState::kDeleted) {
    fail("a record goes that nobody wanted deleted: " + instance.id);
  }
  if (store_.table().contains(records::user_data_key(instance.uid))) {
    fail("user-data outlives its instance");
  }
}

// Claims of dedicated classes name threads that the host has, as many as they must, each once.
void Invariants::check_processors(const Machine& machine) {
  std::map<int32_t, InstanceUid> owners;
  for (const auto& [uid, instance] : history_.instances()) {
    const Claim& claim = instance.claim;
    if (claim.host != machine.uid) continue;
    const int64_t each = claim.cpu_class == CpuClass::kDedicatedCore     ? 2
                         : claim.cpu_class == CpuClass::kDedicatedThread ? 1
                                                                         : 0;
    if (std::ssize(claim.cpus) != each * claim.vcpus.count()) {
      fail("a claim names another number of processors than its class takes: " + instance.id);
    }
    for (const int32_t cpu : claim.cpus) {
      if (cpu < 0 || cpu >= machine.facts.threads) fail("a claim on no processor");
      if (!owners.emplace(cpu, uid).second) {
        fail(fmt::format("processor {} is given to two instances", cpu));
      }
    }
  }
  if (std::ssize(owners) >= machine.facts.threads) fail("no processor is left to share");
}

// Where guests really run: no two dedicated ones meet, not even for a moment.
void Invariants::check_pins(const Machine& machine) {
  std::map<int32_t, Uuid> users;
  for (const Process& process : machine.processes) {
    const auto record = history_.instances().find(InstanceUid(process.uuid));
    if (process.stranger || record == history_.instances().end()) continue;
    if (record->second.claim.cpus.empty()) continue;
    for (const auto& cpus : process.pins.vcpus) {
      for (const int32_t cpu : cpus) {
        if (users.emplace(cpu, process.uuid).second) continue;
        fail(fmt::format("two dedicated vCPUs run on processor {}", cpu));
      }
    }
  }
}

void Invariants::after_event() {
  check_acts();
  std::set<Uuid> running;
  for (const Machine& machine : world_.machines()) {
    check_processes(machine, running);
    check_pins(machine);
    check_left_overs(machine);
  }
}

void Invariants::check_acts() {
  if (world_.unguarded()) fail("a port that the firewall did not know: " + *world_.unguarded());
  if (world_.double_reboot()) fail("rebooted twice: " + *world_.double_reboot());
  if (world_.trespass()) fail("a domain that no record names was ended: " + *world_.trespass());
}

// `running`: what has been met so far, here and on other machines.
void Invariants::check_processes(const Machine& machine, std::set<Uuid>& running) {
  for (const Process& process : machine.processes) {
    if (!running.insert(process.uuid).second) {
      fail("two processes of one instance: " + process.name);
    }
    if (process.stranger) continue;
    const auto record = history_.instances().find(InstanceUid(process.uuid));
    if (record == history_.instances().end()) {
      fail("a process without a record: " + process.name);
    } else if (record->second.claim.host != machine.uid) {
      fail(fmt::format("{} runs on {}, where it has no claim", process.name, machine.id));
    }
  }
}

void Invariants::check_left_overs(const Machine& machine) {
  for (const auto& [uid, files] : machine.files) {
    if (!history_.instances().contains(uid)) fail("files without a record: " + brief(uid));
  }
  for (const auto& [name, bridge] : machine.ports) {
    if (!port_names_.contains(name)) fail("a port without a record: " + name);
  }
}

void Invariants::answered(const controller::Request& request,
                          const absl::StatusOr<controller::Answer>& answer) {
  const auto* mutation = std::get_if<controller::Mutation>(&request);
  if (!answer.ok()) {
    if (mutation) check_refusal(*mutation, answer.status());
    return;
  }
  if (mutation) {
    if (std::holds_alternative<controller::BeginImageImport>(mutation->body) &&
        std::get<controller::ImageView>(*answer).image.state == ImageState::kImporting) {
      return;  // half a mutation: its end is the answer
    }
    if (const auto* booking = std::get_if<controller::CreateInstances>(&mutation->body)) {
      const auto& made = std::get<controller::InstancesView>(*answer).instances;
      if (std::ssize(made) != booking->count) fail("a booking is answered with another number");
    }
    return check_mutation_answer(mutation->context, *answer);
  }
  const auto& query = std::get<controller::Query>(request);
  if (const auto* asked = std::get_if<controller::ExplainPlacement>(&query)) {
    return check_explained(*asked, std::get<controller::PlacementView>(*answer).explanation);
  }
  if (const auto* view = std::get_if<controller::InstanceView>(&*answer)) check_shown(*view);
  if (const auto* page = std::get_if<controller::Page<controller::InstanceView>>(&*answer)) {
    for (const auto& each : page->items) check_shown(each);
  }
}

// Members of a project are told of no host but the one that they named.
void Invariants::check_explained(const controller::ExplainPlacement& asked,
                                 const placement::Explanation& told) {
  if (asked.to_operator) return;
  const bool counts = told.hosts > 0 || told.feasible > 0 || !told.refusals.empty() ||
                      !told.nearest.empty() || !told.chosen.empty();
  const std::string words = told.summary + told.smallest_change.value_or("");
  const bool names = std::ranges::any_of(history_.hosts(), [&](const auto& host) {
    return host.second.id != asked.booking.wishes.host &&
           words.find(host.second.id) != std::string::npos;
  });
  if (counts || names) fail("a member is told of hosts: " + words);
}

void Invariants::check_mutation_answer(const controller::MutationContext& context,
                                       const controller::Answer& answer) {
  const std::string bytes = bytes_of(answer);
  const auto durable = history_.requests().find(context.request_id);
  if (durable == history_.requests().end()) {
    return fail("answered and not durable: request " + context.request_id.to_string());
  }
  if (bytes_of(durable->second) != bytes) {
    fail("the answer is not the one that was kept: " + durable->second.method);
  }
  const auto [first, is_first] = answers_.emplace(context.request_id, Kept{context.body, bytes});
  if (!is_first && first->second.answer != bytes) fail("the same request is answered differently");
}

// What succeeded once succeeds whenever it is repeated; and only with the same content.
void Invariants::check_refusal(const controller::Mutation& mutation, const absl::Status& why) {
  const auto first = answers_.find(mutation.context.request_id);
  const bool importing = std::holds_alternative<controller::BeginImageImport>(mutation.body) ||
                         std::holds_alternative<controller::FinishImageImport>(mutation.body);
  if (first == answers_.end() || importing || absl::IsUnavailable(why)) return;
  const bool same = first->second.body == mutation.context.body;
  if (same) fail("a request that succeeded is refused when repeated: " + describe(why));
  if (!same && reason_of(why) != "REQUEST_ID_REUSED") {
    fail("a request id with another content is not recognised: " + describe(why));
  }
}

void Invariants::check_shown(const controller::InstanceView& view) {
  Instance shown = view.instance;
  const Instance* durable = history_.instance_at(shown.uid, shown.changed_at);
  if (durable) {  // noted without a change that callers see
    shown.has_disk = durable->has_disk;
    shown.backup = durable->backup;
  }
  // One commit may hold several changes of an instance; the store keeps the last.
  const bool within = durable && shown.generation < durable->generation;
  if (!store_.head() || shown.changed_at > store_.head()->sequence || !durable ||
      (!within && records::encode(*durable) != records::encode(shown))) {
    fail("a reader sees what is not durable: " + shown.id);
  }
}

void Invariants::orders_sent(const HostOrders& orders) {
  if (!store_.head() || orders.sequence > store_.head()->sequence) {
    return fail("orders leave before they are durable");
  }
  const auto expected = history_.instances_at(orders.sequence, orders.host);
  if (expected.size() != orders.instances.size()) return fail("orders are not the full set");
  for (size_t i = 0; i < expected.size(); ++i) {
    const Instance& ordered = orders.instances[i];
    const Instance* durable = history_.instance_at(expected[i], orders.sequence);
    if (ordered.uid != expected[i] || ordered.changed_at != durable->changed_at ||
        ordered.generation != durable->generation || ordered.has_disk != durable->has_disk) {
      return fail("orders differ from the commit that they name");
    }
  }
}

void Invariants::log_grew(Sequence durable) {
  if (!store_.head() || durable > store_.head()->sequence) {
    fail("watchers are shown a commit that is not durable");
  }
}

void Invariants::fetch_begins(const ImageUid& image, const ImageSource& source) {
  const auto found = history_.images().find(image);
  if (found == history_.images().end() || found->second.source != source) {
    fail("an image is fetched that is not durably wanted: " + brief(image));
  }
}

// Of the project's own, or open to every project when it was chosen.
void Invariants::check_image(const Instance& instance) {
  if (history_.count_versions(instance.uid) > 1) return;
  const auto image = history_.images().find(instance.image);
  if (image == history_.images().end()) return fail(instance.id + " has no image");
  const bool just_changed = image->second.changed_at == instance.changed_at;
  if (image->second.project != instance.project && !image->second.is_public && !just_changed) {
    fail(instance.id + " was made from another project's private image");
  }
}

void Invariants::stepped_down(const std::string& why) {
  fail("the controller steps down though nobody else took over: " + why);
}

bool Invariants::may_destroy(const Machine& machine, const Instance& ordered) const {
  if (ordered.desired != DesiredState::kRunning) return true;
  // What is left of a panicked guest has to go before it starts anew, and a power cycle ends one.
  // What has ended since it was last seen is nobody's loss.
  const auto process = machine.find_process(ordered.uid.value());
  if (process == machine.processes.end()) return true;
  const bool cycled = ordered.reboot.kind == RebootKind::kPowerCycle && process->owner &&
                      process->owner->reboot_count < ordered.reboot.count;
  return cycled || process->state == hypervisor::DomainState::kCrashed;
}

// Whether this generation has run, its end was not asked for, and its policy is never.
bool Invariants::must_stay_down(const Machine& machine, const Instance& ordered) const {
  if (ordered.restart_policy != RestartPolicy::kNever) return false;
  const auto files = machine.files.find(ordered.uid);
  const auto& endings = world_.endings(ordered.uid.value());
  return files != machine.files.end() && files->second.started == ordered.run && !endings.empty() &&
         endings.back().cause == Cause::kCrash;
}

void Invariants::step_begins(const Machine& machine, const agent::Step& step, Sequence orders) {
  const InstanceUid uid = agent::instance_of(step);
  const Instance* ordered = history_.instance_at(uid, orders);
  const std::string name = fmt::format("{} {}", agent::name_of(step), brief(uid));
  if (!ordered || ordered->claim.host != machine.uid) {
    return fail("a step on what no order names: " + name);
  }
  const bool deleted = ordered->desired == DesiredState::kDeleted;
  const bool running = ordered->desired == DesiredState::kRunning;
  const bool allowed = std::visit(
      Overloaded{
          [&](const agent::DestroyDomain&) { return may_destroy(machine, *ordered); },
          [&](const agent::RequestShutdown&) { return !running; },
          [&](const agent::DeleteFiles&) { return deleted; },
          [&](const agent::RemovePort&) { return true; },
          [&](const agent::PinDomain&) { return true; },
          [&](const agent::StartDomain&) { return running && !must_stay_down(machine, *ordered); },
          [&](const auto&) { return running; }},
      step);
  if (!allowed) fail("a step that its orders do not ask for: " + name);
}

void Invariants::process_begins() {
  for (const auto& [request, kept] : answers_) {
    const auto durable = history_.requests().find(request);
    const std::string key = records::request_key(durable->second.scope, request);
    if (!store_.table().contains(key)) {
      return fail("answered and lost again: request " + request.to_string());
    }
  }
}

}  // namespace stellwerk::sim
