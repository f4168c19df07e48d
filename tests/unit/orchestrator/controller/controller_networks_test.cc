// Networks of projects: what is made, what is refused and in which words, and how they go.
#include <gmock/gmock.h>

#include "tests/unit/orchestrator/controller/networks_harness.h"

namespace stellwerk::controller {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

TEST_F(ControllerNetworks, KeepsAllThatWasAskedFor) {
  CreateNetwork request = back();
  request.v6 = range("fd00:8::/64");
  request.gateways = {address("10.8.0.254")};
  request.dns_servers = {address("fd00:8::53"), address("9.9.9.9")};
  request.routes = {{range("192.0.2.0/24"), address("10.8.0.9")}};
  request.mtu = 9000;
  request.labels = {{"tier", "back"}};
  const Network answered = make(request);
  const auto stored = records::decode_network(cell_.table().at(records::network_key(answered.uid)));
  ASSERT_TRUE(stored.ok());
  EXPECT_EQ(stored->id, "back");
  EXPECT_EQ(stored->state, NetworkState::kActive);
  EXPECT_EQ(stored->v4->range, range("10.8.0.0/24"));
  EXPECT_EQ(stored->v4->gateway, address("10.8.0.254"));
  EXPECT_EQ(stored->v6->range, range("fd00:8::/64"));
  EXPECT_EQ(stored->v6->gateway, address("fd00:8::1")) << "the first address, where none is chosen";
  EXPECT_THAT(stored->dns_servers, ElementsAre(address("9.9.9.9"), address("fd00:8::53")));
  EXPECT_EQ(stored->routes, request.routes);
  EXPECT_EQ(stored->mtu, 9000);
  EXPECT_EQ(stored->labels, request.labels);
  EXPECT_TRUE(stored->make_bridge);
  EXPECT_THAT(stored->bridge, AllOf(StartsWith("swbr"), SizeIs(14)));
}

TEST_F(ControllerNetworks, IsAuditedToldAsAnEventAndOrderedWithItsCommit) {
  cell_.orders.clear();
  const Network network = make(back());
  const LogRecord log = cell_.log().back();
  ASSERT_THAT(log.audit, SizeIs(1));
  EXPECT_EQ(log.audit[0].method, "CreateNetwork");
  EXPECT_EQ(log.audit[0].resource, "projects/default/networks/back");
  ASSERT_THAT(log.events, SizeIs(1));
  EXPECT_EQ(log.events[0].type, "NetworkCreated");
  EXPECT_EQ(log.events[0].uid, network.uid.value());
  ASSERT_THAT(cell_.orders, SizeIs(1));
  EXPECT_THAT(cell_.orders[0].networks, SizeIs(2)) << "flat and back";
}

TEST_F(ControllerNetworks, HasABridgeOfItsOwnEach) {
  EXPECT_NE(make(back("a", "10.8.0.0/24")).bridge, make(back("b", "10.9.0.0/24")).bridge);
}

TEST_F(ControllerNetworks, AnIsolatedOneHasNoGateway) {
  CreateNetwork request = back();
  request.v6 = range("fd00:8::/64");
  request.isolated = true;
  const Network network = make(request);
  EXPECT_EQ(network.v4->gateway, std::nullopt);
  EXPECT_EQ(network.v6->gateway, std::nullopt);
  request.id = "other";
  request.v4 = range("10.9.0.0/24");
  request.v6 = std::nullopt;
  request.gateways = {address("10.9.0.1")};
  EXPECT_EQ(mistakes(request),
            "network.gateways: an isolated network has none; leave them out or do not ask for "
            "isolation\n");
}

TEST_F(ControllerNetworks, MayBeOfIpv6Alone) {
  CreateNetwork request = back();
  request.v4 = std::nullopt;
  request.v6 = range("fd00:8::/64");
  EXPECT_EQ(make(request).v4, std::nullopt);
}

TEST_F(ControllerNetworks, NeedsASubnetAndAName) {
  CreateNetwork request = back("Back 1");
  request.v4 = std::nullopt;
  const std::string wrong = mistakes(request);
  EXPECT_THAT(wrong, HasSubstr("network_id: "));
  EXPECT_THAT(wrong, HasSubstr("network.ipv4_subnet: is missing; give an IPv4 subnet such as "
                               "10.8.0.0/24, an IPv6 one, or both\n"));
}

TEST_F(ControllerNetworks, RefusesRangesThatCannotBeASubnet) {
  EXPECT_EQ(mistakes(back("back", "10.8.0.0/8")),
            "network.ipv4_subnet: /8 is too large; give a prefix length from 16 to 29\n");
  EXPECT_EQ(mistakes(back("back", "10.8.0.0/30")),
            "network.ipv4_subnet: /30 is too small; give a prefix length from 16 to 29\n");
  EXPECT_EQ(mistakes(back("back", "10.8.0.7/24")),
            "network.ipv4_subnet: 10.8.0.7/24 is an address within a network; did you mean "
            "\"10.8.0.0/24\"?\n");
  EXPECT_THAT(mistakes(back("back", "127.0.0.0/24")), HasSubstr("127.0.0.0/24 is reserved"));
  CreateNetwork request = back();
  request.v6 = range("fe80::/64");
  EXPECT_THAT(mistakes(request), HasSubstr("network.ipv6_subnet: fe80::/64 is reserved; give a "
                                           "private network such as \"fd00:64::/64\""));
}

TEST_F(ControllerNetworks, RefusesGatewaysThatAreNone) {
  const auto with = [this](std::vector<IpAddress> gateways) {
    CreateNetwork request = back();
    request.gateways = std::move(gateways);
    return mistakes(request);
  };
  EXPECT_EQ(with({address("10.9.0.1")}),
            "network.gateways: 10.9.0.1 is outside the subnet, 10.8.0.0/24\n");
  EXPECT_EQ(with({address("10.8.0.0")}),
            "network.gateways: 10.8.0.0 is the network address of the subnet, 10.8.0.0/24\n");
  EXPECT_EQ(with({address("10.8.0.255")}),
            "network.gateways: 10.8.0.255 is the broadcast address of the subnet, 10.8.0.0/24\n");
  EXPECT_EQ(with({address("10.8.0.1"), address("10.8.0.2")}),
            "network.gateways: 2 of IPv4 given; give at most one for each subnet\n");
  EXPECT_EQ(with({address("fd00::1")}),
            "network.gateways: 1 of IPv6 given; give at most one for each subnet\n");
}

TEST_F(ControllerNetworks, RefusesMtusThatNobodyCanUse) {
  const auto with = [this](int64_t mtu, bool v6) {
    CreateNetwork request = back();
    request.mtu = mtu;
    if (v6) request.v6 = range("fd00:8::/64");
    return mistakes(request);
  };
  EXPECT_EQ(with(575, false), "network.mtu: 575 bytes asked; give 576 to 9216\n");
  EXPECT_EQ(with(9217, false), "network.mtu: 9217 bytes asked; give 576 to 9216\n");
  EXPECT_EQ(with(-1, false), "network.mtu: -1 bytes asked; give 576 to 9216\n");
  EXPECT_EQ(with(1279, true),
            "network.mtu: 1279 bytes asked; give 1280 to 9216 (IPv6 needs at least 1280)\n");
}

TEST_F(ControllerNetworks, RefusesServersAndRoutesThatLeadNowhere) {
  CreateNetwork request = back();
  request.dns_servers = {address("9.9.9.9"), address("0.0.0.0"), address("ff02::1")};
  request.routes = {{range("192.0.2.0/24"), address("10.9.0.1")},
                    {range("192.0.2.7/24"), address("10.8.0.9")},
                    {range("fd00::/64"), address("10.8.0.9")},
                    {range("10.8.0.128/25"), address("10.8.0.9")},
                    {range("192.0.2.0/24"), address("10.8.0.255")}};
  EXPECT_EQ(mistakes(request),
            "network.dns_servers[1]: 0.0.0.0 is no server's address\n"
            "network.dns_servers[2]: ff02::1 is no server's address\n"
            "network.routes[0]: 10.9.0.1 is no neighbour: give an address of the network's own "
            "subnet\n"
            "network.routes[1]: 192.0.2.7/24 has bits behind its length; did you mean "
            "192.0.2.0/24?\n"
            "network.routes[2]: fd00::/64 cannot be reached via 10.8.0.9: they are of different "
            "families\n"
            "network.routes[3]: 10.8.0.128/25 lies within the network itself, 10.8.0.0/24; leave "
            "the route out\n"
            "network.routes[4]: 10.8.0.255 is no neighbour: give an address of the network's own "
            "subnet\n");
  request = back();
  request.dns_servers.assign(9, address("9.9.9.9"));
  request.routes.assign(33, {range("192.0.2.0/24"), address("10.8.0.9")});
  EXPECT_EQ(mistakes(request),
            "network.dns_servers: 9 given; at most 8 are of use\n"
            "network.routes: 33 given; at most 32 are possible\n");
}

TEST_F(ControllerNetworks, TakesANameOncePerProjectAndNeverTheCells) {
  make_project("town");
  make(back());
  const auto again = cell_.run(back("back", "10.9.0.0/24"));
  EXPECT_EQ(reason_of(again.status()), "NAME_TAKEN");
  EXPECT_EQ(message_of(again.status()), "network back exists; choose another id");
  const auto flat = cell_.run(back("flat", "10.9.0.0/24"));
  EXPECT_EQ(reason_of(flat.status()), "NAME_TAKEN");
  EXPECT_EQ(message_of(flat.status()), "network flat exists for every project; choose another id");
  CreateNetwork theirs = back("back", "10.9.0.0/24");
  theirs.project = "town";
  EXPECT_NE(make(theirs).uid, stored("back")->uid);
}

TEST_F(ControllerNetworks, UsesABridgeOfTheOperatorsUnderItsName) {
  CreateNetwork request = back();
  request.bridge = "br-office";
  const Network network = make(request);
  EXPECT_EQ(network.bridge, "br-office");
  EXPECT_FALSE(network.make_bridge);
  request = back("more", "10.9.0.0/24");
  request.bridge = "br-office";
  EXPECT_EQ(mistakes(request),
            "network.bridge: br-office carries another network already; a bridge carries one\n");
  request.bridge = "br0";
  EXPECT_THAT(mistakes(request), HasSubstr("br0 carries another network already"));
}

TEST_F(ControllerNetworks, RefusesNamesOfBridgesThatCannotBe) {
  for (const char* name : {"sixteen-letters-", "a/b", "swbr0", "sw", "br\n0"}) {
    CreateNetwork request = back();
    request.bridge = name;
    EXPECT_THAT(mistakes(request), HasSubstr("is no name of a bridge of yours; give 1 to 15 "
                                             "letters, digits, '-', '_' or '.', and none that "
                                             "begins with \"sw\""))
        << name;
  }
}

TEST_F(ControllerNetworks, ARepeatedRequestMakesOneAndAnswersAlike) {
  const Ticket first = cell_.submit(back(), "once");
  const Ticket again = cell_.submit(back(), "once");
  ASSERT_TRUE(cell_.answer(again).ok()) << describe(cell_.answer(again).status());
  const auto a = std::get<NetworkView>(*cell_.answer(first));
  const auto b = std::get<NetworkView>(*cell_.answer(again));
  EXPECT_EQ(a.network.uid, b.network.uid);
  EXPECT_EQ(b.project_id, "default");
  EXPECT_THAT(listed(), SizeIs(2));
  const Ticket other = cell_.submit(back("other", "10.9.0.0/24"), "once", "", "another body");
  EXPECT_EQ(reason_of(cell_.answer(other).status()), "REQUEST_ID_REUSED");
}

TEST_F(ControllerNetworks, ShowsTheCellsOwnInEveryProject) {
  make_project("town");
  const auto shown = cell_.read(GetNetwork{"town", "flat"});
  ASSERT_TRUE(shown.ok());
  EXPECT_EQ(std::get<NetworkView>(*shown).project_id, "town");
  EXPECT_THAT(listed("town"), SizeIs(1));
  make(back());
  EXPECT_EQ(cell_.read(GetNetwork{"town", "back"}).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(cell_.read(ListNetworks{"nobody", {}}).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(ControllerNetworks, AConfigurationThatContradictsThemIsRefusedAtTheStart) {
  CreateNetwork office = back();
  office.bridge = "br-office";
  office.v6 = range("fd00:8::/64");
  make(office);
  const auto refusal = [this](const Network& flat) {
    ControllerConfig config = CellHarness::default_config();
    config.networks = {flat};
    CellHarness after(config, cell_.state(), cell_.head());
    EXPECT_THAT(after.step_downs, SizeIs(1));
    return after.step_downs.empty() ? "" : after.step_downs[0];
  };
  Network flat = CellHarness::default_config().networks[0];
  flat.v4->range = range("10.8.0.128/25");
  flat.v4->gateway = address("10.8.0.129");
  EXPECT_THAT(refusal(flat), HasSubstr("network flat: 10.8.0.128/25 overlaps 10.8.0.0/24 of "
                                       "network back of project default; configure another subnet "
                                       "or delete that network first"));
  flat = CellHarness::default_config().networks[0];
  flat.v6 = Subnet{.range = range("fd00:8::/56"), .gateway = address("fd00:8::1"), .next = {}};
  EXPECT_THAT(refusal(flat), HasSubstr("fd00:8::/56 overlaps fd00:8::/64 of network back"));
  flat = CellHarness::default_config().networks[0];
  flat.bridge = "br-office";
  EXPECT_THAT(refusal(flat), HasSubstr("network flat: its bridge br-office carries network back of "
                                       "project default already; name another"));
}

TEST_F(ControllerNetworks, ListsThemInPages) {
  for (int i = 0; i < 4; ++i) {
    make(back("net-" + std::to_string(i), "10.8." + std::to_string(i) + ".0/24"));
  }
  std::vector<std::string> ids;
  ListNetworks list{"default", {.size = 2, .token = ""}};
  do {
    const auto page = std::get<Page<NetworkView>>(*cell_.read(list));
    for (const NetworkView& view : page.items) ids.push_back(view.network.id);
    list.page.token = page.next_token;
  } while (!list.page.token.empty() && ids.size() < 10);
  EXPECT_THAT(ids, ElementsAre("flat", "net-0", "net-1", "net-2", "net-3"));
}

TEST_F(ControllerNetworks, CountsThePortsOnIt) {
  make(back());
  CreateInstance request = CellHarness::web();
  request.ports = {{"back", {}}, {"back", {}}, {"flat", {}}};
  cell_.create(request);
  EXPECT_EQ(std::get<NetworkView>(*cell_.read(GetNetwork{"default", "back"})).ports, 2);
}

class DeletedNetworks : public ControllerNetworks {
 protected:
  absl::StatusOr<Answer> remove(std::string id = "back") {
    return cell_.run(DeleteNetwork{"default", std::move(id)});
  }
};

TEST_F(DeletedNetworks, IsRefusedWhileInstancesUseItAndNamesThem) {
  make(back());
  CreateInstance request = CellHarness::web();
  request.ports = {{"flat", {}}, {"back", {}}};
  const Instance instance = cell_.create(request);
  request.id = "web-2";
  request.ports = {{"flat", {}}};
  cell_.create(request);
  const auto refused = remove();
  EXPECT_EQ(reason_of(refused.status()), "NETWORK_IN_USE");
  EXPECT_EQ(message_of(refused.status()),
            "network back is used by: web-1; delete these instances first");
  EXPECT_EQ(stored("back")->state, NetworkState::kActive);
  ASSERT_TRUE(cell_.run(DeleteInstance{"default", "web-1"}).ok());
  EXPECT_EQ(reason_of(remove().status()), "NETWORK_IN_USE")
      << "the guest may still be there until its host says otherwise";
  cell_.report(host_, {.instance = instance.uid,
                       .observed = {.phase = Phase::kDeleted, .generation = Generation(2)}});
  EXPECT_TRUE(remove().ok());
}

TEST_F(DeletedNetworks, TheCellsOwnIsTheConfigurations) {
  const auto refused = remove("flat");
  EXPECT_EQ(reason_of(refused.status()), "CELL_NETWORK");
  EXPECT_THAT(std::string(message_of(refused.status())), HasSubstr("daemon's configuration"));
}

TEST_F(DeletedNetworks, GoesWhenEveryHostHasTakenItsBridgeAway) {
  const HostUid second = cell_.connect_host("host-2");
  const Network network = make(back());
  const auto answer = remove();
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(std::get<NetworkView>(*answer).network.state, NetworkState::kDeleting);
  ASSERT_NE(stored("back"), nullptr);
  const auto& ordered = cell_.orders.back().networks;
  EXPECT_TRUE(std::ranges::any_of(ordered, [&](const Network& one) {
    return one.uid == network.uid && one.state == NetworkState::kDeleting;
  }));
  EXPECT_TRUE(remove().ok()) << "deleting it twice is no mistake";

  cell_.report_networks_gone(host_, {network.uid});
  ASSERT_NE(stored("back"), nullptr) << "the other host may still have its bridge";
  cell_.report_networks_gone(second, {network.uid});
  EXPECT_EQ(stored("back"), nullptr);
  EXPECT_FALSE(cell_.table().contains(records::network_key(network.uid)));
  EXPECT_EQ(remove().status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(cell_.event_types(), Contains("NetworkDeleteRequested"));
  EXPECT_THAT(cell_.event_types(), Contains("NetworkDeleted"));
}

TEST_F(DeletedNetworks, NoReportTakesAwayWhatNobodyDeleted) {
  const Network network = make(back());
  cell_.report_networks_gone(host_, {network.uid, NetworkUid(test_uuid("unknown"))});
  ASSERT_NE(stored("back"), nullptr);
  EXPECT_EQ(stored("back")->state, NetworkState::kActive);
}

TEST_F(DeletedNetworks, OneOnTheOperatorsBridgeGoesAtOnce) {
  CreateNetwork request = back();
  request.bridge = "br-office";
  make(request);
  EXPECT_TRUE(remove().ok());
  EXPECT_EQ(stored("back"), nullptr);
}

TEST_F(DeletedNetworks, TakesNoNewPortsAndKeepsItsNameUntilItIsGone) {
  const Network network = make(back());
  ASSERT_TRUE(remove().ok());
  CreateInstance request = CellHarness::web();
  request.ports = {{"back", {}}};
  const auto refused = cell_.run(request);
  ASSERT_THAT(violations_of(refused.status()), SizeIs(1));
  EXPECT_EQ(violations_of(refused.status())[0].field, "instance.network_interfaces[0].network");
  EXPECT_EQ(violations_of(refused.status())[0].description, "network back is being deleted");
  EXPECT_EQ(message_of(cell_.run(back("back", "10.9.0.0/24")).status()),
            "network back exists and is being deleted; choose another id");
  EXPECT_THAT(mistakes(back("more")), HasSubstr("overlaps 10.8.0.0/24 of network back"))
      << "its bridge is still on the host";
  cell_.report_networks_gone(host_, {network.uid});
  EXPECT_NE(make(back()).uid, network.uid) << "name and range are free again";
}

TEST_F(DeletedNetworks, HeedsEtagAndRequestId) {
  const Network network = make(back());
  const Ticket stale = cell_.submit(DeleteNetwork{"default", "back"}, "", "7");
  EXPECT_EQ(reason_of(cell_.answer(stale).status()), "ETAG_MISMATCH");
  const Ticket first =
      cell_.submit(DeleteNetwork{"default", "back"}, "gone", etag_of(network.changed_at));
  ASSERT_TRUE(cell_.answer(first).ok()) << describe(cell_.answer(first).status());
  cell_.report_networks_gone(host_, {network.uid});
  const Ticket again =
      cell_.submit(DeleteNetwork{"default", "back"}, "gone", etag_of(network.changed_at));
  ASSERT_TRUE(cell_.answer(again).ok()) << "its repetition was not known";
  EXPECT_EQ(std::get<NetworkView>(*cell_.answer(again)).network.uid, network.uid);
}

TEST_F(DeletedNetworks, AProjectKeepsItsNetworks) {
  make_project("town");
  CreateNetwork theirs = back();
  theirs.project = "town";
  make(theirs);
  const auto refused = cell_.run(DeleteProject{"town"});
  EXPECT_EQ(reason_of(refused.status()), "PROJECT_IN_USE");
  EXPECT_THAT(std::string(message_of(refused.status())), HasSubstr("networks: back"));
}

TEST_F(DeletedNetworks, DeletionGoesOnAfterARestart) {
  const Network network = make(back());
  ASSERT_TRUE(remove().ok());
  CellHarness after(CellHarness::default_config(), cell_.state(), cell_.head());
  const HostUid host = after.connect_host();
  after.report_networks_gone(host, {network.uid});
  EXPECT_FALSE(after.state().networks.contains(network.uid));
}

}  // namespace
}  // namespace stellwerk::controller
