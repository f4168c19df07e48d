#include "orchestrator/controller/failover_guard.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/resource_names.h"
#include "orchestrator/controller/claims.h"

namespace stellwerk::controller {
namespace {

bool wants_backup(const Instance& instance) {
  return instance.failover && instance.desired != DesiredState::kDeleted;
}

// It is charged with the backup that it has; while one is sought it is charged without.
std::optional<Backup> seek_backup(placement::Engine& engine, const Instance& instance) {
  placement::Occupation bare = occupation_of(instance);
  bare.backup.reset();
  engine.release(occupation_of(instance));
  engine.charge(bare);
  std::optional<Backup> found = engine.find_backup(request_of(instance), instance.claim);
  engine.release(bare);
  engine.charge(occupation_of(instance));
  return found;
}

}  // namespace

bool FailoverGuard::is_early(MonotonicTime now) {
  if (begun_) return false;
  const auto& hosts = ledger_.fleet().hosts();
  const bool all_heard = std::all_of(
      hosts.begin(), hosts.end(), [](const placement::HostLoad& load) { return load.accepting; });
  begun_ = all_heard || now >= begin_by_;
  return !begun_;
}

void FailoverGuard::take_news() {
  const FleetNews news = ledger_.take_fleet_news();
  if (!news.everything && news.hosts.empty() && !news.room) return;
  due_.merge(std::exchange(unprotected_, {}));
  if (!news.everything && news.hosts.empty()) return;
  for (const auto& [uid, instance] : ledger_.state().instances) {
    if (!wants_backup(instance)) continue;
    const bool meant = news.everything || news.hosts.contains(instance.claim.host) ||
                       (instance.backup && news.hosts.contains(instance.backup->host));
    if (meant) due_.insert(uid);
  }
}

void FailoverGuard::work(Now now) {
  if (is_early(now.monotonic)) return;
  take_news();
  for (size_t i = 0; i < kMostPerBatch && !due_.empty() && !ledger_.is_full(); ++i) {
    const InstanceUid uid = *due_.begin();
    due_.erase(due_.begin());
    look_at(uid, now);
  }
}

std::optional<MonotonicTime> FailoverGuard::wake_at(MonotonicTime now) const {
  if (!begun_) return begin_by_;
  return due_.empty() ? std::nullopt : std::optional(now);
}

void FailoverGuard::look_at(const InstanceUid& uid, Now now) {
  const auto found = ledger_.state().instances.find(uid);
  if (found == ledger_.state().instances.end() || !wants_backup(found->second)) return;
  const Instance& instance = found->second;
  placement::Engine& engine = ledger_.engine();
  // Its host's record cannot be read: nothing is counted for it, so nothing can be kept.
  if (!ledger_.fleet().find(instance.claim.host)) return;
  if (engine.is_sound(occupation_of(instance), request_of(instance))) return;
  std::optional<Backup> backup = seek_backup(engine, instance);
  if (!backup) unprotected_.insert(uid);
  if (backup.has_value() != instance.backup.has_value()) tell(instance, backup, now);
  if (backup != instance.backup) ledger_.note_backup(uid, std::move(backup));
}

// Members of the project read it: no host is named.
std::string FailoverGuard::why_lost(const Instance& instance) const {
  const auto host = ledger_.state().hosts.find(instance.backup->host);
  if (!ledger_.engine().settings().guarantee) return "GuaranteeOff";
  if (host == ledger_.state().hosts.end()) return "BackupHostGone";
  if (host->second.maintenance) return "BackupHostInMaintenance";
  return "BackupHostUnfit";
}

void FailoverGuard::tell(const Instance& instance, const std::optional<Backup>& backup, Now now) {
  const std::string project = ledger_.project_id(instance.project);
  const auto& level = ledger_.engine().settings().guarantee;
  std::string message = "room is kept for it again";
  if (!backup) {
    message = level ? fmt::format(
                          "no host of another {} can keep room for it; it runs on, and a "
                          "backup is sought whenever hosts change",
                          to_string(*level))
                    : std::string("the failover guarantee is switched off in this cell");
  }
  ledger_.record(Event{.time = now.wall,
                       .type = backup ? "FailoverProtectionRestored" : "FailoverProtectionLost",
                       .project_id = project,
                       .resource = instance_name(project, instance.id),
                       .uid = instance.uid.value(),
                       .reason = backup ? "" : why_lost(instance),
                       .message = std::move(message)});
}

}  // namespace stellwerk::controller
