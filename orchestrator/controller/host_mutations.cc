// Mutations of hosts: what operators enter of them. All else a host tells itself.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "core/resource_names.h"
#include "core/validate.h"
#include "orchestrator/controller/frame.h"
#include "orchestrator/controller/mutations.h"
#include "orchestrator/controller/power_check.h"
#include "orchestrator/controller/views.h"

namespace stellwerk::controller {
namespace {

using Violations = std::vector<FieldViolation>;

void check_power(std::string_view field, Milliwatts power, Violations& violations) {
  if (power >= Milliwatts() && power <= kMostHostPower) return;
  add_once(violations, std::string(field),
           fmt::format("{} is out of range; give 0 W to {}", to_string(power),
                       to_string(kMostHostPower)));
}

std::string rack_text(const std::string& rack) {
  return rack.empty() ? "none" : rack;
}

std::string power_text(const HostPower& power) {
  if (power == HostPower()) return "not known";
  return fmt::format("{} idle, {} peak", to_string(power.idle), to_string(power.peak));
}

// Nothing if they are alike.
std::string changes_of(const HostView& before, const HostView& after) {
  std::vector<std::string> changes;
  if (before.host.labels != after.host.labels) changes.push_back("labels");
  if (before.host.rack != after.host.rack) {
    changes.push_back(
        fmt::format("rack {} (was {})", rack_text(after.rack_id), rack_text(before.rack_id)));
  }
  if (before.host.power != after.host.power) {
    changes.push_back("power " + power_text(after.host.power));
  }
  if (before.host.maintenance != after.host.maintenance) {
    changes.push_back(after.host.maintenance ? "maintenance on" : "maintenance off");
  }
  return fmt::format("{}", fmt::join(changes, "; "));
}

}  // namespace

// A host with instances may be moved: where it is entered as standing is corrected, no more.
absl::StatusOr<Answer> Mutations::apply(const Frame& frame, const UpdateHost& update) {
  Violations violations = frame.context.violations;
  const Host* found = ledger_.host(update.id);
  Host host = found ? *found : Host();
  if (update.labels) host.labels = *update.labels;
  if (update.maintenance) host.maintenance = *update.maintenance;
  if (update.rack) {
    const Rack* rack = ledger_.rack(*update.rack);
    host.rack = rack ? rack->uid : RackUid();
    if (!rack && !update.rack->empty()) {
      add_once(violations, "host.rack",
               fmt::format("rack {} does not exist; create it first", quoted(*update.rack)));
    }
  }
  host.power.idle = update.idle.value_or(host.power.idle);
  host.power.peak = update.peak.value_or(host.power.peak);
  check_power("host.idle_watts", host.power.idle, violations);
  check_power("host.peak_watts", host.power.peak, violations);
  if (host.power.peak < host.power.idle && found) {
    add_once(violations, "host.peak_watts",
             fmt::format("{} is less than the {} that it draws idle", to_string(host.power.peak),
                         to_string(host.power.idle)));
  }
  if (!violations.empty()) return invalid_fields(violations);
  const std::string name = host_name(update.id);
  SW_RETURN_IF_ERROR(check_existing(frame, name, found));
  const HostView before = view_of(*found, ledger_, book_);
  std::string changes = changes_of(before, view_of(host, ledger_, book_));
  if (changes.empty()) return before;
  if (host.rack != found->rack || host.power != found->power) {
    SW_RETURN_IF_ERROR(check_power_of(host, ledger_));
  }
  record_event(frame.now, {.type = "HostUpdated",
                           .resource = name,
                           .uid = host.uid.value(),
                           .message = std::move(changes)});
  ledger_.put(std::move(host));
  return view_of(*ledger_.host(update.id), ledger_, book_);
}

}  // namespace stellwerk::controller
