#include "orchestrator/agent/agent.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "core/overloaded.h"
#include "core/validate.h"

namespace stellwerk::agent {
namespace {

using hypervisor::DomainEnd;

constexpr Duration kMinute = std::chrono::minutes(1);
// A slow guest may follow a request to shut down long after patience has ended.
constexpr int kLateShutdown = 10;
constexpr size_t kLongestMessage = 500;

// One instance as this process knows it.
struct Tracked {
  History history;
  Observed reported;
  std::optional<FinalEnd> final_end;
  std::optional<StepId> step;  // under way
  MonotonicTime last_step_finished;
  // What an event said of the domain's end, until an observation tells whether it is gone.
  std::optional<hypervisor::DomainEnd> told_end;
  MonotonicTime told_end_at;
  bool seen_running = false;     // in the last observation
  bool present = false;          // its domain, when it was last planned for
  bool recalled = false;         // what an earlier process may have asked of the guest
  bool wanted = false;           // desired running
  bool paused_on_error = false;  // in the last observation
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
  void begin_generation(Tracked& tracked, const Instance& instance);

  // Consequences of what was received.
  StepResult finish();
  void plan_all();
  void plan_one(const Instance& instance, const InstanceObservation& seen);
  void recall_shutdown(Tracked& tracked, const Instance& instance, const InstanceObservation& seen);
  void take_step(Tracked& tracked, Step step);
  bool may_destroy();
  void note_asked(Tracked& tracked);
  void note_success(Tracked& tracked, const Step& step);
  void note_failure(Tracked& tracked, const Step& step, const absl::Status& why);
  void note_ends();
  void note_end(Tracked& tracked, DomainEnd end);
  void count_failure(Tracked& tracked, std::string error);
  void set_reported(Tracked& tracked, Observed observed);
  void report_unknown(const absl::Status& why);
  void report_if_due();
  void observe_if_due();
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
    if (tracked.history.generation == instance.generation) continue;
    begin_generation(tracked, instance);
  }
  // A step of an instance that is no longer named still ends; its end is then ignored.
  tracked_ = std::move(kept);
  report_wanted_ = true;
}

void Agent::Body::begin_generation(Tracked& tracked, const Instance& instance) {
  History fresh;
  fresh.generation = instance.generation;
  fresh.running_since = tracked.history.running_since;
  // A guest that was asked to stop may still do so; one that has ignored it is asked again.
  const auto asked_at = tracked.history.shutdown_asked_at;
  const bool ignored = asked_at && now_.monotonic >= *asked_at + config_.limits.shutdown_patience;
  if (tracked.wanted || !ignored) fresh.shutdown_asked_at = asked_at;
  tracked.history = std::move(fresh);
  tracked.final_end.reset();
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
}

// A domain that was there and is gone, without a step of ours, has ended as an event told or else
// has crashed as far as anybody can tell.
void Agent::Body::note_ends() {
  const auto seen = sort_observation();
  for (auto& [uid, tracked] : tracked_) {
    // What was seen while a step was at work may be from before or after it.
    if (tracked.step || observation_begun_ < tracked.last_step_finished) continue;
    const auto found = seen.find(uid);
    const bool present = found != seen.end() && found->second.domain.has_value();
    const bool running =
        present && found->second.domain->state == hypervisor::DomainState::kRunning;
    const auto asked_at = tracked.history.shutdown_asked_at;
    // An earlier process may have asked for this end, unless the guest was started under these
    // very orders.
    const bool started = found != seen.end() && found->second.files &&
                         found->second.files->started == tracked.history.generation;
    if (!tracked.recalled && !started) tracked.told_end.reset();
    if (!present && !asked_at && (tracked.seen_running || tracked.told_end)) {
      note_end(tracked, tracked.told_end.value_or(DomainEnd::kCrashed));
    }
    if (!present || observation_begun_ >= tracked.told_end_at) tracked.told_end.reset();
    const bool ignored =
        asked_at && present && tracked.wanted &&
        now_.monotonic >= *asked_at + kLateShutdown * config_.limits.shutdown_patience;
    if (ignored) tracked.history.shutdown_asked_at.reset();
    if (present) tracked.history.confirmed_gone = false;
    tracked.paused_on_error =
        present && found->second.domain->state == hypervisor::DomainState::kPausedOnError;
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
  if (finished.result.ok()) {
    note_success(one, step);
  } else {
    note_failure(one, step, finished.result);
  }
}

void Agent::Body::note_success(Tracked& tracked, const Step& step) {
  if (std::holds_alternative<DestroyDomain>(step)) {
    tracked.history.confirmed_gone = true;
    tracked.seen_running = false;
  } else if (std::holds_alternative<PrepareFiles>(step)) {
    tracked.history.failures = 0;
  } else if (std::holds_alternative<ResumeDomain>(step) && tracked.paused_on_error) {
    // It may pause again at once: each attempt waits longer than the one before.
    count_failure(tracked, "its disk is full or fails");
  }
}

void Agent::Body::note_failure(Tracked& tracked, const Step& step, const absl::Status& why) {
  const bool outcome_known = !absl::IsDeadlineExceeded(why) && !absl::IsUnknown(why);
  if (std::holds_alternative<RequestShutdown>(step) && outcome_known) {
    tracked.history.shutdown_refused = true;
  }
  count_failure(tracked, fmt::format("{}: {}", name_of(step), message_of(why)));
}

void Agent::Body::receive(const DomainChanged& changed) {
  observe_wanted_ = true;
  const auto found = tracked_.find(InstanceUid(changed.event.uuid));
  if (found == tracked_.end() || !changed.event.ended) return;
  Tracked& tracked = found->second;
  // What we asked for is not news; nor is the end that a step of ours is bringing about.
  if (tracked.history.shutdown_asked_at) return;
  if (tracked.step) {
    const Step& step = under_way_.at(*tracked.step);
    if (std::holds_alternative<DestroyDomain>(step) || std::holds_alternative<StartDomain>(step)) {
      return;
    }
  }
  tracked.told_end = *changed.event.ended;
  tracked.told_end_at = now_.monotonic;
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
  tracked.history.not_before = now_.monotonic + backoff(tracked.history.failures, config_.limits);
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
  static const InstanceObservation kNothing;
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
  recall_shutdown(tracked, instance, seen);
  InstancePlan plan = agent::plan({.cell = config_.cell,
                                   .desired = instance,
                                   .networks = orders_->networks,
                                   .observed = seen,
                                   .history = tracked.history},
                                  config_.limits, now_.monotonic);
  tracked.present = seen.domain.has_value();
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
  set_reported(tracked, std::move(plan.observed));
  if (plan.step && under_way_.size() < config_.max_parallel_steps) {
    last_served_ = instance.uid;
    take_step(tracked, std::move(*plan.step));
  }
}

// What this process finds running, under a generation that reboots do not explain, was stopped and
// wanted again while an earlier process looked: the guest may have been asked to shut down, and its
// end would not be its own wish.
void Agent::Body::recall_shutdown(Tracked& tracked, const Instance& instance,
                                  const InstanceObservation& seen) {
  if (instance.desired != DesiredState::kRunning || std::exchange(tracked.recalled, true)) return;
  if (!seen.domain || !seen.domain->owner) return;
  const auto& owner = *seen.domain->owner;
  Generation known = owner.generation;
  if (seen.files && seen.files->started) known = std::max(known, *seen.files->started);
  const uint64_t ordered = instance.reboot.count;
  const uint64_t reboots = ordered - std::min(ordered, owner.reboot_count);
  if (instance.generation.value() > known.value() + reboots) {
    note_asked(tracked);
  }
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
    // It may take effect long after its deadline, when the guest is wanted again.
    if (!tracked.wanted) note_asked(tracked);
  }
  if (std::holds_alternative<StartDomain>(step)) {
    tracked.history.end.reset();
    tracked.history.confirmed_gone = false;
    tracked.history.shutdown_asked_at.reset();
    tracked.told_end.reset();
  }
  if (std::holds_alternative<RequestShutdown>(step)) {
    note_asked(tracked);
    tracked.history.shutdown_refused = false;
  }
  const StepId id = next_step_++;
  tracked.step = id;
  under_way_.emplace(id, step);
  result_.outputs.push_back(RunStep{id, std::move(step)});
}

// From here on, until it is started again, an end of the domain is our doing: also when the answer
// of the step is lost, and when the event arrives after the domain was seen to be gone.
void Agent::Body::note_asked(Tracked& tracked) {
  if (!tracked.history.shutdown_asked_at) tracked.history.shutdown_asked_at = now_.monotonic;
}

void Agent::Body::set_reported(Tracked& tracked, Observed observed) {
  observed.message = shortened(observed.message, kLongestMessage);
  // A generation once carried out stays so while nothing newer is wanted.
  observed.generation = std::max(observed.generation, tracked.reported.generation);
  observed.since = observed.phase == tracked.reported.phase && tracked.reported.since != WallTime{}
                       ? tracked.reported.since
                       : now_.wall;
  if (!same_words(observed, tracked.reported)) report_wanted_ = true;
  tracked.reported = std::move(observed);
}

void Agent::Body::report_unknown(const absl::Status& why) {
  for (auto& [uid, tracked] : tracked_) {
    set_reported(tracked,
                 {.phase = Phase::kUnknown,
                  .reason = "HostCannotSee",
                  .message = fmt::format("the host cannot see its guests: {}", message_of(why))});
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
  // While blind, what was seen last is nearer to the truth than nothing.
  status.orphans = last_seen_.orphans;
  status.foreign = last_seen_.foreign;
  status.disk_available = last_seen_.disk_available;
  return status;
}

void Agent::Body::note_domains() {
  HostStatus status;
  for (const auto& domain : observation_->domains) {
    if (domain.owner && domain.owner->cell == config_.cell) {
      if (tracked_.contains(InstanceUid(domain.uuid))) continue;
      status.orphans.push_back({.uuid = domain.uuid,
                                .name = domain.name,
                                .project_id = domain.owner->project_id,
                                .instance_id = domain.owner->instance_id});
    } else {
      ++status.foreign.domains;
    }
    // No claim stands for it, so what it takes counts here, whoever's it is.
    status.foreign.vcpus += domain.vcpus;
    status.foreign.memory += domain.memory;
  }
  status.disk_available = observation_->storage.available;
  last_seen_ = std::move(status);
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
