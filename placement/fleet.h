// The fleet as placement sees it: hosts with what they offer and what is taken, in a fixed order.
// A value: the controller builds one from its claims and keeps it current by `charge`/`release`.
#pragma once

#include <map>
#include <vector>

#include "core/model.h"

namespace stellwerk::placement {

// Oversubscription of shared processors; each at least 1. SCS-0100: V at most 5 a core and 3 a
// thread.
struct CpuLimits {
  int64_t shared_per_core = 5;
  int64_t shared_per_thread = 3;
  int64_t low_performance_per_thread = 16;
  // Hardware threads of each host that no dedicated guest gets: for the host itself, for emulators
  // and for shared guests.
  int64_t shared_threads_min = 1;
};

struct HostLoad {
  HostUid uid;
  std::string id;
  HostFacts facts;
  HostReserve reserve;
  ForeignUse foreign;
  bool accepting = false;  // its agent is connected and reports

  // Sums over the claims on this host.
  std::map<CpuClass, VcpuCount> vcpus_used;    // no entry: none
  std::map<CpuClass, VcpuCount> vcpus_pinned;  // of those, whose claims name threads
  std::map<int32_t, int64_t> dedicated;        // threads that claims name, and how many do: one
  Bytes memory_used;
  Bytes disk_used;
  Bytes images;  // files of images, which no claim stands for
  friend bool operator==(const HostLoad&, const HostLoad&) = default;
};

struct Fleet {
  CpuLimits cpu_limits;
  std::vector<HostLoad> hosts;  // ordered by uid; ties in scoring go to the lowest index

  const HostLoad* find(const HostUid& host) const;
  HostLoad* find(const HostUid& host);
  // The claim's host must exist. `release` undoes `charge` exactly; releasing what was not charged
  // is a broken invariant and aborts.
  void charge(const Claim& claim);
  void release(const Claim& claim);
};

}  // namespace stellwerk::placement
