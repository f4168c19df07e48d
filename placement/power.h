// Power: every rack hangs on one or two feeds. Two share its load evenly, and when one of them
// fails the other has all of it. What is drawn must stay within every budget, also after any one
// feed has failed, and within the rack's own limit. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "placement/fleet.h"

namespace stellwerk::placement {

// What the feed delivers in the worst case: after the failure of the one partner that leaves it
// most.
Milliwatts worst_draw(const FeedLoad& feed);

// Changes the draw of the rack and of its feeds; `change` may be negative.
void add_draw(RackLoad& rack, std::vector<FeedLoad>& feeds, Milliwatts change);

// Whether more is drawn than the rack or one of its feeds may carry.
bool is_overloaded(const RackLoad& rack, const std::vector<FeedLoad>& feeds);

// Whether so much more may be drawn. Nothing more always may, also where a budget is exceeded.
bool may_draw(const RackLoad& rack, const std::vector<FeedLoad>& feeds, Milliwatts more);
// The most that may be drawn in addition; nothing for racks without feeds and limit.
std::optional<Milliwatts> power_room(const RackLoad& rack, const std::vector<FeedLoad>& feeds);

// What a guest draws beyond its idle host: the host's idle and peak, in proportion to the hardware
// threads that its vCPUs may keep busy; rounded up.
Milliwatts power_of(const HostLoad& host, CpuClass cpu_class, VcpuCount vcpus,
                    const CpuLimits& limits);

}  // namespace stellwerk::placement
