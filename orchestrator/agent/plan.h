// plan(desired, observed) -> the next step, if any, and what to report: pure. Steps are idempotent
// values; carrying them out is the executor's, remembering what failed the agent's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/host_messages.h"
#include "core/time.h"
#include "drivers/firewall/firewall.h"
#include "drivers/hypervisor/hypervisor.h"
#include "drivers/network/network.h"
#include "drivers/storage/storage.h"

namespace stellwerk::agent {

// Everything that the drivers see on this host.
struct HostObservation {
  std::vector<hypervisor::ObservedDomain> domains;
  storage::Inventory storage;
  std::vector<network::ObservedPort> ports;
  // What the upkeep that went before the look has brought about.
  firewall::Ruleset guards;    // in force; empty when the firewall failed
  absl::Status guarding;       // why it did
  bool guards_mended = false;  // somebody had changed the rules that were in force
  std::vector<NetworkUid> networks_gone;
};

// What belongs to the host as a whole and to no instance: put right before each look.
struct HostUpkeep {
  std::optional<firewall::Ruleset> guards;  // none: not known yet, nothing is changed
  std::vector<Network> networks_to_remove;
};

// Steps. Each names the one instance that it works on.
struct PrepareFiles {  // boot disk and cloud-init seed
  Instance instance;
  std::vector<Network> networks;
};
struct StartDomain {
  CellUid cell;
  Instance instance;
  std::vector<Network> networks;
  std::vector<int32_t> shared_cpus;
};
// Moves the threads of a domain that runs to where they belong now.
struct PinDomain {
  InstanceUid instance;
  hypervisor::CpuPins pins;
};
// Notes that the guest of this run has run, so that its end is not taken for "never started".
struct MarkStarted {
  InstanceUid instance;
  Generation run;
};
struct ResumeDomain {
  InstanceUid instance;
};
struct RequestShutdown {
  InstanceUid instance;
};
struct RebootDomain {
  InstanceUid instance;
  RebootOrder order;
};
struct DestroyDomain {
  InstanceUid instance;
  bool power_cycle = false;  // another one is started after it
};
struct RemovePort {
  InstanceUid instance;
  std::string interface_name;
};
struct DeleteFiles {
  InstanceUid instance;
};
using Step = std::variant<PrepareFiles, StartDomain, PinDomain, MarkStarted, ResumeDomain,
                          RequestShutdown, RebootDomain, DestroyDomain, RemovePort, DeleteFiles>;
using StepId = uint64_t;

InstanceUid instance_of(const Step& step);
std::string_view name_of(const Step& step);  // "start-domain": in logs and failpoints

struct PlanLimits {
  Duration shutdown_patience = std::chrono::seconds(60);  // then the domain is destroyed
  Duration first_backoff = std::chrono::seconds(1);       // doubles with every failure
  Duration longest_backoff = std::chrono::minutes(5);
  // A guest that ran this long before it crashed starts again without back-off.
  Duration calm_after = std::chrono::minutes(10);
};

// What the agent remembers of one instance in this process; soft.
struct History {
  // Consecutive failures, of steps or of the guest itself, and what the last one said.
  int failures = 0;
  std::string last_error;
  MonotonicTime not_before;  // no step before this time
  // The run (see Instance::run) that failures and ends were seen under; a newer one clears them.
  Generation run;
  std::optional<MonotonicTime> shutdown_asked_at;
  bool shutdown_refused = false;  // the request certainly did not reach the guest
  // The hypervisor and the process table agree that no process of this instance exists.
  bool confirmed_gone = false;
  std::optional<MonotonicTime> running_since;
  std::optional<hypervisor::DomainEnd> end;  // as an event told, or crashed where none did
};

// The outcome for one instance: what to do next, if anything, and what to tell the controller.
struct InstancePlan {
  std::optional<Step> step;
  Observed observed;  // phase, reason, message, generation; `since` is the agent's to fill
  std::optional<FinalEnd> final_end;
  std::optional<MonotonicTime> wake_at;  // when waiting for time, not for an event
};

// The files, domain and ports of one instance.
struct InstanceObservation {
  std::optional<hypervisor::ObservedDomain> domain;
  std::optional<storage::InstanceFiles> files;
  std::vector<std::string> ports;  // interface names
};

struct PlanInput {
  CellUid cell;
  const Instance& desired;
  const std::vector<Network>& networks;
  const InstanceObservation& observed;
  const History& history;
  // Why its ports are not guarded as ordered; empty if they are.
  std::string unguarded;
  const std::vector<int32_t>& shared_cpus;  // as HostOrders has them
  // What still uses threads that are to be this instance's alone; empty: nothing does.
  std::string in_the_way = "";
};

InstancePlan plan(const PlanInput& input, const PlanLimits& limits, MonotonicTime now);

// Every tap of ours begins with it; so may interfaces of others.
inline constexpr const char* kInterfacePrefix = "sw";
// The prefix and the first 12 hexadecimal digits of the uid, and of all ports but the first one
// more for their index: at most 15 characters, as Linux allows. `port` is below 16.
std::string interface_name(const InstanceUid& instance, size_t port);
// Whether it can be the name of any instance's port.
bool is_interface_name(std::string_view name);

}  // namespace stellwerk::agent
