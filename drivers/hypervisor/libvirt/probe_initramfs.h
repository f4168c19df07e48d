// The smallest initramfs that proves that a kernel reached user space: one static program that
// prints a marker on the console and restarts the machine. Pure.
#pragma once

#include <string>
#include <string_view>

namespace stellwerk::hypervisor {

inline constexpr std::string_view kProbeMarker = "stellwerk: user space reached";

// An x86-64 ELF program that needs no library: it uses three system calls and nothing else.
std::string probe_program();

// A cpio archive ("newc", Documentation/driver-api/early-userspace/buffer-format.rst in Linux)
// with that program as /init and a /dev/console for it to write to.
std::string probe_initramfs();

}  // namespace stellwerk::hypervisor
