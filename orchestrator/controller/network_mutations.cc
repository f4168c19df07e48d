// Mutations of networks.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "core/network_checks.h"
#include "core/resource_names.h"
#include "core/validate.h"
#include "orchestrator/controller/frame.h"
#include "orchestrator/controller/mutations.h"
#include "orchestrator/controller/users.h"
#include "orchestrator/controller/views.h"
#include "orchestrator/records/keys.h"

namespace stellwerk::controller {
namespace {

using Violations = std::vector<FieldViolation>;

// Every bridge of ours begins with it; then the first digits of the network's uid.
constexpr std::string_view kBridgePrefix = "swbr";

std::string bridge_name(const NetworkUid& uid) {
  std::string name(kBridgePrefix);
  for (size_t i = 0; i < 5; ++i) name += fmt::format("{:02x}", uid.value().bytes()[i]);
  return name;
}

std::string_view subnet_field(bool is_v4) {
  return is_v4 ? "network.ipv4_subnet" : "network.ipv6_subnet";
}

// A host that has an address in both could not tell which bridge leads to a guest; a guest with a
// port on both could not either.
bool may_overlap(const Network& one, const Network& other) {
  const auto on_host = [](const Network& network) {
    return network.make_bridge &&
           ((network.v4 && network.v4->gateway) || (network.v6 && network.v6->gateway));
  };
  if (one.project == other.project || one.project.is_nil() || other.project.is_nil()) return false;
  return !on_host(one) || !on_host(other);
}

void check_overlap(const Network& network, const Ledger& ledger, Violations& violations) {
  for (const auto& [uid, other] : ledger.state().networks) {
    if (may_overlap(network, other)) continue;
    const bool known = other.project == network.project || other.project.is_nil();
    for (const auto& [mine, theirs] :
         {std::pair(&network.v4, &other.v4), std::pair(&network.v6, &other.v6)}) {
      if (!*mine || !*theirs || !(*mine)->range.overlaps((*theirs)->range)) continue;
      // Where another project's lies is nobody else's business.
      const std::string whose =
          known ? fmt::format("{} of network {}", (*theirs)->range.to_string(), other.id)
                : std::string("a range in use on the host");
      add_once(violations, std::string(subnet_field((*mine)->range.address.is_v4())),
               fmt::format("{} overlaps {}; choose another range{}", (*mine)->range.to_string(),
                           whose, known ? "" : ", or make the network isolated"));
    }
  }
}

// The subnet with its gateway: the chosen one, else the first address, else none.
Subnet read_subnet(const CreateNetwork& create, const IpPrefix& range, Violations& violations) {
  Subnet subnet{.range = range, .gateway = {}, .next = {}};
  if (const Problem problem = check_subnet_range(range)) {
    add_once(violations, std::string(subnet_field(range.address.is_v4())), *problem);
    return subnet;
  }
  const auto chosen =
      std::ranges::find(create.gateways, range.address.family(), &IpAddress::family);
  if (chosen != create.gateways.end()) {
    subnet.gateway = *chosen;
  } else if (!create.isolated) {
    subnet.gateway = range.address.plus(1);
  }
  if (const Problem problem = check_gateway(subnet)) {
    add_once(violations, "network.gateways", *problem);
  }
  return subnet;
}

void check_gateways(const CreateNetwork& create, Violations& violations) {
  if (create.isolated && !create.gateways.empty()) {
    add_once(violations, "network.gateways",
             "an isolated network has none; leave them out or do not ask for isolation");
  }
  for (const bool v4 : {true, false}) {
    const auto count = std::ranges::count_if(
        create.gateways, [v4](const IpAddress& address) { return address.is_v4() == v4; });
    const bool has_subnet = v4 ? create.v4.has_value() : create.v6.has_value();
    if (count > 1 || (count == 1 && !has_subnet)) {
      add_once(violations, "network.gateways",
               fmt::format("{} of {} given; give at most one for each subnet", count,
                           v4 ? "IPv4" : "IPv6"));
    }
  }
}

void check_bridge(const std::string& bridge, const Ledger& ledger, Violations& violations) {
  if (bridge.empty()) return;
  if (const Problem problem = check_bridge_name(bridge)) {
    add_once(violations, "network.bridge", *problem);
    return;
  }
  for (const auto& [uid, other] : ledger.state().networks) {
    if (other.bridge != bridge) continue;
    add_once(violations, "network.bridge",
             fmt::format("{} carries another network already; a bridge carries one", bridge));
    return;
  }
}

void check_servers_and_routes(const Network& network, Violations& violations) {
  if (network.dns_servers.size() > kMostDnsServers) {
    add_once(violations, "network.dns_servers",
             fmt::format("{} given; at most {} are of use", network.dns_servers.size(),
                         kMostDnsServers));
  }
  for (size_t i = 0; i < network.dns_servers.size(); ++i) {
    if (is_unicast(network.dns_servers[i])) continue;
    add_once(violations, fmt::format("network.dns_servers[{}]", i),
             network.dns_servers[i].to_string() + " is no server's address");
  }
  if (network.routes.size() > kMostRoutes) {
    add_once(violations, "network.routes",
             fmt::format("{} given; at most {} are possible", network.routes.size(), kMostRoutes));
    return;
  }
  for (size_t i = 0; i < network.routes.size(); ++i) {
    if (const Problem problem = check_route(network.routes[i], network)) {
      add_once(violations, fmt::format("network.routes[{}]", i), *problem);
    }
  }
}

Network check_network(const CreateNetwork& create, const ProjectUid& project, const Ledger& ledger,
                      Violations& violations) {
  if (const Problem problem = check_dns_label(create.id)) {
    add_once(violations, "network_id", *problem);
  }
  Network network{.uid = {},
                  .project = project,
                  .id = create.id,
                  .bridge = create.bridge,
                  .make_bridge = create.bridge.empty(),
                  .dns_servers = create.dns_servers,
                  .routes = create.routes,
                  .mtu = create.mtu,
                  .labels = create.labels};
  check_gateways(create, violations);
  if (create.v4) network.v4 = read_subnet(create, *create.v4, violations);
  if (create.v6) network.v6 = read_subnet(create, *create.v6, violations);
  if (!network.v4 && !network.v6) {
    add_once(violations, "network.ipv4_subnet",
             "is missing; give an IPv4 subnet such as 10.8.0.0/24, an IPv6 one, or both");
  }
  std::ranges::stable_sort(network.dns_servers, {}, &IpAddress::family);
  check_bridge(create.bridge, ledger, violations);
  check_servers_and_routes(network, violations);
  if (const Problem problem = check_mtu(create.mtu, create.v6.has_value())) {
    add_once(violations, "network.mtu", *problem);
  }
  check_overlap(network, ledger, violations);
  return network;
}

}  // namespace

absl::StatusOr<Answer> Mutations::apply(const Frame& frame, const CreateNetwork& create) {
  Violations violations = frame.context.violations;
  Network network = check_network(create, frame.project_uid, ledger_, violations);
  if (!violations.empty()) return invalid_fields(violations);
  if (const Network* other = ledger_.visible_network(create.project, create.id)) {
    return with_reason(
        already_exists("network {} exists{}; choose another id", create.id,
                       other->project.is_nil()                   ? " for every project"
                       : other->state == NetworkState::kDeleting ? " and is being deleted"
                                                                 : ""),
        "NAME_TAKEN");
  }
  network.uid = NetworkUid(frame.fresh_uid());
  if (network.make_bridge) network.bridge = bridge_name(network.uid);
  network.created_at = frame.now.wall;
  const NetworkUid uid = network.uid;
  record_event(frame.now, {.type = "NetworkCreated",
                           .project_id = frame.project,
                           .resource = network_name(frame.project, create.id),
                           .uid = uid.value()});
  ledger_.put(std::move(network));
  return view_of(ledger_.state().networks.at(uid), frame.project, ledger_);
}

absl::StatusOr<Answer> Mutations::apply(const Frame& frame, const DeleteNetwork& deletion) {
  const Network* found = ledger_.visible_network(deletion.project, deletion.id);
  const std::string name = network_name(deletion.project, deletion.id);
  SW_RETURN_IF_ERROR(check_existing(frame, name, found));
  if (found->project.is_nil()) {
    return with_reason(failed_precondition("network {} is every project's; an operator removes it "
                                           "from the daemon's configuration",
                                           deletion.id),
                       "CELL_NETWORK");
  }
  if (found->state == NetworkState::kDeleting) return view_of(*found, frame.project, ledger_);
  const auto used_by = users(ledger_, [found](const Instance& instance) {
    return std::ranges::any_of(instance.ports,
                               [found](const Port& port) { return port.network == found->uid; });
  });
  if (!used_by.empty()) {
    return with_reason(
        failed_precondition("network {} is used by: {}; delete these instances first", deletion.id,
                            fmt::join(used_by, ", ")),
        "NETWORK_IN_USE");
  }
  Network network = *found;
  network.state = NetworkState::kDeleting;
  const NetworkUid uid = network.uid;
  record_event(frame.now, {.type = "NetworkDeleteRequested",
                           .project_id = frame.project,
                           .resource = name,
                           .uid = uid.value()});
  ledger_.put(std::move(network));
  const Answer answer = view_of(ledger_.state().networks.at(uid), frame.project, ledger_);
  forget_network_if_gone(uid, frame.now);
  return answer;
}

// A bridge of somebody else's stays; one of ours goes with the last host that has it.
void Mutations::forget_network_if_gone(const NetworkUid& uid, Now now) {
  const auto found = ledger_.state().networks.find(uid);
  if (found == ledger_.state().networks.end()) return;
  const Network& network = found->second;
  if (network.state != NetworkState::kDeleting) return;
  // A host whose record cannot be read may have its bridge still.
  const CellState& state = ledger_.state();
  const bool gone = !state.has_invalid(records::kHostPrefix) &&
                    std::ranges::all_of(state.hosts, [&](const auto& host) {
                      return book_.news(host.first).networks_gone.contains(uid);
                    });
  if (network.make_bridge && !gone) return;
  const std::string project = ledger_.project_id(network.project);
  record_event(now, {.type = "NetworkDeleted",
                     .project_id = project,
                     .resource = network_name(project, network.id),
                     .uid = uid.value()});
  ledger_.erase(uid);
}

}  // namespace stellwerk::controller
