#include "orchestrator/agent/tracked.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/validate.h"

namespace stellwerk::agent {
namespace {

using hypervisor::DomainEnd;
using hypervisor::DomainState;

// A slow guest may follow a request to shut down long after patience has ended.
constexpr int kLateShutdown = 10;
constexpr size_t kLongestMessage = 500;

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

void Tracked::begin_run(Generation run, const PlanLimits& limits, MonotonicTime now) {
  History fresh;
  fresh.run = run;
  fresh.running_since = history.running_since;
  // A guest that was asked to stop may still do so; one that has ignored it is asked again.
  const auto asked_at = history.shutdown_asked_at;
  const bool ignored = asked_at && now >= *asked_at + limits.shutdown_patience;
  if (wanted || !ignored) fresh.shutdown_asked_at = asked_at;
  history = std::move(fresh);
  final_end.reset();
}

void Tracked::note_seen(const InstanceObservation& seen, MonotonicTime begun,
                        const PlanLimits& limits, MonotonicTime now) {
  const bool present = seen.domain.has_value();
  const bool running = present && seen.domain->state == DomainState::kRunning;
  const auto asked_at = history.shutdown_asked_at;
  // An earlier process may have asked for this end, unless the guest was started under these
  // very orders.
  const bool started = seen.files && seen.files->started == history.run;
  if (!recalled && !started) told_end.reset();
  if (!present && !asked_at && (seen_running || told_end)) {
    note_end(told_end.value_or(DomainEnd::kCrashed), limits, now);
  }
  if (!present || begun >= told_end_at) told_end.reset();
  const bool ignored =
      asked_at && present && wanted && now >= *asked_at + kLateShutdown * limits.shutdown_patience;
  if (ignored) history.shutdown_asked_at.reset();
  if (present) history.confirmed_gone = false;
  paused_on_error = present && seen.domain->state == DomainState::kPausedOnError;
  if (running && !history.running_since) history.running_since = now;
  if (!present) history.running_since.reset();
  seen_running = running;
}

void Tracked::note_told_end(DomainEnd end, const Step* under_way, MonotonicTime now) {
  // What we asked for is not news; nor is the end that a step of ours is bringing about.
  if (history.shutdown_asked_at) return;
  if (under_way && (std::holds_alternative<DestroyDomain>(*under_way) ||
                    std::holds_alternative<StartDomain>(*under_way))) {
    return;
  }
  told_end = end;
  told_end_at = now;
}

// What this process finds running, under a run that reboots do not explain, was stopped and
// wanted again while an earlier process looked: the guest may have been asked to shut down, and its
// end would not be its own wish.
void Tracked::recall_shutdown(const Instance& instance, const InstanceObservation& seen,
                              MonotonicTime now) {
  if (instance.desired != DesiredState::kRunning || std::exchange(recalled, true)) return;
  if (!seen.domain || !seen.domain->owner) return;
  const auto& owner = *seen.domain->owner;
  Generation known = owner.run;
  if (seen.files && seen.files->started) known = std::max(known, *seen.files->started);
  const uint64_t ordered = instance.reboot.count;
  const uint64_t reboots = ordered - std::min(ordered, owner.reboot_count);
  if (instance.run.value() > known.value() + reboots) note_asked(now);
}

void Tracked::note_taken(StepId id, const Step& taken, MonotonicTime now) {
  // It may take effect long after its deadline, when the guest is wanted again.
  const auto* destroy = std::get_if<DestroyDomain>(&taken);
  if (destroy && present && (!wanted || destroy->power_cycle)) note_asked(now);
  if (std::holds_alternative<StartDomain>(taken)) {
    history.end.reset();
    history.confirmed_gone = false;
    asked_before_start = std::exchange(history.shutdown_asked_at, std::nullopt);
    told_end.reset();
  }
  if (std::holds_alternative<RequestShutdown>(taken)) {
    note_asked(now);
    history.shutdown_refused = false;
  }
  step = id;
}

void Tracked::note_success(const Step& taken, const PlanLimits& limits, MonotonicTime now) {
  if (std::holds_alternative<DestroyDomain>(taken)) {
    history.confirmed_gone = true;
    seen_running = false;
  } else if (std::holds_alternative<PrepareFiles>(taken)) {
    history.failures = 0;
  } else if (std::holds_alternative<PinDomain>(taken) && failed_to_pin) {
    // A guest's own failures do not end with this: only what is done after all is forgotten.
    history.failures = 0;
    history.last_error.clear();
    history.not_before = {};
  } else if (std::holds_alternative<ResumeDomain>(taken) && paused_on_error) {
    // It may pause again at once: each attempt waits longer than the one before.
    count_failure("its disk is full or fails", limits, now);
  }
}

void Tracked::note_failure(const Step& taken, const absl::Status& why, const PlanLimits& limits,
                           MonotonicTime now) {
  const bool outcome_known = !absl::IsDeadlineExceeded(why) && !absl::IsUnknown(why);
  if (std::holds_alternative<RequestShutdown>(taken) && outcome_known) {
    history.shutdown_refused = true;
  }
  // Nothing was started: what is told to have ended is still the guest of before.
  if (std::holds_alternative<StartDomain>(taken) && outcome_known && !history.shutdown_asked_at) {
    history.shutdown_asked_at = asked_before_start;
  }
  count_failure(fmt::format("{}: {}", name_of(taken), message_of(why)), limits, now);
  failed_to_pin = std::holds_alternative<PinDomain>(taken);
}

// From here on, until it is started again, an end of the domain is our doing: also when the answer
// of the step is lost, and when the event arrives after the domain was seen to be gone.
void Tracked::note_asked(MonotonicTime now) {
  if (!history.shutdown_asked_at) history.shutdown_asked_at = now;
}

void Tracked::note_end(DomainEnd end, const PlanLimits& limits, MonotonicTime now) {
  if (history.end) return;
  history.end = end;
  seen_running = false;
  if (end == DomainEnd::kShutDownByGuest) return;
  const auto since = history.running_since;
  if (since && now - *since >= limits.calm_after) history.failures = 0;
  count_failure(end == DomainEnd::kCrashed ? "the guest's process ended unexpectedly"
                                           : "the guest was destroyed by somebody else",
                limits, now);
}

void Tracked::count_failure(std::string error, const PlanLimits& limits, MonotonicTime now) {
  ++history.failures;
  failed_to_pin = false;
  history.last_error = std::move(error);
  history.not_before = now + backoff(history.failures, limits);
}

bool Tracked::set_reported(Observed observed, WallTime now) {
  observed.message = shortened(observed.message, kLongestMessage);
  // A generation once carried out stays so while nothing newer is wanted.
  observed.generation = std::max(observed.generation, reported.generation);
  observed.since =
      observed.phase == reported.phase && reported.since != WallTime{} ? reported.since : now;
  const bool changed = !same_words(observed, reported);
  reported = std::move(observed);
  return changed;
}

}  // namespace stellwerk::agent
