// The failover guarantee: each protected guest has a host outside its failure domain that keeps
// room for it. A host keeps the largest of what it would receive from any one domain, because one
// domain is lost at a time. Sound, not complete: what is found holds; not found is no proof. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "placement/fleet.h"
#include "placement/rules.h"

namespace stellwerk::placement {

// What one backup asks of one host.
struct BackupOffer {
  int32_t cost = 0;             // what more it has to keep, in 1,024ths of the host
  Amounts amounts;              // to be kept for the domain
  std::vector<uint32_t> nodes;  // by index, of guests bound to nodes
};

// The cost alone, for a guest of the domain `lost`; nothing if the host cannot keep it.
std::optional<int32_t> backup_cost(const Fleet& fleet, uint32_t host, uint32_t lost,
                                   const Ask& ask);
// The same with everything else.
std::optional<BackupOffer> offer_backup(const Fleet& fleet, uint32_t host, uint32_t lost,
                                        const Ask& ask);

// At most the cost of an offer, for any lost domain that the host keeps nothing for yet; nothing if
// there will be no offer for any such. Cheap, and depends on this host alone.
std::optional<int32_t> least_backup_cost(const HostLoad& host, const Ask& ask);
// What most guests ask of a host, and all that bounds the cost of a backup.
struct PlainNeeds {
  size_t cpu_class = 0;
  int64_t vcpus = 0;
  int64_t memory = 0;
  int64_t disk = 0;
  int64_t bandwidth = 0;
};
PlainNeeds plain_needs(const Ask& ask);
// The same of a host that is known to be eligible; kNoFit instead of nothing.
int32_t least_backup_cost(const HostLoad& host, const PlainNeeds& needs);

}  // namespace stellwerk::placement
