#include "api/convert/addresses_from_wire.h"
#include "api/convert/from_wire.h"
#include "api/convert/mutation_context.h"
#include "api/convert/read_page.h"
#include "api/convert/reading.h"
#include "core/network_checks.h"

namespace stellwerk::convert {
namespace {

// With bits behind the length, too: admission names the range that is meant.
std::optional<IpPrefix> read_range(RequestReader& reader, const std::string& field,
                                   const std::string& text, bool is_v4) {
  if (text.empty()) return std::nullopt;
  const auto range = parse_range(text);
  if (range && range->address.is_v4() == is_v4) return range;
  reader.add(field, fmt::format("{} is no {} network; write one such as {}", quoted(text),
                                is_v4 ? "IPv4" : "IPv6", is_v4 ? "10.8.0.0/24" : "fd00:8::/64"));
  return std::nullopt;
}

std::vector<Route> read_routes(RequestReader& reader, const v1::Network& network) {
  std::vector<Route> routes;
  if (static_cast<size_t>(network.routes_size()) > kMostRoutes) {
    reader.add("network.routes",
               fmt::format("has {}; give at most {}", network.routes_size(), kMostRoutes));
    return routes;
  }
  for (int i = 0; i < network.routes_size(); ++i) {
    const std::string field = fmt::format("network.routes[{}]", i);
    const auto to = parse_range(network.routes(i).destination());
    if (!to) {
      reader.add(field + ".destination", quoted(network.routes(i).destination()) +
                                             " is no network; write one such as 192.0.2.0/24");
    }
    const auto via = read_address(reader, field + ".next_hop", network.routes(i).next_hop());
    if (to && via) routes.push_back({.to = *to, .via = *via});
  }
  return routes;
}

}  // namespace

controller::Mutation to_mutation(const v1::CreateNetworkRequest& request, const Origin& origin) {
  RequestReader reader;
  const v1::Network& network = request.network();
  controller::CreateNetwork create;
  create.project = reader.parent("parent", request.parent());
  create.id = reader.label_id("network_id", request.network_id());
  create.v4 = read_range(reader, "network.ipv4_subnet", network.ipv4_subnet(), true);
  create.v6 = read_range(reader, "network.ipv6_subnet", network.ipv6_subnet(), false);
  create.gateways = read_addresses(reader, "network.gateways", network.gateways(), 2);
  create.isolated = network.isolated();
  create.dns_servers =
      read_addresses(reader, "network.dns_servers", network.dns_servers(), kMostDnsServers);
  create.routes = read_routes(reader, network);
  if (network.mtu_bytes() != 0) create.mtu = network.mtu_bytes();
  create.labels = reader.labels("network.labels", network.labels());
  if (!network.bridge().empty()) {
    reader.add_if("network.bridge", check_bridge_name(network.bridge()));
  }
  create.bridge = network.bridge();
  return mutation(request, {"CreateNetwork", origin}, reader, std::move(create));
}

controller::Mutation to_mutation(const v1::DeleteNetworkRequest& request, const Origin& origin) {
  RequestReader reader;
  const ResourceName name = reader.name("name", request.name(), ResourceKind::kNetwork);
  return mutation(request, {"DeleteNetwork", origin}, reader,
                  controller::DeleteNetwork{.project = name.project, .id = name.id});
}

absl::StatusOr<controller::Query> to_query(const v1::GetNetworkRequest& request) {
  RequestReader reader;
  ResourceName name = reader.name("name", request.name(), ResourceKind::kNetwork);
  SW_RETURN_IF_ERROR(reader.status());
  return controller::GetNetwork{.project = std::move(name.project), .id = std::move(name.id)};
}

absl::StatusOr<controller::Query> to_query(const v1::ListNetworksRequest& request) {
  RequestReader reader;
  controller::ListNetworks list{.project = reader.parent_or_all("parent", request.parent()),
                                .page = read_page(reader, request)};
  SW_RETURN_IF_ERROR(reader.status());
  return list;
}

}  // namespace stellwerk::convert
