#include "api/daemon/host.h"

#include <spdlog/spdlog.h>

#include "api/daemon/one_line.h"
#include "orchestrator/records/keys.h"

namespace stellwerk::daemon {
namespace {

// libvirt tells of its guests by itself; a look finds what nobody tells. With 50 guests one takes
// some 30 ms of a processor (docs/performance.md).
constexpr Duration kLookEvery = std::chrono::seconds(8);

hypervisor::LibvirtConfig libvirt_config(const HypervisorConfig& config, const CellUid& cell,
                                         const metrics::Metrics& metrics) {
  hypervisor::LibvirtConfig libvirt;
  libvirt.uri = config.uri;
  libvirt.cell = cell;
  libvirt.accelerator.mode = config.accel;
  libvirt.accelerator.kernel = config.probe_kernel;
  libvirt.accelerator.limit = config.probe_time;
  libvirt.connection.opened = metrics.libvirt_connections();
  return libvirt;
}

agent::UserDataSource user_data_in(store::Store& store) {
  return [&store](const InstanceUid& instance) -> absl::StatusOr<std::string> {
    SW_ASSIGN_OR_RETURN(std::optional<std::string> bytes,
                        store.get(records::user_data_key(instance)));
    if (bytes) return *std::move(bytes);
    return data_loss("the user-data of instance {} is not in the store", instance.to_string());
  };
}

agent::AgentConfig agent_config(const CellUid& cell, const HostUid& host) {
  agent::AgentConfig config;
  config.cell = cell;
  config.host = host;
  config.observe_every = kLookEvery;
  return config;
}

}  // namespace

absl::StatusOr<std::unique_ptr<LocalHost>> LocalHost::start(const Config& config, Identity identity,
                                                            Parts parts) {
  SW_ASSIGN_OR_RETURN(auto hypervisor,
                      hypervisor::LibvirtHypervisor::connect(libvirt_config(
                          config.hypervisor, parts.controller.cell(), parts.metrics)));
  if (config.hypervisor.uri == kMockUri) {
    spdlog::warn("libvirt's mock host={} uri={} note=\"no guest runs on it\"",
                 identity.uid.to_string(), kMockUri);
  }
  const hypervisor::AcceleratorChoice& choice = hypervisor->accelerator();
  spdlog::info("accelerator chosen host={} accelerator={} why=\"{}\"", identity.uid.to_string(),
               hypervisor::to_string(choice.accelerator), one_line(choice.reason));
  std::unique_ptr<LocalHost> host(
      new LocalHost(config, std::move(identity), parts, std::move(hypervisor)));
  host->agent_.start();
  return host;
}

LocalHost::LocalHost(const Config& config, Identity identity, Parts parts,
                     std::unique_ptr<hypervisor::LibvirtHypervisor> hypervisor)
    : config_(config.host),
      identity_(std::move(identity)),
      parts_(parts),
      hypervisor_(std::move(hypervisor)),
      executor_(*hypervisor_, parts_.storage, network_, firewall_, user_data_in(parts_.store),
                &parts_.consoles),
      agent_(
          agent_config(parts_.controller.cell(), identity_.uid),
          {.hypervisor = *hypervisor_,
           .executor = executor_,
           .clock = parts_.clock,
           .on_step = [&metrics = parts.metrics](
                          std::string_view step, absl::StatusCode code,
                          Duration took) { metrics.step_ended(step, code, took); },
           .on_guarding = [&metrics = parts.metrics](bool in_force) { metrics.guarded(in_force); }},
          link()) {}

ControllerLink LocalHost::link() {
  return {
      .hello = [this] { return hello(); },
      .connect =
          [this](HostHello hello) {
            parts_.controller.connect(
                std::move(hello), [this](HostOrders orders) { agent_.receive(std::move(orders)); });
          },
      .report = [this](HostStatus status) { parts_.controller.report(std::move(status)); },
  };
}

absl::StatusOr<HostHello> LocalHost::hello() const {
  HostHello hello;
  hello.cell = parts_.controller.cell();
  hello.host = identity_.uid;
  hello.id = identity_.id;
  SW_ASSIGN_OR_RETURN(hello.facts, hypervisor_->host_facts());
  SW_ASSIGN_OR_RETURN(const storage::Inventory stock, parts_.storage.inventory());
  hello.facts.disk = stock.capacity;
  hello.facts.disk_type = config_.local_disk_type;
  if (config_.memory) hello.facts.memory = *config_.memory;
  hello.reserve = {.memory = config_.memory_reserve, .disk = config_.disk_reserve};
  return hello;
}

}  // namespace stellwerk::daemon
