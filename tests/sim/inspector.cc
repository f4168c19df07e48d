#include "tests/sim/inspector.h"

#include <algorithm>
#include <set>

#include "orchestrator/records/keys.h"
#include "tests/sim/invariants.h"

namespace stellwerk::sim {

void Inspector::inspect(std::function<void(Finding)> done) {
  if (!client_.is_idle()) return done("clients still wait for answers");
  if (!daemon_.is_linked()) return done("no daemon serves, or the agent is out of sight");
  daemon_.submit(controller::ListInstances{.project = "-"},
                 [this, done](const absl::StatusOr<controller::Answer>& instances) {
                   if (!instances.ok()) return done(describe(instances.status()));
                   daemon_.submit(
                       controller::ListHosts{},
                       [this, done, page = std::get<Instances>(*instances)](const auto& hosts) {
                         if (!hosts.ok()) return done(describe(hosts.status()));
                         if (auto finding = judge(page, std::get<Hosts>(*hosts))) {
                           return done(std::move(finding));
                         }
                         daemon_.submit(controller::ListProjects{}, [this, done](const auto& all) {
                           if (!all.ok()) return done(describe(all.status()));
                           done(judge(std::get<Projects>(*all)));
                         });
                       });
                 });
}

Inspector::Finding Inspector::judge(const Instances& instances, const Hosts& hosts) const {
  if (instances.items.size() != stage_.invariants.history().instances().size()) {
    return "the list of instances is not what the store holds";
  }
  for (const auto& view : instances.items) {
    if (Finding finding = judge(view)) return finding;
  }
  if (hosts.items.size() != 1) return "the host is not listed once";
  if (Finding finding = judge(hosts.items.front())) return finding;
  if (Finding finding = judge_memory()) return finding;
  if (Finding finding = judge_files()) return finding;
  if (Finding finding = judge_networks()) return finding;
  return judge_store();
}

Inspector::Finding Inspector::judge(const controller::InstanceView& view) const {
  const Instance& instance = view.instance;
  const Observed& observed = view.observed;
  const std::string name = fmt::format(
      "{}/{} ({}): desired {}, phase {} {} {}", view.project_id, instance.id, brief(instance.uid),
      to_string(instance.desired), to_string(observed.phase), observed.reason, observed.message);
  if (observed.generation != instance.generation) {
    return fmt::format("{}: generation {} observed of {}", name, observed.generation.value(),
                       instance.generation.value());
  }
  if (instance.desired == DesiredState::kRunning) return judge_running(view);
  if (instance.desired == DesiredState::kDeleted) return name;
  if (observed.phase != Phase::kStopped) return name;
  const auto& processes = stage_.world.machine().processes;
  const bool runs = std::any_of(processes.begin(), processes.end(), [&](const Process& process) {
    return process.uuid == instance.uid.value();
  });
  const auto& ports = stage_.world.machine().ports;
  const std::string prefix = agent::interface_name(instance.uid, 0);
  const bool has_port = std::any_of(
      ports.begin(), ports.end(), [&](const auto& port) { return port.first.starts_with(prefix); });
  if (runs || has_port) return name + ", yet a process or port is there";
  return std::nullopt;
}

Inspector::Finding Inspector::judge_running(const controller::InstanceView& view) const {
  const Instance& instance = view.instance;
  const std::string name =
      fmt::format("{}/{} ({})", view.project_id, instance.id, brief(instance.uid));
  if (view.observed.phase != Phase::kRunning) {
    return fmt::format("{} should run, its phase is {}", name, to_string(view.observed.phase));
  }
  const auto process = stage_.world.machine().find_process(instance.uid.value());
  if (process == stage_.world.machine().processes.end() ||
      process->state != hypervisor::DomainState::kRunning) {
    return name + " is reported running and does not run";
  }
  if (process->owner->reboot_count != instance.reboot.count) return name + " was not rebooted";
  if (process->vcpus != instance.vcpus || process->memory != instance.memory) {
    return name + " runs in another size";
  }
  if (stage_.world.machine().files.at(instance.uid).size != instance.boot_disk) {
    return name + " has a disk of another size";
  }
  if (process->ports.size() != instance.ports.size()) return name + " has not its ports";
  return judge_pins(instance, process->pins);
}

// Dedicated vCPUs on their own processors, everything else off anybody's.
Inspector::Finding Inspector::judge_pins(const Instance& instance,
                                         const hypervisor::CpuPins& pins) const {
  std::set<int32_t> dedicated;
  for (const auto& [uid, other] : stage_.invariants.history().instances()) {
    dedicated.insert(other.claim.cpus.begin(), other.claim.cpus.end());
  }
  const auto shared = [&](int32_t cpu) { return !dedicated.contains(cpu); };
  if (pins.emulator.empty() || !std::ranges::all_of(pins.emulator, shared)) {
    return "the emulator is on dedicated processors: " + instance.id;
  }
  std::set<int32_t> used;
  for (const auto& cpus : pins.vcpus) used.insert(cpus.begin(), cpus.end());
  const std::set<int32_t> own(instance.claim.cpus.begin(), instance.claim.cpus.end());
  if (!own.empty() && used != own) return "it is not on its own processors: " + instance.id;
  if (own.empty() && !std::ranges::all_of(used, shared)) {
    return "a shared guest is on dedicated processors: " + instance.id;
  }
  return std::nullopt;
}

Inspector::Finding Inspector::judge(const controller::HostView& host) const {
  if (!host.connected) return "the host is not connected";
  int64_t foreign = 0;
  size_t orphans = 0;
  for (const Process& process : stage_.world.machine().processes) {
    if (!process.stranger) continue;
    const bool ours = process.owner && process.owner->cell == daemon_.cell();
    ours ? ++orphans : ++foreign;
  }
  if (host.orphans.size() != orphans) return "orphans are not reported as they are";
  if (host.foreign.domains != foreign) return "foreign domains are not counted as they are";
  return std::nullopt;
}

// What a project is said to use is the sum over its instances.
Inspector::Finding Inspector::judge(const Projects& projects) const {
  for (const controller::ProjectView& view : projects.items) {
    controller::ProjectUse sum;
    for (const auto& [uid, instance] : stage_.invariants.history().instances()) {
      if (instance.project == view.project.uid) sum = sum + controller::use_of(instance);
    }
    if (sum != view.use) return "the use of project " + view.project.id + " is not the sum";
  }
  return std::nullopt;
}

Inspector::Finding Inspector::judge_memory() const {
  const auto& remembered = daemon_.state().instances;
  const auto& durable = stage_.invariants.history().instances();
  const bool same =
      std::equal(remembered.begin(), remembered.end(), durable.begin(), durable.end(),
                 [](const auto& mine, const auto& theirs) {
                   return records::encode(mine.second) == records::encode(theirs.second);
                 });
  return same ? std::nullopt : Finding("the controller's memory is not what the store holds");
}

Inspector::Finding Inspector::judge_files() const {
  const Machine& machine = stage_.world.machine();
  for (const auto& [uid, files] : machine.files) {
    if (files.partial) return "a partial disk is left of " + brief(uid);
  }
  const auto& images = stage_.invariants.history().images();
  size_t with_files = 0;
  for (const auto& [uid, image] : images) {
    if (image.state == ImageState::kFailed) continue;  // until somebody deletes it
    ++with_files;
    if (image.state != ImageState::kActive)
      return "an image is neither there nor gone: " + image.id;
    const auto file = machine.images.find(uid);
    if (file == machine.images.end() || file->second != ImageFile::kPublished) {
      return "an image has lost its file: " + image.id;
    }
  }
  if (machine.images.size() != with_files) return "an image's file is left over";
  return std::nullopt;
}

// Bridges come with the first port; each belongs to a network that is there.
Inspector::Finding Inspector::judge_networks() const {
  std::set<std::string> wanted;
  for (const auto& [uid, network] : daemon_.state().networks) {
    if (network.state != NetworkState::kActive) return "a network is never gone: " + network.id;
    wanted.insert(network.bridge);
  }
  for (const std::string& bridge : stage_.world.machine().bridges) {
    if (!wanted.contains(bridge)) return "a bridge is left over: " + bridge;
  }
  return std::nullopt;
}

Inspector::Finding Inspector::judge_store() const {
  const auto& instances = stage_.invariants.history().instances();
  for (const auto& [key, value] : stage_.store.table()) {
    if (!key.starts_with(records::kUserDataPrefix)) continue;
    const auto uid = InstanceUid::parse(key.substr(records::kUserDataPrefix.size()));
    if (!uid || !instances.contains(*uid)) return "user-data is left over: " + key;
  }
  return std::nullopt;
}

}  // namespace stellwerk::sim
