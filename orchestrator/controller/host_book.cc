#include "orchestrator/controller/host_book.h"

namespace stellwerk::controller {

void HostBook::connected(const HostUid& host, MonotonicTime now) {
  hosts_[host].connected = true;
  hosts_[host].silent = false;
  hosts_[host].last_heard = now;
}

void HostBook::disconnected(const HostUid& host) {
  hosts_[host].connected = false;
}

std::set<InstanceUid> HostBook::reported(const HostStatus& status, MonotonicTime now) {
  HostNews& news = hosts_[status.host];
  news.connected = true;
  news.silent = false;
  news.last_heard = now;
  news.disk_available = status.disk_available;
  news.networks_gone = {status.networks_gone.begin(), status.networks_gone.end()};
  std::set<InstanceUid> changed;
  for (const InstanceReport& report : status.instances) {
    Observed& known = instances_[report.instance];
    const bool same = known.phase == report.observed.phase &&
                      known.reason == report.observed.reason &&
                      known.message == report.observed.message;
    if (!same) changed.insert(report.instance);
    known = report.observed;
  }
  return changed;
}

std::vector<HostUid> HostBook::take_silent(MonotonicTime now) {
  std::vector<HostUid> silent;
  for (auto& [host, news] : hosts_) {
    if (news.silent || now - news.last_heard < silence_) continue;
    news.silent = true;
    silent.push_back(host);
  }
  return silent;
}

std::optional<MonotonicTime> HostBook::next_silence() const {
  std::optional<MonotonicTime> next;
  for (const auto& [host, news] : hosts_) {
    if (news.silent) continue;
    const MonotonicTime silent_at = news.last_heard + silence_;
    if (!next || silent_at < *next) next = silent_at;
  }
  return next;
}

void HostBook::expect(const InstanceUid& instance, WallTime now) {
  instances_.try_emplace(instance, Observed{.phase = Phase::kPending, .since = now});
}

void HostBook::forget(const InstanceUid& instance) {
  instances_.erase(instance);
}

bool HostBook::is_connected(const HostUid& host) const {
  const auto found = hosts_.find(host);
  return found != hosts_.end() && found->second.connected;
}

const HostBook::HostNews& HostBook::news(const HostUid& host) const {
  static const HostNews kNone;
  const auto found = hosts_.find(host);
  return found == hosts_.end() ? kNone : found->second;
}

Observed HostBook::observed(const InstanceUid& instance, const HostUid& host,
                            MonotonicTime now) const {
  const auto found = instances_.find(instance);
  Observed observed = found == instances_.end() ? Observed{} : found->second;
  const HostNews& heard = news(host);
  const bool silent = now - heard.last_heard >= silence_;
  if (silent && observed.phase != Phase::kPending) {
    observed.phase = Phase::kUnknown;
    observed.reason = "HostSilent";
    observed.message = "the host has not reported for " + to_short_string(now - heard.last_heard);
  }
  return observed;
}

}  // namespace stellwerk::controller
