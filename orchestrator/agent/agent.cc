#include "orchestrator/agent/agent.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "core/cpu_list.h"
#include "orchestrator/agent/adoption.h"
#include "orchestrator/agent/guards.h"
#include "orchestrator/agent/pins.h"
#include "orchestrator/agent/tracked.h"

namespace stellwerk::agent {
namespace {

constexpr Duration kMinute = std::chrono::minutes(1);
const InstanceObservation kNothing;

std::vector<int32_t> sorted(std::vector<int32_t> cpus) {
  std::ranges::sort(cpus);
  return cpus;
}

OrphanReport orphan_report(const hypervisor::ObservedDomain& domain) {
  OrphanReport report{.uuid = domain.uuid,
                      .name = domain.name,
                      .project_id = domain.owner->project_id,
                      .instance_id = domain.owner->instance_id};
  if (auto instance = adopted(*domain.owner)) {
    report.ports = std::move(instance->ports);
    report.cpus = std::move(instance->claim.cpus);
  }
  return report;
}

}  // namespace

class Agent::Body {
 public:
  explicit Body(AgentConfig config) : config_(std::move(config)) {}

  StepResult start(Now now) {
    now_ = now;
    observe_wanted_ = true;
    return finish();
  }

  StepResult step(std::span<const Input> inputs, Now now) {
    now_ = now;
    for (const Input& input : inputs) {
      std::visit([this](const auto& value) { receive(value); }, input);
    }
    return finish();
  }

 private:
  // Inputs.
  void receive(const OrdersArrived& arrived);
  void receive(const ObservationFinished& finished);
  void receive(const StepFinished& finished);
  void receive(const DomainChanged& changed);
  void receive(const TimePassed&) {}

  // Consequences of what was received.
  StepResult finish();
  void plan_all();
  void plan_one(const Instance& instance, const InstanceObservation& seen);
  std::string in_the_way(const Instance& dedicated) const;
  bool uses(const Instance& other, const std::vector<int32_t>& cpus) const;
  void take_step(Tracked& tracked, Step step);
  bool may_destroy();
  void note_ends();
  void report_unknown(const absl::Status& why);
  void report_if_due();
  void observe_if_due();
  HostUpkeep upkeep() const;
  bool guards_are_due() const;
  firewall::Ruleset wanted_guards() const;
  std::vector<Instance> orphans() const;
  std::string unguarded(const Instance& instance) const;
  HostStatus status() const;
  void note_domains();

  std::map<InstanceUid, InstanceObservation> sort_observation() const;
  void wake_at(MonotonicTime time) {
    if (!result_.wake_at || time < *result_.wake_at) result_.wake_at = time;
  }

  const AgentConfig config_;
  Now now_;
  StepResult result_;

  std::optional<HostOrders> orders_;
  std::optional<HostObservation> observation_;
  MonotonicTime observation_begun_;
  bool observing_ = false;
  bool observe_wanted_ = false;
  std::optional<MonotonicTime> last_observed_;
  std::optional<absl::Status> blind_;  // why the last observation failed
  HostStatus last_seen_;  // domains that are not the orders', and the disk; nothing else of it

  std::map<InstanceUid, Tracked> tracked_;
  std::map<StepId, Step> under_way_;
  StepId next_step_ = 1;
  InstanceUid last_served_;
  std::deque<MonotonicTime> destroys_;

  bool report_wanted_ = false;
  std::optional<MonotonicTime> last_report_;
};

void Agent::Body::receive(const OrdersArrived& arrived) {
  const HostOrders& orders = arrived.orders;
  if (orders.cell != config_.cell || orders.host != config_.host) return;
  if (orders_ &&
      std::pair(orders.epoch, orders.sequence) < std::pair(orders_->epoch, orders_->sequence)) {
    return;
  }
  orders_ = orders;
  std::map<InstanceUid, Tracked> kept;
  for (const Instance& instance : orders_->instances) {
    Tracked& tracked = kept[instance.uid] = std::move(tracked_[instance.uid]);
    tracked.wanted = instance.desired == DesiredState::kRunning;
    if (tracked.history.run == instance.run) continue;
    tracked.begin_run(instance.run, config_.limits, now_.monotonic);
  }
  // A step of an instance that is no longer named still ends; its end is then ignored.
  tracked_ = std::move(kept);
  report_wanted_ = true;
  if (!observation_ || guards_are_due() || !upkeep().networks_to_remove.empty()) {
    observe_wanted_ = true;
  }
}

void Agent::Body::receive(const ObservationFinished& finished) {
  observing_ = false;
  last_observed_ = now_.monotonic;
  if (!finished.result.ok()) {
    blind_ = finished.result.status();
    observation_.reset();
    report_unknown(*blind_);
    return;
  }
  blind_.reset();
  observation_ = *finished.result;
  observation_begun_ = finished.begun;
  note_ends();
  // The look told what the firewall needs, or newer orders came meanwhile. A firewall that failed
  // is asked again with the next look.
  if (observation_->guarding.ok() && guards_are_due()) observe_wanted_ = true;
}

// A domain that was there and is gone, without a step of ours, has ended as an event told or else
// has crashed as far as anybody can tell.
void Agent::Body::note_ends() {
  const auto seen = sort_observation();
  for (auto& [uid, tracked] : tracked_) {
    // What was seen while a step was at work may be from before or after it.
    if (tracked.step || observation_begun_ < tracked.last_step_finished) continue;
    const auto found = seen.find(uid);
    tracked.note_seen(found == seen.end() ? kNothing : found->second, observation_begun_,
                      config_.limits, now_.monotonic);
  }
}

void Agent::Body::receive(const StepFinished& finished) {
  const auto found = under_way_.find(finished.step);
  if (found == under_way_.end()) return;
  const Step step = std::move(found->second);
  under_way_.erase(found);
  observe_wanted_ = true;
  const auto tracked = tracked_.find(instance_of(step));
  if (tracked == tracked_.end()) return;
  Tracked& one = tracked->second;
  if (one.step != finished.step) return;
  one.step.reset();
  one.last_step_finished = now_.monotonic;
  if (finished.result.ok()) {
    one.note_success(step, config_.limits, now_.monotonic);
  } else {
    one.note_failure(step, finished.result, config_.limits, now_.monotonic);
  }
}

void Agent::Body::receive(const DomainChanged& changed) {
  observe_wanted_ = true;
  const auto found = tracked_.find(InstanceUid(changed.event.uuid));
  if (found == tracked_.end() || !changed.event.ended) return;
  Tracked& tracked = found->second;
  const Step* under_way = tracked.step ? &under_way_.at(*tracked.step) : nullptr;
  tracked.note_told_end(*changed.event.ended, under_way, now_.monotonic);
}

std::map<InstanceUid, InstanceObservation> Agent::Body::sort_observation() const {
  std::map<InstanceUid, InstanceObservation> sorted;
  for (const auto& domain : observation_->domains) {
    sorted[InstanceUid(domain.uuid)].domain = domain;
  }
  for (const auto& files : observation_->storage.instances) sorted[files.instance].files = files;
  for (const auto& [uid, tracked] : tracked_) {
    // Every port's name begins with the first one's.
    const std::string prefix = interface_name(uid, 0);
    for (const auto& port : observation_->ports) {
      if (port.interface_name.starts_with(prefix)) {
        sorted[uid].ports.push_back(port.interface_name);
      }
    }
  }
  return sorted;
}

void Agent::Body::plan_all() {
  if (!orders_ || !observation_) return;
  const auto seen = sort_observation();
  // Beginning after the one that got a step last, so that none waits for ever.
  const auto& instances = orders_->instances;
  const auto first = std::upper_bound(
      instances.begin(), instances.end(), last_served_,
      [](const InstanceUid& uid, const Instance& instance) { return uid < instance.uid; });
  const auto plan_range = [&](auto begin, auto end) {
    for (; begin != end; ++begin) {
      const auto found = seen.find(begin->uid);
      plan_one(*begin, found == seen.end() ? kNothing : found->second);
    }
  };
  plan_range(first, instances.end());
  plan_range(instances.begin(), first);
}

void Agent::Body::plan_one(const Instance& instance, const InstanceObservation& seen) {
  Tracked& tracked = tracked_.at(instance.uid);
  if (tracked.step) return;
  if (observation_begun_ < tracked.last_step_finished) {
    observe_wanted_ = true;  // what we know is older than what we did
    return;
  }
  tracked.recall_shutdown(instance, seen, now_.monotonic);
  InstancePlan plan = agent::plan({.cell = config_.cell,
                                   .desired = instance,
                                   .networks = orders_->networks,
                                   .observed = seen,
                                   .history = tracked.history,
                                   .unguarded = unguarded(instance),
                                   .shared_cpus = orders_->shared_cpus,
                                   .in_the_way = seen.domain ? "" : in_the_way(instance)},
                                  config_.limits, now_.monotonic);
  tracked.present = seen.domain.has_value();
  tracked.has_disk = seen.files && seen.files->has_disk;
  const bool destroys =
      plan.step && std::holds_alternative<DestroyDomain>(*plan.step) && tracked.present;
  if (destroys && !may_destroy()) {
    plan.observed.reason = "DestroyLimit";
    plan.observed.message = "too many guests were destroyed within a minute; this one waits";
    plan.wake_at = destroys_.front() + kMinute;
    plan.step.reset();
  }
  if (plan.wake_at) wake_at(*plan.wake_at);
  if (plan.final_end != tracked.final_end) report_wanted_ = true;
  tracked.final_end = plan.final_end;
  if (tracked.set_reported(std::move(plan.observed), now_.wall)) report_wanted_ = true;
  if (plan.step && under_way_.size() < config_.max_parallel_steps) {
    last_served_ = instance.uid;
    take_step(tracked, std::move(*plan.step));
  }
}

// Guests that were started before these threads became somebody's own are moved first. Only those
// that the orders name: nothing else on this host is ours to move.
std::string Agent::Body::in_the_way(const Instance& dedicated) const {
  const std::vector<int32_t>& cpus = dedicated.claim.cpus;
  if (cpus.empty()) return "";
  for (const Instance& other : orders_->instances) {
    if (other.uid == dedicated.uid || !uses(other, cpus)) continue;
    // Whose it is may be none of this one's project's business.
    return fmt::format("another guest is still to be moved off the processors {}",
                       cpu_list_text(sorted(cpus)));
  }
  return "";
}

// What is being started or moved is taken for where it will be, unless the step has just ended
// and nobody has looked since.
bool Agent::Body::uses(const Instance& other, const std::vector<int32_t>& cpus) const {
  const Tracked& tracked = tracked_.at(other.uid);
  if (tracked.step) {
    const Step& step = under_way_.at(*tracked.step);
    if (const auto* start = std::get_if<StartDomain>(&step)) {
      const auto pins = wanted_pins(start->instance, start->shared_cpus);
      if (!pins || touches(*pins, cpus)) return true;
    }
  } else if (observation_begun_ < tracked.last_step_finished) {
    return true;
  }
  const auto seen = std::ranges::find(observation_->domains, other.uid.value(),
                                      &hypervisor::ObservedDomain::uuid);
  return seen != observation_->domains.end() && seen->owner && seen->pins &&
         touches(*seen->pins, cpus);
}

bool Agent::Body::may_destroy() {
  while (!destroys_.empty() && now_.monotonic - destroys_.front() >= kMinute) {
    destroys_.pop_front();
  }
  return destroys_.size() < config_.max_destroys_per_minute;
}

void Agent::Body::take_step(Tracked& tracked, Step step) {
  if (std::holds_alternative<DestroyDomain>(step) && tracked.present) {
    destroys_.push_back(now_.monotonic);
  }
  const StepId id = next_step_++;
  tracked.note_taken(id, step, now_.monotonic);
  under_way_.emplace(id, step);
  result_.outputs.push_back(RunStep{id, std::move(step)});
}

void Agent::Body::report_unknown(const absl::Status& why) {
  for (auto& [uid, tracked] : tracked_) {
    Observed unknown{.phase = Phase::kUnknown,
                     .reason = "HostCannotSee",
                     .message = fmt::format("the host cannot see its guests: {}", message_of(why))};
    if (tracked.set_reported(std::move(unknown), now_.wall)) report_wanted_ = true;
  }
}

void Agent::Body::report_if_due() {
  if (!orders_) return;
  // Until the first observation there is nothing true to say.
  if (!observation_ && !blind_) return;
  const bool due = !last_report_ || now_.monotonic - *last_report_ >= config_.report_every;
  if (report_wanted_ || due) {
    result_.outputs.push_back(SendStatus{status()});
    report_wanted_ = false;
    last_report_ = now_.monotonic;
  }
  wake_at(*last_report_ + config_.report_every);
}

HostUpkeep Agent::Body::upkeep() const {
  HostUpkeep upkeep;
  if (!orders_) return upkeep;
  // Guests that no order names are known from a look alone: without one, nothing is taken from
  // them.
  if (observation_) upkeep.guards = wanted_guards();
  for (const Network& network : orders_->networks) {
    if (network.state != NetworkState::kDeleting || !network.make_bridge) continue;
    upkeep.networks_to_remove.push_back(network);
  }
  return upkeep;
}

bool Agent::Body::guards_are_due() const {
  return orders_ && observation_->guards != wanted_guards();
}

firewall::Ruleset Agent::Body::wanted_guards() const {
  return guards_of(*orders_, orphans(), observation_->ports);
}

// As their domains remember them.
std::vector<Instance> Agent::Body::orphans() const {
  std::vector<Instance> orphans;
  for (const auto& domain : observation_->domains) {
    const bool ours = domain.owner && domain.owner->cell == config_.cell;
    if (!ours || tracked_.contains(InstanceUid(domain.uuid))) continue;
    if (auto instance = adopted(*domain.owner)) orphans.push_back(*std::move(instance));
  }
  std::ranges::sort(orphans, {}, &Instance::uid);  // whatever order libvirt lists them in
  return orphans;
}

std::string Agent::Body::unguarded(const Instance& instance) const {
  if (is_guarded(instance, orders_->networks, observation_->guards)) return "";
  if (observation_->guarding.ok()) return "its ports are about to be guarded";
  return std::string(message_of(observation_->guarding));
}

HostStatus Agent::Body::status() const {
  HostStatus status{.host = config_.host, .epoch = orders_->epoch, .sequence = orders_->sequence};
  for (const auto& [uid, tracked] : tracked_) {
    status.instances.push_back({uid, tracked.reported, tracked.final_end, tracked.has_disk});
  }
  // While blind, what was seen last is nearer to the truth than nothing.
  status.orphans = last_seen_.orphans;
  status.foreign = last_seen_.foreign;
  status.disk_available = last_seen_.disk_available;
  status.networks_gone = last_seen_.networks_gone;
  return status;
}

void Agent::Body::note_domains() {
  HostStatus status;
  for (const auto& domain : observation_->domains) {
    if (domain.owner && domain.owner->cell == config_.cell) {
      if (tracked_.contains(InstanceUid(domain.uuid))) continue;
      status.orphans.push_back(orphan_report(domain));
    } else {
      ++status.foreign.domains;
    }
    // No claim stands for it, so what it takes counts here, whoever's it is.
    status.foreign.vcpus += domain.vcpus;
    status.foreign.memory += domain.memory;
  }
  status.disk_available = observation_->storage.available;
  status.networks_gone = observation_->networks_gone;
  if (status.networks_gone != last_seen_.networks_gone) report_wanted_ = true;
  last_seen_ = std::move(status);
}

void Agent::Body::observe_if_due() {
  if (observing_) return;
  const bool due = !last_observed_ || now_.monotonic - *last_observed_ >= config_.observe_every;
  if (observe_wanted_ || due) {
    result_.outputs.push_back(Observe{upkeep()});
    observing_ = true;
    observe_wanted_ = false;
  } else {
    wake_at(*last_observed_ + config_.observe_every);
  }
}

StepResult Agent::Body::finish() {
  plan_all();
  if (orders_ && observation_) note_domains();
  report_if_due();
  observe_if_due();
  return std::exchange(result_, {});
}

Agent::Agent(AgentConfig config) : body_(std::make_unique<Body>(std::move(config))) {}
Agent::~Agent() = default;
StepResult Agent::start(Now now) {
  return body_->start(now);
}
StepResult Agent::step(std::span<const Input> inputs, Now now) {
  return body_->step(inputs, now);
}

}  // namespace stellwerk::agent
