// What a host has left, computed in one place, so that fitting, scoring and explaining never
// disagree. Pure.
#pragma once

#include "placement/fleet.h"

namespace stellwerk::placement {

// Beside what claims take and what is kept for failures. Overwrites `room`, whose memory is used
// again.
void compute_room(const HostLoad& host, const CpuLimits& limits, Room& room);
// The same where nothing has changed but what is taken and kept of the host as a whole: neither
// what is bound to nodes, nor threads that claims name, nor huge pages.
void compute_room_of_whole(const HostLoad& host, const CpuLimits& limits, Room& room);
// Of a host without claims, for `HostLoad::all_vcpus` and `all_memory`.
void compute_all(HostLoad& host, const CpuLimits& limits);
// As if nothing were kept for failures.
Room room_without_backups(const HostLoad& host, const CpuLimits& limits);

// Whether all of it is there.
bool has_room(const Room& room, const Amounts& amounts);
bool has_room(const NodeRoom& room, const NodeAmounts& amounts);

// Whether claims and what is kept for failures are more than there is: a host may lose memory, or
// guests of others may come.
bool is_overcommitted(const HostLoad& host, const CpuLimits& limits);

// Whether the dedicated threads and cores that are kept for failures can still be pinned beside
// everything else, also beside guests that are bound to nodes.
bool keeps_pins(const HostLoad& host, const CpuLimits& limits);

// Host memory in normal pages, without the reserve, guests of others and claims.
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
