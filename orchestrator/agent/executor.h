// Carries out the agent's steps on this host's drivers, and looks at them for it.
//
// Steps are idempotent: one that was cut off is simply carried out again. Everything blocks, as
// long as the drivers' own deadlines allow. Any thread; for one instance, one step at a time.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/status.h"
#include "drivers/firewall/firewall.h"
#include "drivers/hypervisor/hypervisor.h"
#include "drivers/network/network.h"
#include "drivers/storage/storage.h"
#include "orchestrator/agent/console_keeper.h"
#include "orchestrator/agent/plan.h"

namespace stellwerk::agent {

// The user-data of an instance that has some; it is never kept beyond the step that needs it.
using UserDataSource = std::function<absl::StatusOr<std::string>(const InstanceUid&)>;

class Executor {
 public:
  // The drivers outlive the executor.
  Executor(hypervisor::Hypervisor& hypervisor, storage::Storage& storage, network::Network& network,
           firewall::Firewall& firewall, UserDataSource user_data,
           ConsoleKeeper* consoles = nullptr)
      : hypervisor_(hypervisor),
        storage_(storage),
        network_(network),
        firewall_(firewall),
        user_data_(std::move(user_data)),
        consoles_(consoles) {}

  absl::Status run(const Step& step);
  // An error of any driver is the result: what cannot be seen is unknown, not empty.
  // The upkeep goes before; what of it fails is told in the observation.
  absl::StatusOr<HostObservation> observe(const HostUpkeep& upkeep);

 private:
  absl::Status run_one(const PrepareFiles& step);
  absl::Status run_one(const StartDomain& step);
  absl::Status run_one(const PinDomain& step);
  absl::Status run_one(const MarkStarted& step);
  absl::Status run_one(const ResumeDomain& step);
  absl::Status run_one(const RequestShutdown& step);
  absl::Status run_one(const RebootDomain& step);
  absl::Status run_one(const DestroyDomain& step);
  absl::Status run_one(const RemovePort& step);
  absl::Status run_one(const DeleteFiles& step);

  void keep_up(const HostUpkeep& upkeep, HostObservation& seen);
  absl::StatusOr<std::string> user_data_of(const Instance& instance);

  hypervisor::Hypervisor& hypervisor_;
  storage::Storage& storage_;
  network::Network& network_;
  firewall::Firewall& firewall_;
  const UserDataSource user_data_;
  ConsoleKeeper* const consoles_;  // none: guests have no console
};

// The bridge that carries a network on this host.
network::BridgeSpec bridge_of(const Network& network);

// The domain of an instance: also what is written into its metadata, from which another
// controller could adopt it. NotFound when a port's network is missing.
absl::StatusOr<hypervisor::DomainSpec> domain_spec(const StartDomain& step,
                                                   const storage::Storage::Paths& paths);

}  // namespace stellwerk::agent
