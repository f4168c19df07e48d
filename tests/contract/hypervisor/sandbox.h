// Namespaces of a test's own: processes, mounts, network, host name, IPC. What libvirt writes under
// /run, /var and /etc/libvirt lies in file systems in memory that are gone with the last process,
// and so is every process: the kernel ends them with the first one, which dies with us.
#pragma once

namespace stellwerk::hypervisor {

// Where a test's own files go; the same file system that everything else in the sandbox is on.
inline constexpr char kSandboxFiles[] = "/run/stellwerk-test";

// Returns inside the sandbox, in a child of the calling process; the caller itself waits for that
// child and exits with its code. Needs root and a process without threads.
void enter_sandbox();

}  // namespace stellwerk::hypervisor
