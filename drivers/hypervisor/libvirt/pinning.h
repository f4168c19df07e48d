// Moving a running domain's threads: libvirt's part, and that of QEMU's own threads, which libvirt
// moves only where it has control groups.
//
// Blocking; runs on DeadlineCalls' threads like the rest of DomainCalls.
#pragma once

#include <string>
#include <vector>

#include "core/status.h"
#include "drivers/hypervisor/hypervisor.h"
#include "drivers/hypervisor/libvirt/handles.h"

namespace stellwerk::hypervisor {

// Pins each vCPU's thread, then QEMU's other ones. What is recorded last is the emulator's pin, so
// that whoever looks after this was cut off sees that there is something left to do.
// PermissionDenied: neither libvirt nor this process could move them.
absl::Status pin_domain(virDomainPtr domain, const CpuPins& pins, const std::vector<int>& processes,
                        const std::string& proc_root);

// Lets those threads of the process that are no vCPU run on `cpus` and nowhere else.
absl::Status confine_emulator(int process, const std::vector<int32_t>& cpus,
                              const std::string& proc_root);

// libvirt's form: bit N of byte N/8 is thread N.
std::vector<unsigned char> to_cpu_map(const std::vector<int32_t>& cpus);
std::vector<int32_t> from_cpu_map(const unsigned char* map, size_t bytes);

}  // namespace stellwerk::hypervisor
