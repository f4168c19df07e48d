#include "orchestrator/agent/agent.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "core/overloaded.h"

namespace stellwerk::agent {
namespace {

using hypervisor::DomainEnd;

constexpr Duration kMinute = std::chrono::minutes(1);

// One instance as this process knows it.
struct Tracked {
  History history;
  Observed reported;
  std::optional<FinalEnd> final_end;
  std::optional<StepId> step;       // under way
  MonotonicTime last_step_finished;
  bool seen_running = false;        // in the last observation
  bool wanted = false;              // desired running
};

bool same_words(const Observed& a, const Observed& b) {
  return a.phase == b.phase && a.reason == b.reason && a.message == b.message &&
         a.generation == b.generation;
}

Duration backoff(int failures, const PlanLimits& limits) {
  Duration delay = limits.first_backoff;
  for (int i = 1; i < failures && delay < limits.longest_backoff; ++i) delay *= 2;
  return std::min(delay, limits.longest_backoff);
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
  void take_step(Tracked& tracked, Step step);
  bool may_destroy();
  void note_unseen_ends();
  void note_end(Tracked& tracked, DomainEnd end);
  void count_failure(Tracked& tracked, std::string error);
  void set_reported(Tracked& tracked, Observed observed);
  void report_unknown(const absl::Status& why);
  void report_if_due();
  void observe_if_due();
  HostStatus status() const;
  void report_domains(HostStatus& status) const;

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

  std::map<InstanceUid, Tracked> tracked_;
  std::map<StepId, Step> under_way_;
  StepId next_step_ = 1;
  std::deque<MonotonicTime> destroys_;

  bool report_wanted_ = false;
  std::optional<MonotonicTime> last_report_;
};

void Agent::Body::receive(const OrdersArrived& arrived) {
  const HostOrders& orders = arrived.orders;
  if (orders.cell != config_.cell || orders.host != config_.host) return;
  if (orders_ && std::pair(orders.epoch, orders.sequence) <
                     std::pair(orders_->epoch, orders_->sequence)) {
    return;
  }
  orders_ = orders;
  std::map<InstanceUid, Tracked> kept;
  for (const Instance& instance : orders_->instances) {
    Tracked& tracked = kept[instance.uid] = std::move(tracked_[instance.uid]);
    tracked.wanted = instance.desired == DesiredState::kRunning;
    if (tracked.history.generation == instance.generation) continue;
    const auto asked = tracked.history.shutdown_asked_at;
    const auto running = tracked.history.running_since;
    tracked.history = History{};
    tracked.history.generation = instance.generation;
    tracked.history.shutdown_asked_at = asked;
    tracked.history.running_since = running;
    tracked.final_end.reset();
  }
  // A step of an instance that is no longer named still ends; its end is then ignored.
  tracked_ = std::move(kept);
  report_wanted_ = true;
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
  note_unseen_ends();
}

// A domain that was there and is gone, without an event and without a step of ours, has crashed as
// far as anybody can tell.
void Agent::Body::note_unseen_ends() {
  const auto seen = sort_observation();
  for (auto& [uid, tracked] : tracked_) {
    const auto found = seen.find(uid);
    const bool present = found != seen.end() && found->second.domain.has_value();
    const bool running =
        present && found->second.domain->state == hypervisor::DomainState::kRunning;
    const auto asked_at = tracked.history.shutdown_asked_at;
    if (!present && tracked.seen_running && !tracked.step && !tracked.history.end && !asked_at &&
        observation_begun_ >= tracked.last_step_finished) {
      note_end(tracked, DomainEnd::kCrashed);
    }
    const bool ignored =
        asked_at && now_.monotonic >= *asked_at + config_.limits.shutdown_patience && tracked.wanted;
    if (!tracked.step && (!present || ignored)) tracked.history.shutdown_asked_at.reset();
    if (running && !tracked.history.running_since) {
      tracked.history.running_since = now_.monotonic;
    }
    if (!present) tracked.history.running_since.reset();
    tracked.seen_running = running;
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
  if (!finished.result.ok()) {
    count_failure(one, fmt::format("{}: {}", name_of(step), message_of(finished.result)));
    return;
  }
  if (std::holds_alternative<DestroyDomain>(step)) {
    one.history.shutdown_asked_at.reset();
    one.seen_running = false;
  } else if (std::holds_alternative<RequestShutdown>(step)) {
    if (!one.history.shutdown_asked_at) one.history.shutdown_asked_at = now_.monotonic;
  } else if (std::holds_alternative<PrepareFiles>(step)) {
    one.history.failures = 0;
  }
}

void Agent::Body::receive(const DomainChanged& changed) {
  observe_wanted_ = true;
  const auto found = tracked_.find(InstanceUid(changed.event.uuid));
  if (found == tracked_.end() || !changed.event.ended) return;
  Tracked& tracked = found->second;
  // What we asked for is not news; nor is the end that a step of ours is bringing about.
  if (tracked.history.shutdown_asked_at) return;
  if (tracked.step && !std::holds_alternative<MarkStarted>(under_way_.at(*tracked.step))) return;
  note_end(tracked, *changed.event.ended);
}

void Agent::Body::note_end(Tracked& tracked, DomainEnd end) {
  if (tracked.history.end) return;
  tracked.history.end = end;
  tracked.seen_running = false;
  if (end == DomainEnd::kShutDownByGuest) return;
  const auto since = tracked.history.running_since;
  if (since && now_.monotonic - *since >= config_.limits.calm_after) tracked.history.failures = 0;
  count_failure(tracked, end == DomainEnd::kCrashed ? "the guest's process ended unexpectedly"
                                                    : "the guest was destroyed by somebody else");
}

void Agent::Body::count_failure(Tracked& tracked, std::string error) {
  ++tracked.history.failures;
  tracked.history.last_error = std::move(error);
  tracked.history.not_before =
      now_.monotonic + backoff(tracked.history.failures, config_.limits);
}

std::map<InstanceUid, InstanceObservation> Agent::Body::sort_observation() const {
  std::map<InstanceUid, InstanceObservation> sorted;
  for (const auto& domain : observation_->domains) {
    sorted[InstanceUid(domain.uuid)].domain = domain;
  }
  for (const auto& files : observation_->storage.instances) sorted[files.instance].files = files;
  for (const auto& [uid, tracked] : tracked_) {
    const std::string name = interface_name(uid);
    for (const auto& port : observation_->ports) {
      if (port.interface_name == name) sorted[uid].ports.push_back(name);
    }
  }
  return sorted;
}

void Agent::Body::plan_all() {
  if (!orders_ || !observation_) return;
  const auto seen = sort_observation();
  static const InstanceObservation kNothing;
  for (const Instance& instance : orders_->instances) {
    const auto found = seen.find(instance.uid);
    plan_one(instance, found == seen.end() ? kNothing : found->second);
  }
}

void Agent::Body::plan_one(const Instance& instance, const InstanceObservation& seen) {
  Tracked& tracked = tracked_.at(instance.uid);
  if (tracked.step) return;
  if (observation_begun_ < tracked.last_step_finished) {
    observe_wanted_ = true;  // what we know is older than what we did
    return;
  }
  InstancePlan plan = agent::plan({.cell = config_.cell,
                                   .desired = instance,
                                   .networks = orders_->networks,
                                   .observed = seen,
                                   .history = tracked.history},
                                  config_.limits, now_.monotonic);
  if (plan.step && std::holds_alternative<DestroyDomain>(*plan.step) && !may_destroy()) {
    plan.observed.reason = "DestroyLimit";
    plan.observed.message = "too many guests were destroyed within a minute; this one waits";
    plan.wake_at = destroys_.front() + kMinute;
    plan.step.reset();
  }
  if (plan.wake_at) wake_at(*plan.wake_at);
  if (plan.final_end != tracked.final_end) report_wanted_ = true;
  tracked.final_end = plan.final_end;
  set_reported(tracked, std::move(plan.observed));
  if (plan.step && under_way_.size() < config_.max_parallel_steps) {
    take_step(tracked, std::move(*plan.step));
  }
}

bool Agent::Body::may_destroy() {
  while (!destroys_.empty() && now_.monotonic - destroys_.front() >= kMinute) {
    destroys_.pop_front();
  }
  return destroys_.size() < config_.max_destroys_per_minute;
}

void Agent::Body::take_step(Tracked& tracked, Step step) {
  if (std::holds_alternative<DestroyDomain>(step)) destroys_.push_back(now_.monotonic);
  if (std::holds_alternative<StartDomain>(step)) tracked.history.end.reset();
  // From here on an end of the domain is our doing, also when the request's answer is lost.
  if (std::holds_alternative<RequestShutdown>(step)) {
    tracked.history.shutdown_asked_at = now_.monotonic;
  }
  const StepId id = next_step_++;
  tracked.step = id;
  under_way_.emplace(id, step);
  result_.outputs.push_back(RunStep{id, std::move(step)});
}

void Agent::Body::set_reported(Tracked& tracked, Observed observed) {
  // A generation once carried out stays so while nothing newer is wanted.
  observed.generation = std::max(observed.generation, tracked.reported.generation);
  observed.since = observed.phase == tracked.reported.phase &&
                           tracked.reported.since != WallTime{}
                       ? tracked.reported.since
                       : now_.wall;
  if (!same_words(observed, tracked.reported)) report_wanted_ = true;
  tracked.reported = std::move(observed);
}

void Agent::Body::report_unknown(const absl::Status& why) {
  for (auto& [uid, tracked] : tracked_) {
    set_reported(tracked, {.phase = Phase::kUnknown,
                           .reason = "HostCannotSee",
                           .message = fmt::format("the host cannot see its guests: {}",
                                                  message_of(why))});
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

HostStatus Agent::Body::status() const {
  HostStatus status{.host = config_.host, .epoch = orders_->epoch, .sequence = orders_->sequence};
  for (const auto& [uid, tracked] : tracked_) {
    status.instances.push_back({uid, tracked.reported, tracked.final_end});
  }
  if (observation_) report_domains(status);
  return status;
}

void Agent::Body::report_domains(HostStatus& status) const {
  for (const auto& domain : observation_->domains) {
    if (domain.owner && domain.owner->cell == config_.cell) {
      if (tracked_.contains(InstanceUid(domain.uuid))) continue;
      status.orphans.push_back({.uuid = domain.uuid,
                                .name = domain.name,
                                .project_id = domain.owner->project_id,
                                .instance_id = domain.owner->instance_id});
    } else {
      ++status.foreign.domains;
      status.foreign.vcpus += domain.vcpus;
      status.foreign.memory += domain.memory;
    }
  }
  status.disk_available = observation_->storage.available;
}

void Agent::Body::observe_if_due() {
  if (observing_) return;
  const bool due = !last_observed_ || now_.monotonic - *last_observed_ >= config_.observe_every;
  if (observe_wanted_ || due) {
    result_.outputs.push_back(Observe{});
    observing_ = true;
    observe_wanted_ = false;
  } else {
    wake_at(*last_observed_ + config_.observe_every);
  }
}

StepResult Agent::Body::finish() {
  plan_all();
  report_if_due();
  observe_if_due();
  return std::exchange(result_, {});
}

Agent::Agent(AgentConfig config) : body_(std::make_unique<Body>(std::move(config))) {}
Agent::~Agent() = default;
StepResult Agent::start(Now now) { return body_->start(now); }
StepResult Agent::step(std::span<const Input> inputs, Now now) { return body_->step(inputs, now); }

}  // namespace stellwerk::agent
