#include "harness.h"

namespace stellwerk::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class NetworkCommands : public CliTest {
 protected:
  NetworkCommands() { daemon.script().networks = {flat(), back()}; }

  static v1::Network flat() {
    v1::Network network;
    network.set_name("projects/default/networks/flat");
    network.set_state(v1::Network::ACTIVE);
    network.set_ipv4_subnet("10.64.0.0/24");
    network.add_gateways("10.64.0.1");
    network.set_mtu_bytes(1500);
    network.set_bridge("stellwerk0");
    network.set_cell_owned(true);
    network.set_port_count(3);
    network.set_etag("1");
    *network.mutable_create_time() = seconds_ago(7200);
    return network;
  }
  static v1::Network back() {
    v1::Network network;
    network.set_name("projects/default/networks/back");
    network.set_uid("u");
    network.set_state(v1::Network::DELETING);
    network.set_ipv4_subnet("10.8.0.0/24");
    network.set_ipv6_subnet("fd00:8::/64");
    network.set_isolated(true);
    network.add_dns_servers("9.9.9.9");
    network.add_dns_servers("fd00:8::53");
    auto* route = network.add_routes();
    route->set_destination("192.0.2.0/24");
    route->set_next_hop("10.8.0.9");
    network.set_mtu_bytes(9000);
    network.set_bridge("swbr0011223344");
    (*network.mutable_labels())["tier"] = "back";
    network.set_etag("17");
    *network.mutable_create_time() = seconds_ago(600);
    return network;
  }
};

TEST_F(NetworkCommands, ListIsAnAlignedTable) {
  EXPECT_EQ(run({"network", "list"}).out,
            "NAME   STATE      SUBNETS                    ISOLATED   PORTS   AGE\n"
            "flat   active     10.64.0.0/24               no         3       2 h\n"
            "back   deleting   10.8.0.0/24, fd00:8::/64   yes        0       10 min\n");
}

TEST_F(NetworkCommands, WideListAddsMtuBridgeEtagAndUid) {
  EXPECT_THAT(run({"network", "list", "-o", "wide"}).out,
              AllOf(HasSubstr("MTU    BRIDGE           ETAG   UID"),
                    HasSubstr("9000   swbr0011223344   17     u\n")));
}

TEST_F(NetworkCommands, ListOfAllProjectsNamesThem) {
  EXPECT_THAT(run({"network", "list", "--project", "-"}).out,
              AllOf(StartsWith("PROJECT   NAME"), HasSubstr("default   back")));
  EXPECT_THAT(daemon.calls().at(0).request, StartsWith("parent: \"projects/-\""));
}

TEST_F(NetworkCommands, ShowTellsEverything) {
  EXPECT_EQ(run({"network", "show", "back"}).out,
            "Name:          back\n"
            "Project:       default\n"
            "State:         deleting\n"
            "Subnets:       10.8.0.0/24, fd00:8::/64\n"
            "Isolated:      yes\n"
            "DNS servers:   9.9.9.9, fd00:8::53\n"
            "Route:         192.0.2.0/24 via 10.8.0.9\n"
            "MTU:           9000\n"
            "Bridge:        swbr0011223344\n"
            "Ports:         0\n"
            "Labels:        tier=back\n"
            "Created:       2026-11-23T04:50:00Z (10 min ago)\n"
            "UID:           u\n"
            "Etag:          17\n");
  EXPECT_THAT(
      run({"network", "show", "flat"}).out,
      AllOf(HasSubstr("Project:    of every project\n"), HasSubstr("Gateways:   10.64.0.1\n")));
  EXPECT_EQ(run({"network", "show", "none"}).code, 3);
}

TEST_F(NetworkCommands, CreateSendsAllThatWasAskedFor) {
  const Ran ran =
      run({"network",  "create",      "back",       "--subnet",   "fd00:8::/64",
           "--subnet", "10.8.0.0/24", "--gateway",  "10.8.0.254", "--dns",
           "9.9.9.9",  "--dns",       "fd00:8::53", "--route",    "192.0.2.0/24=10.8.0.9",
           "--mtu",    "9000",        "--bridge",   "br-office",  "--label",
           "tier=back"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, AllOf(HasSubstr("back"), HasSubstr("10.8.0.0/24, fd00:8::/64")));
  EXPECT_THAT(
      daemon.calls().at(0).request,
      StartsWith("parent: \"projects/default\" network_id: \"back\" network { ipv4_subnet: "
                 "\"10.8.0.0/24\" ipv6_subnet: \"fd00:8::/64\" gateways: \"10.8.0.254\" "
                 "dns_servers: \"9.9.9.9\" dns_servers: \"fd00:8::53\" routes { destination: "
                 "\"192.0.2.0/24\" next_hop: \"10.8.0.9\" } mtu_bytes: 9000 labels { key: "
                 "\"tier\" value: \"back\" } bridge: \"br-office\" } request_id:"));
}

TEST_F(NetworkCommands, CreateIsolated) {
  EXPECT_EQ(run({"network", "create", "alone", "--subnet", "10.9.0.0/24", "--isolated"}).code, 0);
  EXPECT_THAT(daemon.calls().at(0).request, HasSubstr("isolated: true"));
}

TEST_F(NetworkCommands, CreateNeedsASubnetAndAtMostOneOfEachFamily) {
  EXPECT_EQ(run({"network", "create", "back"}).code, 2);
  const Ran twice =
      run({"network", "create", "back", "--subnet", "10.8.0.0/24", "--subnet", "10.9.0.0/24"});
  EXPECT_EQ(twice.code, 2);
  EXPECT_THAT(twice.err, AllOf(HasSubstr("--subnet"), HasSubstr("at most one IPv4 and one IPv6")));
  EXPECT_TRUE(daemon.calls().empty());
}

TEST_F(NetworkCommands, CreateSaysWhichFormRoutesAndMtuHave) {
  const auto create = [&](const std::string& option, const std::string& value) {
    return run({"network", "create", "back", "--subnet", "10.8.0.0/24", option, value});
  };
  EXPECT_THAT(create("--mtu", "large").err,
              HasSubstr("--mtu: \"large\" is no number; give the bytes, 576 to 9216\n"));
  for (const char* route : {"192.0.2.0/24", "192.0.2.0/24=", "=10.8.0.9"}) {
    const Ran ran = create("--route", route);
    EXPECT_EQ(ran.code, 2);
    EXPECT_THAT(ran.err, HasSubstr("is not RANGE=ADDRESS, such as 192.0.2.0/24=10.8.0.9\n"));
  }
  EXPECT_TRUE(daemon.calls().empty());
}

TEST_F(NetworkCommands, WhatIsNoRangeIsTheDaemonsToRefuse) {
  run({"network", "create", "back", "--subnet", "elsewhere", "--route", "there=here"});
  EXPECT_THAT(daemon.calls().at(0).request,
              AllOf(HasSubstr("ipv4_subnet: \"elsewhere\""),
                    HasSubstr("routes { destination: \"there\" next_hop: \"here\" }")));
}

TEST_F(NetworkCommands, DeleteSendsEtagAndSaysSo) {
  const Ran ran = run({"network", "delete", "back", "--etag", "17"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out, HasSubstr("network back is being deleted"));
  EXPECT_THAT(daemon.calls().at(0).request,
              StartsWith("name: \"projects/default/networks/back\" etag: \"17\" request_id:"));
}

TEST_F(NetworkCommands, HostileTextOfTheServerIsEscaped) {
  v1::Network hostile = back();
  hostile.set_bridge("\x1b[2J");
  hostile.set_ipv4_subnet("line\nname: forged");
  daemon.script().networks = {hostile};
  for (const char* verb : {"list", "show"}) {
    std::vector<std::string> words = {"network", verb, "-o", "wide"};
    if (verb == std::string("show")) words.emplace_back("back");
    EXPECT_THAT(run(words).out, AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("\nname: "))));
  }
}

}  // namespace
}  // namespace stellwerk::test
