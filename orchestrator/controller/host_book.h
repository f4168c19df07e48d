// What agents reported: soft state, lost with the process and filled again within seconds.
// Nothing here is a decision. One thread at a time.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "core/host_messages.h"
#include "core/time.h"

namespace stellwerk::controller {

class HostBook {
 public:
  explicit HostBook(Duration silence) : silence_(silence) {}

  struct HostNews {
    bool connected = false;
    MonotonicTime last_heard;
    bool silent = false;
    Bytes disk_available;
    std::set<NetworkUid> networks_gone;
  };

  void connected(const HostUid& host, MonotonicTime now);
  void disconnected(const HostUid& host);
  // Keeps the report; answers which instances changed phase, reason or message.
  std::set<InstanceUid> reported(const HostStatus& status, MonotonicTime now);
  // An instance that a host is told about for the first time.
  void expect(const InstanceUid& instance, WallTime now);
  void forget(const InstanceUid& instance);

  // Hosts that have been silent too long since they were last heard; each is told once.
  std::vector<HostUid> take_silent(MonotonicTime now);
  std::optional<MonotonicTime> next_silence() const;

  bool is_connected(const HostUid& host) const;
  // A host never heard of has empty news.
  const HostNews& news(const HostUid& host) const;
  // As reported; UNKNOWN when its host has been silent too long.
  Observed observed(const InstanceUid& instance, const HostUid& host, MonotonicTime now) const;

 private:
  const Duration silence_;
  std::map<HostUid, HostNews> hosts_;
  std::map<InstanceUid, Observed> instances_;
};

}  // namespace stellwerk::controller
