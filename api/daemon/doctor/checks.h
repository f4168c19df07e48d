// The checks of `stellwerkd doctor`: what is wrong with this host, and what to type.
//
// Each looks at one thing and changes nothing. What could not be looked at is `kUnknown`, never
// fine. Pure over the Machine.
#pragma once

#include <string>
#include <vector>

#include "api/daemon/config.h"
#include "api/daemon/doctor/machine.h"

namespace stellwerk::daemon::doctor {

enum class Verdict { kOk, kWarning, kUnknown, kFailed };
std::string_view to_string(Verdict verdict);

struct Finding {
  std::string check;  // one word
  Verdict verdict = Verdict::kOk;
  std::string what;
  std::string todo;  // what to type; empty if it is fine
};
using Findings = std::vector<Finding>;
// What only root can look at.
Finding unknown(Finding finding, std::string what);
Finding unknown(Finding finding, const absl::Status& why);

Finding check_kvm(const Config& config, Machine& machine);
Finding check_libvirt(const Config& config, Machine& machine);
Finding check_memory(const Config& config, Machine& machine);
Finding check_clock(const Config& config, Machine& machine);
Finding check_limits(const Config& config, Machine& machine);

Finding check_state(const Config& config, Machine& machine);
Finding check_storage(const Config& config, Machine& machine);
// That QEMU's user can pass to the disks.
Finding check_passage(const Config& config, Machine& machine);
Finding check_space(const Config& config, Machine& machine);

Finding check_bridge(const Config& config, Machine& machine);
Finding check_subnet(const Config& config, Machine& machine);
Finding check_forwarding(const Config& config, Machine& machine);

// That guests' ports can be guarded: without, no guest starts.
Finding check_firewall(const Config& config, Machine& machine);

Finding check_daemon(const Config& config, Machine& machine);
Finding check_operators(const Config& config, Machine& machine);

// All of them, in the order in which to read them.
Findings examine(const Config& config, Machine& machine);

}  // namespace stellwerk::daemon::doctor
