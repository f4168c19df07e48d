// What was booked and where it may run, and what a booking would meet.
#include "api/convert/to_wire.h"
#include "api/convert/wire_parts.h"
#include "core/resource_names.h"

namespace stellwerk::convert {
namespace {

void set_matches(const std::vector<LabelMatch>& matches,
                 google::protobuf::RepeatedPtrField<std::string>* wire) {
  for (const LabelMatch& match : matches) *wire->Add() = to_string(match);
}

void set_wishes(const controller::InstanceView& view, v1::Instance::Wishes* wire) {
  const Wishes& wishes = view.instance.wishes;
  if (!wishes.within.empty()) wire->set_within(place_name(wishes.within));
  if (!view.wished_host_id.empty()) wire->set_host(host_name(view.wished_host_id));
  set_matches(wishes.required_labels, wire->mutable_required_labels());
  set_matches(wishes.forbidden_labels, wire->mutable_forbidden_labels());
  wire->set_cpu_baseline(wishes.cpu_baseline);
  if (!wishes.preferred_site.empty()) wire->set_preferred_site(site_name(wishes.preferred_site));
}

}  // namespace

void set_placing(const controller::InstanceView& view, v1::Instance* wire) {
  const Instance& instance = view.instance;
  if (!view.group_id.empty()) wire->set_group(group_name(view.project_id, view.group_id));
  if (instance.wishes != Wishes()) set_wishes(view, wire->mutable_wishes());
  wire->set_failover_protected(instance.failover);
  if (!instance.failover) return;
  wire->mutable_backup()->set_protected_(instance.backup.has_value());
  if (!view.backup_host_id.empty()) {
    wire->mutable_backup()->set_host(host_name(view.backup_host_id));
  }
}

v1::CreateInstancesResponse to_wire(const controller::InstancesView& view) {
  v1::CreateInstancesResponse response;
  for (const controller::InstanceView& one : view.instances) {
    *response.add_instances() = to_wire(one);
  }
  return response;
}

v1::ExplainPlacementResponse to_wire(const controller::PlacementView& view) {
  const placement::Explanation& told = view.explanation;
  v1::ExplainPlacementResponse response;
  response.set_fits(told.fits);
  response.set_summary(told.summary);
  response.set_smallest_change(told.smallest_change.value_or(""));
  response.set_hosts(told.hosts);
  response.set_feasible(told.feasible);
  for (const placement::RuleCount& refusal : told.refusals) {
    auto* added = response.add_refusals();
    added->set_rule(refusal.rule);
    added->set_hosts(refusal.hosts);
    added->set_words(refusal.words);
  }
  for (const placement::NearHost& near : told.nearest) {
    auto* added = response.add_nearest();
    added->set_host(host_name(near.id));
    if (!near.rack.empty()) added->set_rack(rack_name(near.rack));
    for (const std::string& lack : near.lacks) added->add_lacks(lack);
  }
  for (const std::string& chosen : told.chosen) response.add_chosen(chosen);
  return response;
}

}  // namespace stellwerk::convert
