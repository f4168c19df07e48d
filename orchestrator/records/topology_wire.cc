// Sites, zones, racks, feeds and groups.
#include "orchestrator/records/wire.h"

namespace stellwerk::records {

wire::DomainLevel to_wire(DomainLevel value) {
  switch (value) {
    case DomainLevel::kHost:
      return wire::DOMAIN_LEVEL_HOST;
    case DomainLevel::kRack:
      return wire::DOMAIN_LEVEL_RACK;
    case DomainLevel::kZone:
      return wire::DOMAIN_LEVEL_ZONE;
    case DomainLevel::kSite:
      return wire::DOMAIN_LEVEL_SITE;
  }
  return wire::DOMAIN_LEVEL_UNSPECIFIED;
}

wire::GroupPolicy to_wire(GroupPolicy value) {
  switch (value) {
    case GroupPolicy::kAffinity:
      return wire::GROUP_POLICY_AFFINITY;
    case GroupPolicy::kAntiAffinity:
      return wire::GROUP_POLICY_ANTI_AFFINITY;
  }
  return wire::GROUP_POLICY_UNSPECIFIED;
}

void to_wire(const Site& from, wire::Site& to) {
  to.set_uid(uuid_to_wire(from.uid.value()));
  to.set_id(from.id);
  to.set_created_at(time_to_wire(from.created_at));
  to.set_changed_at(from.changed_at.value());
}

Site from_wire(const wire::Site& from) {
  return {.uid = uid_from_wire<SiteUid>(from.uid()),
          .id = from.id(),
          .created_at = time_from_wire(from.created_at()),
          .changed_at = Sequence(from.changed_at())};
}

void to_wire(const Zone& from, wire::Zone& to) {
  to.set_uid(uuid_to_wire(from.uid.value()));
  to.set_site(uuid_to_wire(from.site.value()));
  to.set_id(from.id);
  to.set_created_at(time_to_wire(from.created_at));
  to.set_changed_at(from.changed_at.value());
}

Zone from_wire(const wire::Zone& from) {
  return {.uid = uid_from_wire<ZoneUid>(from.uid()),
          .site = uid_from_wire<SiteUid>(from.site()),
          .id = from.id(),
          .created_at = time_from_wire(from.created_at()),
          .changed_at = Sequence(from.changed_at())};
}

void to_wire(const Feed& from, wire::Feed& to) {
  to.set_uid(uuid_to_wire(from.uid.value()));
  to.set_site(uuid_to_wire(from.site.value()));
  to.set_id(from.id);
  to.set_budget_milliwatts(from.budget.count());
  to.set_created_at(time_to_wire(from.created_at));
  to.set_changed_at(from.changed_at.value());
}

Feed from_wire(const wire::Feed& from) {
  return {.uid = uid_from_wire<FeedUid>(from.uid()),
          .site = uid_from_wire<SiteUid>(from.site()),
          .id = from.id(),
          .budget = Milliwatts(from.budget_milliwatts()),
          .created_at = time_from_wire(from.created_at()),
          .changed_at = Sequence(from.changed_at())};
}

void to_wire(const Rack& from, wire::Rack& to) {
  to.set_uid(uuid_to_wire(from.uid.value()));
  to.set_zone(uuid_to_wire(from.zone.value()));
  to.set_id(from.id);
  for (const FeedUid& feed : from.feeds) to.add_feeds(uuid_to_wire(feed.value()));
  if (from.power_limit) to.set_power_limit_milliwatts(from.power_limit->count());
  to.set_created_at(time_to_wire(from.created_at));
  to.set_changed_at(from.changed_at.value());
}

Rack from_wire(const wire::Rack& from) {
  Rack to{.uid = uid_from_wire<RackUid>(from.uid()),
          .zone = uid_from_wire<ZoneUid>(from.zone()),
          .id = from.id(),
          .feeds = {},
          .power_limit = {},
          .created_at = time_from_wire(from.created_at()),
          .changed_at = Sequence(from.changed_at())};
  for (const std::string& feed : from.feeds()) to.feeds.push_back(uid_from_wire<FeedUid>(feed));
  if (from.has_power_limit_milliwatts()) to.power_limit = Milliwatts(from.power_limit_milliwatts());
  return to;
}

void to_wire(const Group& from, wire::Group& to) {
  to.set_uid(uuid_to_wire(from.uid.value()));
  to.set_project(uuid_to_wire(from.project.value()));
  to.set_id(from.id);
  for (const GroupRule& rule : from.rules) {
    wire::GroupRule* added = to.add_rules();
    added->set_policy(to_wire(rule.policy));
    added->set_level(to_wire(rule.level));
    added->set_hard(rule.hard);
    added->set_most_per_domain(rule.most_per_domain);
  }
  pairs_to_wire(from.labels, *to.mutable_labels());
  to.set_created_at(time_to_wire(from.created_at));
  to.set_changed_at(from.changed_at.value());
}

Group from_wire(const wire::Group& from) {
  Group to{.uid = uid_from_wire<GroupUid>(from.uid()),
           .project = uid_from_wire<ProjectUid>(from.project()),
           .id = from.id(),
           .rules = {},
           .labels = pairs_from_wire(from.labels()),
           .created_at = time_from_wire(from.created_at()),
           .changed_at = Sequence(from.changed_at())};
  for (const wire::GroupRule& rule : from.rules()) {
    to.rules.push_back({.policy = enum_from_wire<GroupPolicy>(rule.policy()),
                        .level = enum_from_wire<DomainLevel>(rule.level()),
                        .hard = rule.hard(),
                        .most_per_domain = rule.most_per_domain()});
  }
  return to;
}

}  // namespace stellwerk::records
