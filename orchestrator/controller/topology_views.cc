// What callers are shown of sites, zones, racks, feeds and groups.
#include <algorithm>

#include "orchestrator/controller/views.h"

namespace stellwerk::controller {
namespace {

// How many of an index by path lie within the site or zone.
template <class Index>
int64_t count_within(const Index& index, const std::string& path) {
  const std::string prefix = path + "/";
  int64_t count = 0;
  for (auto at = index.lower_bound(prefix); at != index.end() && at->first.starts_with(prefix);
       ++at) {
    ++count;
  }
  return count;
}

int64_t count_hosts_within(const Ledger& ledger, const std::string& path) {
  const std::string prefix = path + "/";
  const auto& racks = ledger.rack_names();
  int64_t count = 0;
  for (auto at = racks.lower_bound(prefix); at != racks.end() && at->first.starts_with(prefix);
       ++at) {
    count += static_cast<int64_t>(ledger.hosts_in(at->second).size());
  }
  return count;
}

}  // namespace

SiteView view_of(const Site& site, const Ledger& ledger) {
  return {.site = site,
          .zones = count_within(ledger.zone_names(), site.id),
          .racks = count_within(ledger.rack_names(), site.id),
          .hosts = count_hosts_within(ledger, site.id),
          .feeds = count_within(ledger.feed_names(), site.id)};
}

ZoneView view_of(const Zone& zone, const Ledger& ledger) {
  return {.zone = zone,
          .racks = count_within(ledger.rack_names(), zone.id),
          .hosts = count_hosts_within(ledger, zone.id)};
}

FeedView view_of(const Feed& feed, const Ledger& ledger) {
  const auto& racks = ledger.state().racks;
  return {.feed = feed, .racks = std::ranges::count_if(racks, [&feed](const auto& entry) {
                          const auto& feeds = entry.second.feeds;
                          return std::ranges::find(feeds, feed.uid) != feeds.end();
                        })};
}

RackView view_of(const Rack& rack, const Ledger& ledger) {
  RackView view{
      .rack = rack, .feeds = {}, .hosts = static_cast<int64_t>(ledger.hosts_in(rack.uid).size())};
  for (const FeedUid& uid : rack.feeds) {
    // A feed stays as long as a rack has it; it is missing where its record is unreadable.
    const auto feed = ledger.state().feeds.find(uid);
    const bool known = feed != ledger.state().feeds.end();
    view.feeds.push_back(known ? feed->second.id : "?" + uid.to_string());
  }
  return view;
}

GroupView view_of(const Group& group, const Ledger& ledger) {
  return {.group = group,
          .project_id = ledger.project_id(group.project),
          .count = static_cast<int64_t>(ledger.members_of(group.uid).size()),
          .members = {}};
}

std::vector<GroupMember> members_of(const Group& group, const Ledger& ledger) {
  std::vector<GroupMember> members;
  for (const InstanceUid& uid : ledger.members_of(group.uid)) {
    const Instance& instance = ledger.state().instances.at(uid);
    const auto host = ledger.state().hosts.find(instance.claim.host);
    const bool known = host != ledger.state().hosts.end();
    members.push_back({.instance_id = instance.id, .host_id = known ? host->second.id : ""});
  }
  std::ranges::sort(members, {}, &GroupMember::instance_id);
  return members;
}

}  // namespace stellwerk::controller
