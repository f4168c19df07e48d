// Ports of instances: which addresses and MACs they get, and that no two get the same.
#include <gmock/gmock.h>

#include "orchestrator/controller/addresses.h"
#include "tests/unit/orchestrator/controller/cell_harness.h"

namespace stellwerk::controller {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

IpAddress address(std::string_view text) {
  return IpAddress::parse(text).value();
}

class ControllerPorts : public ::testing::Test {
 protected:
  void SetUp() override {
    host_ = cell_.connect_host("host-1", gibibytes(256));
    cell_.import_image();
    ASSERT_TRUE(cell_
                    .run(CreateNetwork{.project = "default",
                                       .id = "dual",
                                       .bridge = "",
                                       .v4 = IpPrefix::parse("10.8.0.0/24"),
                                       .v6 = IpPrefix::parse("fd00:8::/64")})
                    .ok());
  }
  static CreateInstance asking(std::string id, std::vector<PortRequest> ports) {
    CreateInstance request = CellHarness::web(std::move(id));
    request.ports = std::move(ports);
    return request;
  }
  std::vector<Port> ports(std::string id, std::vector<PortRequest> ports) {
    return cell_.create(asking(std::move(id), std::move(ports))).ports;
  }
  std::string mistakes(std::vector<PortRequest> ports) {
    return cell_.mistakes(asking("wrong", std::move(ports)));
  }
  void remove(CellHarness& cell, const Instance& instance) {
    ASSERT_TRUE(cell.run(DeleteInstance{"default", instance.id}).ok());
    cell.report(host_,
                {.instance = instance.uid,
                 .observed = {.phase = Phase::kDeleted,
                              .generation = cell.state().instances.at(instance.uid).generation}});
    ASSERT_FALSE(cell.state().instances.contains(instance.uid));
  }

  CellHarness cell_;
  HostUid host_;
};

TEST_F(ControllerPorts, GetsOneAddressOfEachSubnet) {
  const auto got = ports("a", {{"dual", {}}});
  ASSERT_THAT(got, SizeIs(1));
  EXPECT_THAT(got[0].addresses, ElementsAre(address("10.8.0.2"), address("fd00:8::2")));
  EXPECT_THAT(ports("b", {{"dual", {}}})[0].addresses,
              ElementsAre(address("10.8.0.3"), address("fd00:8::3")));
}

TEST_F(ControllerPorts, GetsTheChosenAddressAndTheRestAllocated) {
  EXPECT_THAT(ports("a", {{"dual", {address("fd00:8::beef")}}})[0].addresses,
              ElementsAre(address("10.8.0.2"), address("fd00:8::beef")));
  EXPECT_THAT(ports("b", {{"dual", {address("fd00:8::5"), address("10.8.0.77")}}})[0].addresses,
              ElementsAre(address("10.8.0.77"), address("fd00:8::5")));
}

TEST_F(ControllerPorts, SeveralPortsOfOneInstanceShareNothing) {
  const auto got = ports("a", {{"dual", {}}, {"flat", {}}, {"dual", {}}});
  ASSERT_THAT(got, SizeIs(3));
  EXPECT_EQ(got[0].network, got[2].network);
  EXPECT_THAT(got[0].addresses, ElementsAre(address("10.8.0.2"), address("fd00:8::2")));
  EXPECT_THAT(got[1].addresses, ElementsAre(address("10.0.0.2")));
  EXPECT_THAT(got[2].addresses, ElementsAre(address("10.8.0.3"), address("fd00:8::3")));
  EXPECT_NE(got[0].mac, got[2].mac);
}

TEST_F(ControllerPorts, TheAddressThatOnePortChoosesIsNotAllocatedToAnother) {
  const auto got = ports("a", {{"flat", {}}, {"flat", {address("10.0.0.2")}}});
  ASSERT_THAT(got, SizeIs(2));
  EXPECT_THAT(got[1].addresses, ElementsAre(address("10.0.0.2")));
  EXPECT_THAT(got[0].addresses, ElementsAre(address("10.0.0.3")));
}

TEST_F(ControllerPorts, TwoPortsCannotChooseTheSameAddress) {
  EXPECT_EQ(mistakes({{"flat", {address("10.0.0.4")}}, {"flat", {address("10.0.0.4")}}}),
            "instance.network_interfaces[1].ip_addresses: 10.0.0.4 is taken; choose another or "
            "leave it out\n");
}

TEST_F(ControllerPorts, RefusesAddressesThatAPortCannotHave) {
  ports("a", {{"flat", {address("10.0.0.4")}}});
  const auto choosing = [this](std::string_view text) {
    return mistakes({{"flat", {address(text)}}});
  };
  const std::string field = "instance.network_interfaces[0].ip_addresses: ";
  EXPECT_EQ(choosing("10.0.0.4"), field + "10.0.0.4 is taken; choose another or leave it out\n");
  EXPECT_EQ(choosing("10.9.0.4"),
            field + "10.9.0.4 is not of network flat, which has 10.0.0.0/29\n");
  EXPECT_EQ(choosing("fd00::1"), field + "fd00::1 is not of network flat, which has 10.0.0.0/29\n");
  EXPECT_EQ(choosing("10.0.0.1"),
            field + "10.0.0.1 is the gateway of network flat; choose another\n");
  const std::string reserved = " is reserved in 10.0.0.0/29; choose one between its first and last";
  EXPECT_EQ(choosing("10.0.0.0"), field + "10.0.0.0" + reserved + "\n");
  EXPECT_EQ(choosing("10.0.0.7"), field + "10.0.0.7" + reserved + "\n");
  EXPECT_EQ(mistakes({{"dual", {address("fd00:8::")}}}),
            field + "fd00:8:: is reserved in fd00:8::/64; choose one between its first and last\n");
  EXPECT_EQ(mistakes({{"dual", {address("10.0.0.9")}}}),
            field + "10.0.0.9 is not of network dual, which has 10.8.0.0/24 and fd00:8::/64\n");
  EXPECT_EQ(mistakes({{"flat", {address("10.0.0.5"), address("10.0.0.6")}}}),
            field + "a port has at most one address of each family; give it fewer\n");
}

TEST_F(ControllerPorts, RefusesANetworkOfAnotherProjectAsIfThereWereNone) {
  ASSERT_TRUE(cell_.run(CreateProject{.id = "town"}).ok());
  cell_.import_image("debian", gibibytes(2), "town");
  CreateInstance request = asking("theirs", {{"dual", {}}});
  request.project = "town";
  const auto refused = cell_.run(request);
  ASSERT_THAT(violations_of(refused.status()), SizeIs(1));
  EXPECT_EQ(violations_of(refused.status())[0].description,
            "there is no network \"dual\"; there are: flat");
}

TEST_F(ControllerPorts, HasEightAtMost) {
  EXPECT_THAT(ports("many", std::vector<PortRequest>(8, {"dual", {}})), SizeIs(8));
  EXPECT_EQ(mistakes(std::vector<PortRequest>(9, {"dual", {}})),
            "instance.network_interfaces: 9 asked; an instance has at most 8\n");
}

TEST_F(ControllerPorts, SaysWhenARangeIsExhaustedAndTakesNothing) {
  ports("all", std::vector<PortRequest>(5, {"flat", {}}));
  const auto refused = cell_.run(asking("late", {{"dual", {}}, {"flat", {}}}));
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(reason_of(refused.status()), "ADDRESSES_EXHAUSTED");
  EXPECT_EQ(message_of(refused.status()),
            "network flat: no address of 10.0.0.0/29 is free; delete instances or "
            "make a network with a larger subnet");
  EXPECT_THAT(ports("next", {{"dual", {}}})[0].addresses,
              ElementsAre(address("10.8.0.2"), address("fd00:8::2")))
      << "the refused one has taken an address";
}

TEST_F(ControllerPorts, AFreedAddressComesLast) {
  const Instance first = cell_.create(asking("a", {{"flat", {}}}));
  ports("b", {{"flat", {}}});
  remove(cell_, first);
  std::vector<IpAddress> given;
  for (const char* id : {"c", "d", "e", "f"}) {
    given.push_back(ports(id, {{"flat", {}}})[0].addresses[0]);
  }
  EXPECT_THAT(given, ElementsAre(address("10.0.0.4"), address("10.0.0.5"), address("10.0.0.6"),
                                 address("10.0.0.2")));
}

TEST_F(ControllerPorts, AddressesAndMacsSurviveARestart) {
  const Instance before = cell_.create(asking("a", {{"dual", {}}, {"flat", {}}}));
  CellHarness after(CellHarness::default_config(), cell_.state(), cell_.head());
  after.connect_host("host-1", gibibytes(256));
  EXPECT_EQ(after.state().instances.at(before.uid).ports, before.ports);
  const Instance next = after.create(asking("b", {{"dual", {}}, {"flat", {}}}));
  EXPECT_THAT(next.ports[0].addresses, ElementsAre(address("10.8.0.3"), address("fd00:8::3")));
  EXPECT_THAT(next.ports[1].addresses, ElementsAre(address("10.0.0.3")));
  EXPECT_GT(next.ports[0].mac, before.ports[1].mac);
  remove(after, before);
  CellHarness later(CellHarness::default_config(), after.state(), after.head());
  later.connect_host("host-1", gibibytes(256));
  EXPECT_THAT(later.create(asking("c", {{"flat", {}}})).ports[0].addresses,
              ElementsAre(address("10.0.0.4")))
      << "the cursor was lost, so a freed address came first";
}

TEST_F(ControllerPorts, Ipv6AddressesOfTheCellsNetworkGoOnAfterARestart) {
  ControllerConfig config = CellHarness::default_config();
  config.networks[0].v6 =
      Subnet{.range = *IpPrefix::parse("fd00:9::/64"), .gateway = address("fd00:9::1"), .next = {}};
  CellHarness before(config, cell_.state(), cell_.head());
  before.connect_host("host-1", gibibytes(256));
  remove(before, before.create(asking("a", {{"flat", {}}})));
  CellHarness after(config, before.state(), before.head());
  after.connect_host("host-1", gibibytes(256));
  EXPECT_THAT(after.create(asking("b", {{"flat", {}}})).ports[0].addresses,
              ElementsAre(address("10.0.0.3"), address("fd00:9::3")));
}

TEST_F(ControllerPorts, NoMacIsGivenTwiceInTheCell) {
  const Instance first = cell_.create(asking("a", {{"dual", {}}, {"flat", {}}}));
  EXPECT_EQ(first.ports[1].mac, first.ports[0].mac + 1) << "networks count for themselves";
  remove(cell_, first);
  const Instance again = cell_.create(asking("a", {{"dual", {}}, {"flat", {}}}));
  EXPECT_EQ(again.ports[0].mac, first.ports[1].mac + 1);
}

TEST_F(ControllerPorts, GoesOnFromTheMacsThatNetworksCountedOnceThemselves) {
  CellState state = cell_.state();
  state.cell->next_mac = 0;
  uint64_t most = 0xff0000;
  for (auto& [uid, network] : state.networks) network.next_mac = ++most;
  CellHarness after(CellHarness::default_config(), state, cell_.head());
  after.connect_host("host-1", gibibytes(256));
  EXPECT_EQ(after.create(asking("a", {{"flat", {}}})).ports[0].mac, mac_number(most));
  EXPECT_EQ(after.state().cell->next_mac, most + 1);
}

// A restored backup has forgotten guests that run on, and counts again where it counted then.
TEST_F(ControllerPorts, WhatAnOrphanHoldsIsGivenToNobodyElse) {
  const Port first = ports("a", {{"dual", {}}}).at(0);
  const Port held{.network = first.network,
                  .mac = first.mac + 1,
                  .addresses = {*first.addresses[0].plus(1), *first.addresses[1].plus(1)}};
  const OrphanReport orphan{
      .uuid = Uuid::v5(Uuid(), "lost"), .name = "stellwerk-lost", .ports = {held}};
  cell_.report_orphans(host_, {orphan});
  EXPECT_THAT(mistakes({{"dual", {held.addresses[0]}}}), HasSubstr("is taken"));
  const Port next = ports("b", {{"dual", {}}}).at(0);
  EXPECT_EQ(next.mac, first.mac + 2);
  EXPECT_THAT(next.addresses,
              ElementsAre(*first.addresses[0].plus(2), *first.addresses[1].plus(2)));
  cell_.report_orphans(host_, {});
  EXPECT_THAT(ports("c", {{"dual", {held.addresses[0]}}}).at(0).addresses[0], held.addresses[0]);
}

TEST_F(ControllerPorts, KeepsIngressRules) {
  CreateInstance request = asking("a", {{"flat", {}}});
  request.ingress = {
      {.protocol = IpProtocol::kTcp, .ports = {443, 443}, .from = *IpPrefix::parse("0.0.0.0/0")}};
  const Instance instance = cell_.create(request);
  const auto stored =
      records::decode_instance(cell_.table().at(records::instance_key(instance.uid)));
  EXPECT_EQ(stored->ingress, request.ingress);
  EXPECT_EQ(cell_.orders.back().instances[0].ingress, request.ingress);
}

}  // namespace
}  // namespace stellwerk::controller
