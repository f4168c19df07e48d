// Says why no host took a request, what would do, and why a host was taken: to operators with the
// names of hosts and racks, to members of a project with none. Slow: asks every host. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "placement/engine.h"

namespace stellwerk::placement {

struct RuleCount {
  std::string rule;  // a rule of rules(), or "place", "pool", "power", "group", "failover"
  int64_t hosts = 0;
};

struct NearHost {
  HostUid host;
  std::string id;
  std::string rack;  // empty: it stands nowhere
  // Every rule that it fails and by how much; the one who fails least comes first.
  std::vector<std::string> lacks;
};

struct Explanation {
  bool fits = false;
  // For everybody; names neither hosts nor racks nor other projects:
  std::string summary;
  std::optional<std::string> smallest_change;  // "4 GiB less memory": it was tried and fits
  // For operators:
  int64_t hosts = 0;                // of the fleet
  int64_t feasible = 0;             // of those, that could take one instance
  std::vector<RuleCount> refusals;  // by each host's first rule, in the order of the rules
  std::vector<NearHost> nearest;    // at most five, of a refusal
  std::vector<std::string> chosen;  // for each instance its host and why, of an acceptance
  friend bool operator==(const Explanation&, const Explanation&) = default;
};

Explanation explain(Engine& engine, const Request& request);

}  // namespace stellwerk::placement
