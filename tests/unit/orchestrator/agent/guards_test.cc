#include "orchestrator/agent/guards.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../../../support/status_assertions.h"
#include "drivers/firewall/check.h"
#include "orchestrator/agent/plan.h"

namespace stellwerk::agent {
namespace {

using firewall::GuardedNetwork;
using firewall::GuardedPort;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

IpAddress address(std::string_view text) {
  return IpAddress::parse(text).value();
}
IpPrefix prefix(std::string_view text) {
  return IpPrefix::parse(text).value();
}
ProjectUid project(std::string_view name) {
  return ProjectUid(Uuid::v5(Uuid(), name));
}

Network network(std::string_view name) {
  Network network;
  network.uid = NetworkUid(Uuid::v5(Uuid(), name));
  network.id = name;
  network.bridge = "swbr0";
  network.v4 = Subnet{.range = prefix("10.8.0.0/24"), .gateway = address("10.8.0.1"), .next = {}};
  network.v6 = Subnet{.range = prefix("fd00:8::/64"), .gateway = address("fd00:8::1"), .next = {}};
  return network;
}

Instance instance(std::string_view id, std::vector<Port> ports) {
  Instance instance;
  instance.uid = InstanceUid(Uuid::v5(Uuid(), id));
  instance.project = project("town");
  instance.id = id;
  instance.ports = std::move(ports);
  return instance;
}

std::string key(const Network& network, std::string_view of) {
  return network.uid.to_string() + "/" + project(of).to_string();
}

TEST(Guards, NameEveryPortWithWhatIsItsOwn) {
  const Network back = network("back");
  const Network front = network("front");
  Instance web = instance("web", {{back.uid, 0x525400000001, {address("10.8.0.5")}},
                                  {front.uid, 0x525400000002, {address("fd00:8::5")}}});
  web.ingress = {{.protocol = IpProtocol::kTcp, .ports = {80, 443}, .from = prefix("0.0.0.0/0")},
                 {.protocol = IpProtocol::kUdp, .ports = {53, 53}, .from = prefix("10.0.0.0/8")},
                 {.protocol = IpProtocol::kIcmp, .ports = {}, .from = prefix("::/0")},
                 {.protocol = IpProtocol::kAny, .ports = {}, .from = prefix("192.0.2.0/24")}};
  const std::vector<Network> networks = {back, front};
  EXPECT_THAT(guarded_ports(web, networks),
              ElementsAre(GuardedPort{.interface_name = interface_name(web.uid, 0),
                                      .mac = 0x525400000001,
                                      .addresses = {address("10.8.0.5")},
                                      .network = key(back, "town"),
                                      .ingress = web.ingress},
                          GuardedPort{.interface_name = interface_name(web.uid, 1),
                                      .mac = 0x525400000002,
                                      .addresses = {address("fd00:8::5")},
                                      .network = key(front, "town"),
                                      .ingress = web.ingress}));
}

TEST(Guards, APortOnANetworkThatNobodyDescribedReachesNobody) {
  const Instance web = instance("web", {{NetworkUid(Uuid({9})), 1, {address("10.8.0.5")}}});
  const HostOrders orders{.instances = {web}};
  const auto ruleset = guards_of(orders, {});
  ASSERT_THAT(ruleset.ports, SizeIs(1));
  EXPECT_THAT(ruleset.ports[0].addresses, IsEmpty());
  ASSERT_THAT(ruleset.networks, SizeIs(1));
  EXPECT_THAT(ruleset.networks[0].neighbours, IsEmpty());
}

TEST(Guards, OnlyTheGatewaysAreNeighboursOnABridgeOfOurs) {
  const Network back = network("back");
  const HostOrders orders{.instances = {instance("web", {{back.uid, 1, {address("10.8.0.5")}}})},
                          .networks = {back}};
  EXPECT_THAT(
      guards_of(orders, {}).networks,
      ElementsAre(GuardedNetwork{.key = key(back, "town"),
                                 .neighbours = {prefix("10.8.0.1/32"), prefix("fd00:8::1/128")}}));
  Network isolated = back;
  isolated.v4->gateway.reset();
  isolated.v6->gateway.reset();
  const HostOrders alone{.instances = orders.instances, .networks = {isolated}};
  EXPECT_THAT(guards_of(alone, {}).networks,
              ElementsAre(GuardedNetwork{.key = key(back, "town"), .neighbours = {}}));
}

TEST(Guards, TheSubnetIsANeighbourOnABridgeOfTheOperators) {
  Network office = network("office");
  office.make_bridge = false;
  const HostOrders orders{.instances = {instance("web", {{office.uid, 1, {address("10.8.0.5")}}})},
                          .networks = {office}};
  EXPECT_THAT(
      guards_of(orders, {}).networks,
      ElementsAre(GuardedNetwork{.key = key(office, "town"),
                                 .neighbours = {prefix("10.8.0.0/24"), prefix("fd00:8::/64")}}));
}

TEST(Guards, ProjectsOnOneNetworkOfTheCellsAreStrangers) {
  const Network flat = network("flat");
  const Instance web = instance("web", {{flat.uid, 1, {address("10.8.0.5")}}});
  Instance theirs = instance("theirs", {{flat.uid, 2, {address("10.8.0.6")}}});
  theirs.project = project("village");
  const HostOrders orders{.instances = {web, theirs}, .networks = {flat}};
  const auto ruleset = guards_of(orders, {});
  ASSERT_THAT(ruleset.ports, SizeIs(2));
  EXPECT_NE(ruleset.ports[0].network, ruleset.ports[1].network);
  EXPECT_THAT(ruleset.networks, SizeIs(2));
}

TEST(Guards, OrphansAreGuardedAsTheirDomainsRememberThemAndNamesAreInOrder) {
  const Network back = network("back");
  HostOrders orders{.networks = {back}};
  for (const char* id : {"a", "b", "c", "d"}) {
    orders.instances.push_back(instance(id, {{back.uid, 1, {address("10.8.0.5")}}}));
  }
  const std::vector<Instance> orphans = {instance("lost", {{back.uid, 7, {address("10.8.0.9")}}})};
  const auto ruleset = guards_of(orders, orphans);
  EXPECT_EQ(ruleset.port_prefix, "sw");
  EXPECT_THAT(ruleset.ports, SizeIs(5));
  EXPECT_TRUE(std::ranges::is_sorted(ruleset.ports, {}, &GuardedPort::interface_name));
  EXPECT_TRUE(is_guarded(orphans[0], orders.networks, ruleset));
  EXPECT_THAT(ruleset.networks, SizeIs(1)) << "one network is described once";
}

TEST(Guards, AllowRulesOfOrphansAreNotTrusted) {
  const Network back = network("back");
  Instance lost = instance("lost", {{back.uid, 7, {address("10.8.0.9")}}});
  lost.ingress = {{.protocol = IpProtocol::kAny, .ports = {}, .from = prefix("0.0.0.0/0")}};
  const HostOrders orders{.networks = {back}};
  const auto ruleset = guards_of(orders, std::vector{lost});
  ASSERT_THAT(ruleset.ports, SizeIs(1));
  EXPECT_THAT(ruleset.ports[0].ingress, IsEmpty());
  EXPECT_THAT(ruleset.ports[0].addresses, ElementsAre(address("10.8.0.9")));
}

TEST(Guards, AnOrphanThatTheFirewallWouldRefuseHarmsNobodyElse) {
  const Network back = network("back");
  const Instance web = instance("web", {{back.uid, 1, {address("10.8.0.5")}}});
  const HostOrders orders{.instances = {web}, .networks = {back}};
  Instance no_mac = instance("a", {{back.uid, 2, {}}, {back.uid, 0, {}}});
  Instance bad_range = instance("b", {{back.uid, 3, {}}});
  bad_range.ingress = {
      {.protocol = IpProtocol::kTcp, .ports = {9, 1}, .from = {address("10.1.2.3"), 8}}};
  Instance same_name = instance("c", {{back.uid, 4, {}}});
  same_name.uid = web.uid;
  const Instance sound = instance("d", {{back.uid, 5, {}}});
  Instance many = instance("e", std::vector<Port>(17, {back.uid, 6, {}}));
  const auto ruleset =
      guards_of(orders, std::vector{no_mac, bad_range, same_name, sound, sound, many});
  std::vector<uint64_t> macs;
  for (const GuardedPort& port : ruleset.ports) macs.push_back(port.mac);
  EXPECT_THAT(macs, ::testing::UnorderedElementsAre(1, 3, 5));
  EXPECT_OK(firewall::check(ruleset));
  EXPECT_TRUE(is_guarded(web, orders.networks, ruleset));
}

TEST(Guards, InterfacesThatCannotBeOursAreStrangers) {
  const Network back = network("back");
  const Instance web = instance("web", {{back.uid, 1, {address("10.8.0.5")}}});
  const HostOrders orders{.instances = {web}, .networks = {back}};
  const std::vector<network::ObservedPort> seen = {{interface_name(web.uid, 0), "swbr0"},
                                                   {"sw0123456789ab", "swbr0"},
                                                   {"sw\"x", "br0"},
                                                   {"swp1", "br0"}};
  const auto ruleset = guards_of(orders, {}, seen);
  EXPECT_THAT(ruleset.strangers, ElementsAre("swp1"));
  EXPECT_OK(firewall::check(ruleset));
}

TEST(Guards, AnInstanceIsGuardedOnceEveryPortOfItIsSo) {
  const Network back = network("back");
  const std::vector<Network> networks = {back};
  Instance web =
      instance("web", {{back.uid, 1, {address("10.8.0.5")}}, {back.uid, 2, {address("10.8.0.6")}}});
  const HostOrders orders{.instances = {web}, .networks = networks};
  firewall::Ruleset ruleset = guards_of(orders, {});
  EXPECT_TRUE(is_guarded(web, networks, ruleset));
  EXPECT_TRUE(is_guarded(instance("portless", {}), networks, {}));
  EXPECT_FALSE(is_guarded(web, networks, {}));
  web.ingress = {{.protocol = IpProtocol::kAny, .ports = {}, .from = prefix("::/0")}};
  EXPECT_FALSE(is_guarded(web, networks, ruleset)) << "its new rule is not in force";
  web.ingress.clear();
  ruleset.ports.pop_back();
  EXPECT_FALSE(is_guarded(web, networks, ruleset)) << "its second port is not guarded";
}

}  // namespace
}  // namespace stellwerk::agent
