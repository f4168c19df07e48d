#include "orchestrator/controller/occupancy.h"

#include <utility>

namespace stellwerk::controller {
namespace {

template <class Resources>
auto values_of(const Resources& resources) {
  std::vector<typename Resources::mapped_type> values;
  for (const auto& [uid, resource] : resources) values.push_back(resource);
  return values;
}

placement::Topology topology_of(const CellState& state) {
  return {.sites = values_of(state.sites),
          .zones = values_of(state.zones),
          .feeds = values_of(state.feeds),
          .racks = values_of(state.racks)};
}

}  // namespace

placement::Occupation occupation_of(const Instance& instance) {
  return {.claim = instance.claim, .backup = instance.backup, .group = instance.group};
}

Occupancy::Occupancy(const placement::Settings& settings)
    : settings_(settings),
      engine_(std::make_unique<placement::Engine>(settings, placement::Topology(),
                                                  std::vector<Host>())) {}

void Occupancy::rebuild(const CellState& state) {
  engine_ =
      std::make_unique<placement::Engine>(settings_, topology_of(state), values_of(state.hosts));
  engine_->set_images(images_);
  for (const auto& [host, soft] : soft_) {
    engine_->set_accepting(host, soft.accepting);
    engine_->set_foreign(host, soft.foreign);
    engine_->hold_cpus(host, soft.orphans_cpus);
  }
  for (const auto& [uid, group] : state.groups) put(group);
  for (const auto& [uid, instance] : state.instances) add(instance);
}

void Occupancy::put(const Host& host, bool moved, const CellState& state) {
  if (moved || !engine_->fleet().can_describe(host)) {
    rebuild(state);
  } else {
    engine_->describe(host);
  }
}

void Occupancy::put(const Group& group) {
  engine_->put_group(group.uid, group.rules);
}

void Occupancy::erase(const GroupUid& group) {
  engine_->erase_group(group);
}

void Occupancy::add(const Instance& instance) {
  if (engine_->fleet().find(instance.claim.host)) engine_->charge(occupation_of(instance));
}

void Occupancy::take_out(const Instance& instance) {
  if (engine_->fleet().find(instance.claim.host)) engine_->release(occupation_of(instance));
}

bool Occupancy::set_images(Bytes images) {
  if (std::exchange(images_, images) == images) return false;
  engine_->set_images(images);
  return true;
}

bool Occupancy::set_accepting(const HostUid& host, bool accepting) {
  if (!engine_->fleet().find(host)) return false;
  if (std::exchange(soft_[host].accepting, accepting) == accepting) return false;
  engine_->set_accepting(host, accepting);
  return true;
}

bool Occupancy::set_foreign(const HostUid& host, const ForeignUse& foreign) {
  if (!engine_->fleet().find(host)) return false;
  if (std::exchange(soft_[host].foreign, foreign) == foreign) return false;
  engine_->set_foreign(host, foreign);
  return true;
}

void Occupancy::set_orphans_cpus(const HostUid& host, std::vector<int32_t> cpus) {
  if (!engine_->fleet().find(host)) return;
  Soft& soft = soft_[host];
  engine_->let_go_cpus(host, soft.orphans_cpus);
  engine_->hold_cpus(host, cpus);
  soft.orphans_cpus = std::move(cpus);
}

}  // namespace stellwerk::controller
