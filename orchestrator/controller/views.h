// What callers are shown of the cell: decisions from the ledger, observations from the host book.
// Pure.
#pragma once

#include "orchestrator/controller/host_book.h"
#include "orchestrator/controller/ledger.h"
#include "orchestrator/controller/requests.h"

namespace stellwerk::controller {

InstanceView view_of(const Instance& instance, const Ledger& ledger, const HostBook& book,
                     MonotonicTime now);
// With an observation from the past, for repeated requests.
InstanceView view_of(const Instance& instance, const Ledger& ledger, Observed observed);
SiteView view_of(const Site& site, const Ledger& ledger);
ZoneView view_of(const Zone& zone, const Ledger& ledger);
FeedView view_of(const Feed& feed, const Ledger& ledger);
RackView view_of(const Rack& rack, const Ledger& ledger);
// Without its members.
GroupView view_of(const Group& group, const Ledger& ledger);
std::vector<GroupMember> members_of(const Group& group, const Ledger& ledger);
ProjectView view_of(const Project& project, const Ledger& ledger);
ImageView view_of(const Image& image, const Ledger& ledger, const ImportsProgress& imports = {});
// `project` is the caller's: the cell's own networks appear under it.
NetworkView view_of(const Network& network, std::string project, const Ledger& ledger);
HostView view_of(const Host& host, const Ledger& ledger, const HostBook& book);
// NotFound, for a resource's full name.
absl::Status missing(std::string_view name);

}  // namespace stellwerk::controller
