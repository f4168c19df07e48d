// What the driver does to domains, as blocking sequences of libvirt calls.
//
// Every change asks for the domain's owner first, and right before it whether its caller still
// waits: a sequence that was left behind changes nothing more. Runs on DeadlineCalls' threads.
#pragma once

#include <string>
#include <vector>

#include "core/status.h"
#include "drivers/hypervisor/hypervisor.h"
#include "drivers/hypervisor/libvirt/accelerator.h"
#include "drivers/hypervisor/libvirt/connection.h"
#include "drivers/hypervisor/libvirt/deadline_calls.h"

namespace stellwerk::hypervisor {

// What a sequence needs; it owns it, because it may outlive the driver. `abandoned` outlives it.
struct DomainCalls {
  Connection::Handle connection;
  CellUid cell;
  std::string proc_root;
  std::string sys_root;
  const Abandoned* abandoned = nullptr;  // none: the caller waits for ever

  absl::StatusOr<std::vector<ObservedDomain>> list() const;
  absl::Status start(const DomainSpec& spec, Accelerator accelerator) const;
  absl::Status resume(const InstanceUid& instance) const;
  absl::Status request_shutdown(const InstanceUid& instance) const;
  absl::Status reboot(const InstanceUid& instance, const RebootOrder& order) const;
  absl::Status pin(const InstanceUid& instance, const CpuPins& pins) const;
  absl::Status destroy(const InstanceUid& instance, Duration patience) const;
};

}  // namespace stellwerk::hypervisor
