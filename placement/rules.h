// The hard constraints that one host keeps or fails by itself, each a small named rule. One `fits`
// serves ranking and commit; rules across hosts (power, groups, the failover guarantee, pools) have
// files of their own.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "placement/fleet.h"
#include "placement/request.h"

namespace stellwerk::placement {

// A request in the fleet's own terms, made once for all hosts.
struct Ask {
  Request request;
  Amounts amounts;    // of one instance, without power and nodes
  NodeAmounts share;  // of each node, where it is bound to nodes
  // A class of devices that no host has.
  std::optional<std::string> unknown_device;
};
Ask ask_of(const Fleet& fleet, const Request& request);

struct Rule {
  std::string_view name;  // stable: "memory"
  bool (*holds)(const HostLoad&, const Ask&);
  // Of a host that fails it, for operators: "12 GiB asked, 3 GiB free of 16 GiB".
  std::string (*words)(const HostLoad&, const Ask&);
  // To whom it may concern: "ask for less memory or another flavor".
  std::string_view advice;
};

// In the order in which they are checked: "accepting", "fenced", "maintenance", "labels",
// "cpu-baseline", "disk-type", "topology", "cpu", "memory", "disk", "bandwidth", "huge-pages",
// "devices", "numa".
std::span<const Rule> rules();

// Whether the host keeps the rules that do not depend on how much room it has.
bool is_eligible(const HostLoad& host, const Ask& ask);
// Whether it keeps the others.
bool has_room_for(const HostLoad& host, const Ask& ask);
// Whether the host keeps every rule.
bool fits(const HostLoad& host, const Ask& ask);
// The first rule that the host fails; null if it fits.
const Rule* first_failed(const HostLoad& host, const Ask& ask);

// At most so many instances fit beside each other; none if not one does.
int64_t slots_of(const HostLoad& host, const Ask& ask);

// The nodes that a guest bound to nodes would get, by index, ascending: of those with room the ones
// left with the least memory, then vCPUs. Nothing if too few have room.
std::optional<std::vector<uint32_t>> choose_nodes(const HostLoad& host, const Ask& ask);

}  // namespace stellwerk::placement
