#include "tests/sim/damage.h"

#include <algorithm>

#include "orchestrator/records/keys.h"

namespace stellwerk::sim {
namespace {

void forget_budgets(controller::CellState& loaded) {
  for (auto& [uid, feed] : loaded.feeds) feed.budget = kMostPower;
  for (auto& [uid, rack] : loaded.racks) rack.power_limit.reset();
}

void soften_groups(controller::CellState& loaded) {
  for (auto& [uid, group] : loaded.groups) {
    for (GroupRule& rule : group.rules) rule.hard = false;
  }
}

void halve_bookings(store::Batch& written) {
  const std::vector<store::Entry> entries = written.puts;
  for (const store::Entry& entry : entries) {
    if (!entry.key.starts_with(records::kRequestPrefix)) continue;
    const auto request = records::decode_request(entry.value);
    const auto* booking = std::get_if<records::Booking>(&request->resource);
    if (!booking || booking->instances.size() < 2) continue;
    const std::string last = records::instance_key(booking->instances.back().uid);
    std::erase_if(written.puts, [&](const store::Entry& each) { return each.key == last; });
  }
}

void hide_losses(store::Batch& written) {
  for (store::Entry& entry : written.puts) {
    if (!entry.key.starts_with(records::kLogPrefix)) continue;
    LogRecord log = *records::decode_log(entry.value);
    std::erase_if(log.events,
                  [](const Event& event) { return event.type == "FailoverProtectionLost"; });
    entry.value = records::encode(log);
  }
}

}  // namespace

void damage(Bug bug, controller::CellState& loaded) {
  if (bug == Bug::kForgetRequests) loaded.requests.clear();
  if (bug == Bug::kForgetBudgets) forget_budgets(loaded);
  if (bug == Bug::kSoftenGroups) soften_groups(loaded);
  for (auto& [uid, project] : loaded.projects) {
    if (bug == Bug::kLooseLimits) project.limits = {};
  }
  for (auto& [uid, host] : loaded.hosts) {
    if (bug == Bug::kForgetLabels) host.labels.clear();
    if (bug == Bug::kForgetMaintenance) host.maintenance = false;
  }
  for (auto& [uid, instance] : loaded.instances) {
    if (bug == Bug::kForgetPins) instance.claim.cpus.clear();
    if (bug == Bug::kForgetBackups) instance.backup.reset();
  }
}

void damage(Bug bug, store::Batch& written) {
  if (bug == Bug::kHalfBooking) halve_bookings(written);
  if (bug == Bug::kHideLosses) hide_losses(written);
}

}  // namespace stellwerk::sim
