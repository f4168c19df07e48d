#include "placement/fleet.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace stellwerk::placement {
namespace {

// A claim on an unknown host, or more released than was charged, is a broken invariant of ours.
HostLoad& existing(Fleet& fleet, const HostUid& host) {
  HostLoad* found = fleet.find(host);
  if (found == nullptr) std::abort();
  return *found;
}

template <class Amount>
void take_back(Amount& used, Amount amount) {
  if (amount > used) std::abort();
  used -= amount;
}

// Of a sum by key; what is used up has no entry.
template <class Key, class Amount>
void take_back(std::map<Key, Amount>& used, const Key& key, Amount amount) {
  Amount& left = used[key];
  take_back(left, amount);
  if (left == Amount()) used.erase(key);
}

}  // namespace

const HostLoad* Fleet::find(const HostUid& host) const {
  const auto found = std::lower_bound(
      hosts.begin(), hosts.end(), host,
      [](const HostLoad& load, const HostUid& wanted) { return load.uid < wanted; });
  return found != hosts.end() && found->uid == host ? &*found : nullptr;
}

HostLoad* Fleet::find(const HostUid& host) {
  return const_cast<HostLoad*>(std::as_const(*this).find(host));
}

void Fleet::charge(const Claim& claim) {
  HostLoad& host = existing(*this, claim.host);
  host.vcpus_used[claim.cpu_class] += claim.vcpus;
  if (!claim.cpus.empty()) host.vcpus_pinned[claim.cpu_class] += claim.vcpus;
  for (const int32_t cpu : claim.cpus) ++host.dedicated[cpu];
  host.memory_used += claim.memory;
  host.disk_used += claim.disk;
}

void Fleet::release(const Claim& claim) {
  HostLoad& host = existing(*this, claim.host);
  take_back(host.vcpus_used, claim.cpu_class, claim.vcpus);
  if (!claim.cpus.empty()) take_back(host.vcpus_pinned, claim.cpu_class, claim.vcpus);
  for (const int32_t cpu : claim.cpus) take_back(host.dedicated, cpu, int64_t{1});
  take_back(host.memory_used, claim.memory);
  take_back(host.disk_used, claim.disk);
}

}  // namespace stellwerk::placement
