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
  std::string rule;  // "place", a rule of rules(), "pool", "power", "group" or "failover"
  int64_t hosts = 0;
  std::string words;  // "feed dc1/f1 has 300 W left of 20 kW"
};

struct NearHost {
  HostUid host;
  std::string id;
  std::string rack;  // empty: it stands nowhere
  // Every rule that it fails and by how much; the one who fails least comes first.
  std::vector<std::string> lacks;
};

// What would have been taken. `request` was tried and is accepted, where `without_rule` is said
// after its group has lost this rule.
struct Change {
  std::string words;  // "4 GiB less memory (12 GiB instead of 16 GiB)"
  Request request;
  std::optional<GroupRule> without_rule;
};

struct Explanation {
  bool fits = false;
  // Refused by nothing but hosts that are out of touch: worth another try.
  bool none_connected = false;
  // For everybody; they name no host, rack, zone, site, feed or label of a host that the request
  // did not name itself, and no other project:
  std::string summary;
  std::optional<std::string> smallest_change;  // the words of `change`
  std::optional<Change> change;

  // For operators:
  int64_t hosts = 0;     // of the fleet
  int64_t feasible = 0;  // of those, that could take one instance, backups not looked at
  // Every host that does not take an instance, by its first rule, in the order of the rules. Of a
  // request for several: beside those that found a place.
  std::vector<RuleCount> refusals;
  std::vector<NearHost> nearest;    // at most five, of a refusal
  std::vector<std::string> chosen;  // for each instance its host and why, of an acceptance
};

// Changes nothing: what it tries it takes back.
Explanation explain(Engine& engine, const Request& request);

}  // namespace stellwerk::placement
