// What a host has left. One place for the arithmetic, so that fitting, scoring and explaining
// never disagree. Never negative: an overcommitted host has nothing left.
#pragma once

#include "placement/fleet.h"

namespace stellwerk::placement {

// Host memory without the reserve, guests of others and claims.
Bytes free_memory(const HostLoad& host);
// Local disk without the reserve, images and claims.
Bytes free_disk(const HostLoad& host);

// The most vCPUs of this class that still fit. Dedicated threads and cores (with all their threads)
// are taken out of what shared guests use, and leave them what they need and what is kept for them;
// none fit where the topology is not known, and cores that are broken up do not count. On the rest,
// V and L take fractions of a thread, V also of a core; guests of others count as V. Where they
// alone exceed a limit, nothing more fits.
VcpuCount free_vcpus(const HostLoad& host, CpuClass cpu_class, const CpuLimits& limits);

// Whether a local disk of the type `offered` keeps what `asked` promises. Faster is allowed
// (SCS-0100: NVMe may serve a flavor that names SSD); network storage is offered by no host yet.
bool offers(DiskType offered, DiskType asked);

}  // namespace stellwerk::placement
