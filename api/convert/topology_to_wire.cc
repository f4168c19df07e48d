// Sites, zones, racks, feeds and groups.
#include "api/convert/to_wire.h"
#include "api/convert/wire_parts.h"
#include "core/resource_names.h"

namespace stellwerk::convert {
namespace {

int64_t watts_of(Milliwatts power) {
  return power.count() / watts(1).count();
}

template <class Wire, class Resource>
Wire wire_of(std::string name, const Resource& resource) {
  Wire wire;
  wire.set_name(std::move(name));
  wire.set_uid(resource.uid.to_string());
  wire.set_etag(etag_of(resource.changed_at));
  set_time(resource.created_at, wire.mutable_create_time());
  return wire;
}

template <class Response, class View, class Item>
Response page_of(const controller::Page<View>& page, Item* (Response::*add)()) {
  Response response;
  for (const View& view : page.items) *(response.*add)() = to_wire(view);
  response.set_next_page_token(page.next_token);
  return response;
}

v1::Group::Policy wire_of(GroupPolicy policy) {
  switch (policy) {
    case GroupPolicy::kAffinity:
      return v1::Group::AFFINITY;
    case GroupPolicy::kAntiAffinity:
      return v1::Group::ANTI_AFFINITY;
  }
  return v1::Group::POLICY_UNSPECIFIED;
}

v1::Group::Level wire_of(DomainLevel level) {
  switch (level) {
    case DomainLevel::kHost:
      return v1::Group::HOST;
    case DomainLevel::kRack:
      return v1::Group::RACK;
    case DomainLevel::kZone:
      return v1::Group::ZONE;
    case DomainLevel::kSite:
      return v1::Group::SITE;
  }
  return v1::Group::LEVEL_UNSPECIFIED;
}

}  // namespace

v1::Site to_wire(const controller::SiteView& view) {
  auto wire = wire_of<v1::Site>(site_name(view.site.id), view.site);
  wire.set_zone_count(view.zones);
  wire.set_rack_count(view.racks);
  wire.set_host_count(view.hosts);
  wire.set_feed_count(view.feeds);
  return wire;
}

v1::Zone to_wire(const controller::ZoneView& view) {
  auto wire = wire_of<v1::Zone>(zone_name(view.zone.id), view.zone);
  wire.set_rack_count(view.racks);
  wire.set_host_count(view.hosts);
  return wire;
}

v1::Feed to_wire(const controller::FeedView& view) {
  auto wire = wire_of<v1::Feed>(feed_name(view.feed.id), view.feed);
  wire.set_budget_watts(watts_of(view.feed.budget));
  wire.set_rack_count(view.racks);
  return wire;
}

v1::Rack to_wire(const controller::RackView& view) {
  auto wire = wire_of<v1::Rack>(rack_name(view.rack.id), view.rack);
  for (const std::string& feed : view.feeds) wire.add_feeds(feed_name(feed));
  if (view.rack.power_limit) wire.set_power_limit_watts(watts_of(*view.rack.power_limit));
  wire.set_host_count(view.hosts);
  return wire;
}

v1::Group to_wire(const controller::GroupView& view) {
  auto wire = wire_of<v1::Group>(group_name(view.project_id, view.group.id), view.group);
  for (const GroupRule& rule : view.group.rules) {
    v1::Group::Rule* added = wire.add_rules();
    added->set_policy(wire_of(rule.policy));
    added->set_level(wire_of(rule.level));
    added->set_soft(!rule.hard);
    if (rule.policy == GroupPolicy::kAntiAffinity) {
      added->set_most_per_domain(rule.most_per_domain);
    }
  }
  set_map(view.group.labels, wire.mutable_labels());
  wire.set_member_count(view.count);
  for (const controller::GroupMember& member : view.members) {
    v1::Group::Member* added = wire.add_members();
    added->set_instance(instance_name(view.project_id, member.instance_id));
    if (!member.host_id.empty()) added->set_host(host_name(member.host_id));
  }
  return wire;
}

v1::ListSitesResponse to_wire(const controller::Page<controller::SiteView>& page) {
  return page_of(page, &v1::ListSitesResponse::add_sites);
}

v1::ListZonesResponse to_wire(const controller::Page<controller::ZoneView>& page) {
  return page_of(page, &v1::ListZonesResponse::add_zones);
}

v1::ListFeedsResponse to_wire(const controller::Page<controller::FeedView>& page) {
  return page_of(page, &v1::ListFeedsResponse::add_feeds);
}

v1::ListRacksResponse to_wire(const controller::Page<controller::RackView>& page) {
  return page_of(page, &v1::ListRacksResponse::add_racks);
}

v1::ListGroupsResponse to_wire(const controller::Page<controller::GroupView>& page) {
  return page_of(page, &v1::ListGroupsResponse::add_groups);
}

}  // namespace stellwerk::convert
