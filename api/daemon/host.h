// This host: its drivers, the agent on them, and the agent's link to the controller of the same
// process. Everything here may come long after the API serves: deciding the accelerator takes its
// time.
#pragma once

#include <memory>

#include "api/daemon/agent_runtime.h"
#include "api/daemon/config.h"
#include "api/daemon/console_runtime.h"
#include "api/daemon/controller_runtime.h"
#include "api/metrics/metrics.h"
#include "drivers/firewall/nftables/nftables_firewall.h"
#include "drivers/hypervisor/libvirt/libvirt_hypervisor.h"
#include "drivers/network/bridge/bridge_network.h"
#include "orchestrator/agent/executor.h"

namespace stellwerk::daemon {

class LocalHost {
 public:
  struct Identity {
    HostUid uid;
    std::string id;
  };
  // The references outlive the host.
  struct Parts {
    store::Store& store;
    storage::Storage& storage;
    ControllerRuntime& controller;
    metrics::Metrics& metrics;
    ConsoleRuntime& consoles;
    const Clock& clock;
  };
  // Blocks while the accelerator is decided. Then the agent runs.
  static absl::StatusOr<std::unique_ptr<LocalHost>> start(const Config& config, Identity identity,
                                                          Parts parts);

  // As AgentRuntime's.
  void after_a_step(std::function<void()> done) { agent_.after_a_step(std::move(done)); }
  bool stop(Duration patience) { return agent_.stop(patience); }

 private:
  LocalHost(const Config& config, Identity identity, Parts parts,
            std::unique_ptr<hypervisor::LibvirtHypervisor> hypervisor);

  absl::StatusOr<HostHello> hello() const;
  ControllerLink link();

  const HostConfig config_;
  const Identity identity_;
  const Parts parts_;
  const std::unique_ptr<hypervisor::LibvirtHypervisor> hypervisor_;
  network::BridgeNetwork network_;
  firewall::NftablesFirewall firewall_;
  agent::Executor executor_;
  AgentRuntime agent_;
};

}  // namespace stellwerk::daemon
