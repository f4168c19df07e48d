// Networks, and ports of instances, as they come over the wire.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/convert/from_wire.h"
#include "core/network_checks.h"

namespace stellwerk::convert {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

IpAddress address(std::string_view text) {
  return IpAddress::parse(text).value();
}

v1::CreateNetworkRequest good_network() {
  v1::CreateNetworkRequest request;
  request.set_parent("projects/default");
  request.set_network_id("back");
  request.mutable_network()->set_ipv4_subnet("10.8.0.0/24");
  return request;
}

// What is wrong, one line a field.
template <class Request>
std::string mistakes(const Request& request) {
  std::string lines;
  for (const FieldViolation& violation : to_mutation(request, {}).context.violations) {
    lines += violation.field + ": " + violation.description + "\n";
  }
  return lines;
}

TEST(NetworksFromWire, ReadsAWholeNetwork) {
  v1::CreateNetworkRequest request = good_network();
  v1::Network& wire = *request.mutable_network();
  wire.set_ipv6_subnet("fd00:8::/64");
  wire.add_gateways("10.8.0.254");
  wire.add_gateways("fd00:8::ff");
  wire.set_isolated(true);
  wire.add_dns_servers("9.9.9.9");
  auto* route = wire.add_routes();
  route->set_destination("192.0.2.0/24");
  route->set_next_hop("10.8.0.9");
  wire.set_mtu_bytes(9000);
  (*wire.mutable_labels())["tier"] = "back";
  wire.set_bridge("br-office");
  const controller::Mutation mutation = to_mutation(request, {.caller = "root", .fresh = {}});
  EXPECT_THAT(mutation.context.violations, IsEmpty());
  const auto& create = std::get<controller::CreateNetwork>(mutation.body);
  EXPECT_EQ(create.project, "default");
  EXPECT_EQ(create.id, "back");
  EXPECT_EQ(create.v4, IpPrefix::parse("10.8.0.0/24"));
  EXPECT_EQ(create.v6, IpPrefix::parse("fd00:8::/64"));
  EXPECT_THAT(create.gateways, ElementsAre(address("10.8.0.254"), address("fd00:8::ff")));
  EXPECT_TRUE(create.isolated);
  EXPECT_THAT(create.dns_servers, ElementsAre(address("9.9.9.9")));
  EXPECT_THAT(create.routes,
              ElementsAre(Route{*IpPrefix::parse("192.0.2.0/24"), address("10.8.0.9")}));
  EXPECT_EQ(create.mtu, 9000);
  EXPECT_EQ(create.labels, (Labels{{"tier", "back"}}));
  EXPECT_EQ(create.bridge, "br-office");
}

TEST(NetworksFromWire, FillsInWhatMayBeLeftOut) {
  const controller::Mutation mutation = to_mutation(good_network(), {});
  const auto& create = std::get<controller::CreateNetwork>(mutation.body);
  EXPECT_THAT(mutation.context.violations, IsEmpty());
  EXPECT_EQ(create.v6, std::nullopt);
  EXPECT_EQ(create.mtu, 1500);
  EXPECT_FALSE(create.isolated);
  EXPECT_EQ(create.bridge, "");
}

TEST(NetworksFromWire, TellsEveryMistakeAtOnce) {
  v1::CreateNetworkRequest request;
  v1::Network& wire = *request.mutable_network();
  wire.set_ipv4_subnet("fd00::/64");
  wire.set_ipv6_subnet("10.8.0.0/24");
  wire.add_gateways("first");
  wire.add_dns_servers("9.9.9.9");
  wire.add_dns_servers("dns.example");
  wire.add_routes()->set_destination("everywhere");
  wire.set_bridge("swbr0");
  const std::string wrong = mistakes(request);
  EXPECT_THAT(wrong, HasSubstr("parent: "));
  EXPECT_THAT(wrong, HasSubstr("network_id: "));
  EXPECT_THAT(wrong, HasSubstr("network.ipv4_subnet: \"fd00::/64\" is no IPv4 network; write one "
                               "such as 10.8.0.0/24\n"));
  EXPECT_THAT(wrong, HasSubstr("network.ipv6_subnet: \"10.8.0.0/24\" is no IPv6 network; write one "
                               "such as fd00:8::/64\n"));
  EXPECT_THAT(wrong, HasSubstr("network.gateways[0]: \"first\" is no address; write one such as "
                               "10.8.0.1 or fd00:8::1\n"));
  EXPECT_THAT(wrong, HasSubstr("network.dns_servers[1]: \"dns.example\" is no address"));
  EXPECT_THAT(wrong, HasSubstr("network.routes[0].destination: \"everywhere\" is no network; write "
                               "one such as 192.0.2.0/24\n"));
  EXPECT_THAT(wrong, HasSubstr("network.routes[0].next_hop: \"\" is no address"));
  EXPECT_THAT(wrong, HasSubstr("network.bridge: \"swbr0\" is no name of a bridge of yours"));
}

TEST(NetworksFromWire, CountsBeforeItReads) {
  v1::CreateNetworkRequest request = good_network();
  for (int i = 0; i < 1000; ++i) {
    request.mutable_network()->add_gateways("x");
    request.mutable_network()->add_dns_servers("x");
    request.mutable_network()->add_routes();
  }
  EXPECT_EQ(mistakes(request),
            "network.gateways: has 1000; give at most 2\n"
            "network.dns_servers: has 1000; give at most 8\n"
            "network.routes: has 1000; give at most 32\n");
}

TEST(NetworksFromWire, ReadsDeletionsAndQueries) {
  v1::DeleteNetworkRequest remove;
  remove.set_name("projects/default/networks/back");
  remove.set_etag("7");
  const controller::Mutation mutation = to_mutation(remove, {});
  EXPECT_THAT(mutation.context.violations, IsEmpty());
  EXPECT_EQ(mutation.context.etag, "7");
  EXPECT_EQ(std::get<controller::DeleteNetwork>(mutation.body).project, "default");
  EXPECT_EQ(std::get<controller::DeleteNetwork>(mutation.body).id, "back");
  remove.set_name("projects/default/images/back");
  EXPECT_THAT(mistakes(remove), HasSubstr("name: "));

  v1::GetNetworkRequest get;
  get.set_name("projects/default/networks/back");
  EXPECT_EQ(std::get<controller::GetNetwork>(*to_query(get)).id, "back");
  v1::ListNetworksRequest list;
  list.set_parent("projects/-");
  list.set_page_size(7);
  EXPECT_EQ(std::get<controller::ListNetworks>(*to_query(list)).project, "-");
  EXPECT_EQ(std::get<controller::ListNetworks>(*to_query(list)).page.size, 7);
  EXPECT_FALSE(to_query(v1::GetNetworkRequest()).ok());
  EXPECT_FALSE(to_query(v1::ListNetworksRequest()).ok());
}

v1::CreateInstanceRequest instance_on(const std::string& network) {
  v1::CreateInstanceRequest request;
  request.set_parent("projects/default");
  request.set_instance_id("web");
  request.mutable_instance()->set_flavor("flavors/tiny");
  request.mutable_instance()->set_image("projects/default/images/i");
  request.mutable_instance()->add_network_interfaces()->set_network(network);
  return request;
}

TEST(PortsFromWire, ReadsSeveralWithTheirChosenAddresses) {
  v1::CreateInstanceRequest request = instance_on("projects/default/networks/flat");
  auto* second = request.mutable_instance()->add_network_interfaces();
  second->set_network("projects/default/networks/back");
  second->add_ip_addresses("fd00:8::5");
  second->add_ip_addresses("10.8.0.5");
  const controller::Mutation mutation = to_mutation(request, {});
  EXPECT_THAT(mutation.context.violations, IsEmpty());
  const auto& create = std::get<controller::CreateInstance>(mutation.body);
  ASSERT_THAT(create.ports, SizeIs(2));
  EXPECT_EQ(create.ports[0].network, "flat");
  EXPECT_THAT(create.ports[0].addresses, IsEmpty());
  EXPECT_EQ(create.ports[1].network, "back");
  EXPECT_THAT(create.ports[1].addresses, ElementsAre(address("fd00:8::5"), address("10.8.0.5")));
}

TEST(PortsFromWire, RefusesWhatIsNoPort) {
  EXPECT_THAT(mistakes(instance_on("projects/town/networks/back")),
              HasSubstr("instance.network_interfaces[0].network: belongs to project town"));
  v1::CreateInstanceRequest request = instance_on("projects/default/networks/flat");
  auto* port = request.mutable_instance()->mutable_network_interfaces(0);
  port->add_ip_addresses("ten");
  EXPECT_EQ(mistakes(request),
            "instance.network_interfaces[0].ip_addresses[0]: \"ten\" is no address; write one such "
            "as 10.8.0.1 or fd00:8::1\n");
  port->add_ip_addresses("10.0.0.7");
  port->add_ip_addresses("10.0.0.8");
  EXPECT_EQ(mistakes(request),
            "instance.network_interfaces[0].ip_addresses: has 3; give at most 2\n");
  for (int i = 0; i < 8; ++i) request.mutable_instance()->add_network_interfaces();
  EXPECT_EQ(mistakes(request), "instance.network_interfaces: has 9; give at most 8\n");
}

}  // namespace
}  // namespace stellwerk::convert
