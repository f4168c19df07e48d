#include "orchestrator/agent/cloud_init.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <nlohmann/json.hpp>

namespace stellwerk::agent {
namespace {

using nlohmann::json;

Network flat_network() {
  Network network;
  network.uid = NetworkUid(Uuid({1}));
  network.v4 = Subnet{.range = *IpPrefix::parse("10.64.0.0/24"),
                      .gateway = IpAddress::parse("10.64.0.1"),
                      .next = {}};
  network.dns_servers = {*IpAddress::parse("9.9.9.9"), *IpAddress::parse("149.112.112.112")};
  return network;
}

Instance instance_on(const Network& network) {
  Instance instance;
  instance.uid = InstanceUid(*Uuid::parse("0f8fad5b-d9cb-469f-a165-70867728950e"));
  instance.id = "web-1";
  instance.ssh_keys = {"ssh-ed25519 AAAA one@example", "ssh-rsa BBBB two"};
  instance.ports = {{network.uid, 0x52540000002a, {*IpAddress::parse("10.64.0.7")}}};
  return instance;
}

storage::SeedSpec seed_of(const Instance& instance, std::string user_data = "") {
  return make_seed(instance, {flat_network()}, std::move(user_data)).value();
}

TEST(CloudInit, NamesTheInstanceItsHostAndItsKeys) {
  const auto seed = seed_of(instance_on(flat_network()));
  EXPECT_EQ(seed.instance, instance_on(flat_network()).uid);
  EXPECT_EQ(json::parse(seed.meta_data),
            json::parse(R"({"instance-id": "0f8fad5b-d9cb-469f-a165-70867728950e",
                            "local-hostname": "web-1",
                            "public-keys": ["ssh-ed25519 AAAA one@example",
                                            "ssh-rsa BBBB two"]})"));
}

TEST(CloudInit, GivesThePortItsAddressRouteAndNameServersByItsMac) {
  EXPECT_EQ(json::parse(seed_of(instance_on(flat_network())).network_config), json::parse(R"({
    "version": 2,
    "ethernets": {"eth0": {
      "match": {"macaddress": "52:54:00:00:00:2a"},
      "set-name": "eth0",
      "dhcp4": false,
      "addresses": ["10.64.0.7/24"],
      "routes": [{"to": "0.0.0.0/0", "via": "10.64.0.1"}],
      "nameservers": {"addresses": ["9.9.9.9", "149.112.112.112"]}}}})"));
}

IpPrefix prefix(std::string_view text) {
  return IpPrefix::parse(text).value();
}
IpAddress address(std::string_view text) {
  return IpAddress::parse(text).value();
}

Network dual_network() {
  Network network = flat_network();
  network.uid = NetworkUid(Uuid({2}));
  network.v4->range = prefix("10.8.0.0/22");
  network.v4->gateway = address("10.8.0.1");
  network.v6 = Subnet{.range = prefix("fd00:8::/64"), .gateway = address("fd00:8::1"), .next = {}};
  network.dns_servers = {address("10.8.0.53"), address("fd00:8::53")};
  network.routes = {{prefix("192.0.2.0/24"), address("10.8.0.9")},
                    {prefix("2001:db8::/32"), address("fd00:8::9")}};
  network.mtu = 9000;
  return network;
}

TEST(CloudInit, TellsBothFamiliesRoutesServersAndMtu) {
  Instance instance = instance_on(dual_network());
  instance.ports[0].addresses = {address("10.8.1.7"), address("fd00:8::7")};
  const auto seed = make_seed(instance, {flat_network(), dual_network()}, "").value();
  EXPECT_EQ(json::parse(seed.network_config), json::parse(R"({
    "version": 2,
    "ethernets": {"eth0": {
      "match": {"macaddress": "52:54:00:00:00:2a"},
      "set-name": "eth0",
      "dhcp4": false,
      "mtu": 9000,
      "addresses": ["10.8.1.7/22", "fd00:8::7/64"],
      "routes": [{"to": "0.0.0.0/0", "via": "10.8.0.1"},
                 {"to": "::/0", "via": "fd00:8::1"},
                 {"to": "192.0.2.0/24", "via": "10.8.0.9"},
                 {"to": "2001:db8::/32", "via": "fd00:8::9"}],
      "nameservers": {"addresses": ["10.8.0.53", "fd00:8::53"]}}}})"));
}

TEST(CloudInit, GivesTheDefaultRoutesToTheFirstPortAloneAndTheOthersToAll) {
  Instance instance = instance_on(flat_network());
  instance.ports.push_back(
      {dual_network().uid, 0x52540000002b, {address("10.8.1.7"), address("fd00:8::7")}});
  const auto seed = make_seed(instance, {flat_network(), dual_network()}, "").value();
  const json ethernets = json::parse(seed.network_config)["ethernets"];
  ASSERT_EQ(ethernets.size(), 2u);
  EXPECT_EQ(ethernets["eth0"]["routes"],
            json::parse(R"([{"to": "0.0.0.0/0", "via": "10.64.0.1"}])"));
  EXPECT_EQ(ethernets["eth1"]["match"]["macaddress"], "52:54:00:00:00:2b");
  EXPECT_EQ(ethernets["eth1"]["set-name"], "eth1");
  EXPECT_EQ(ethernets["eth1"]["addresses"], json::parse(R"(["10.8.1.7/22", "fd00:8::7/64"])"));
  EXPECT_EQ(ethernets["eth1"]["routes"], json::parse(R"([{"to": "192.0.2.0/24", "via": "10.8.0.9"},
                            {"to": "2001:db8::/32", "via": "fd00:8::9"}])"));
}

TEST(CloudInit, LeavesOutRoutesOfAFamilyThatThePortHasNoAddressOf) {
  Instance instance = instance_on(dual_network());
  instance.ports[0].addresses = {address("fd00:8::7")};
  const auto seed = make_seed(instance, {dual_network()}, "").value();
  EXPECT_EQ(json::parse(seed.network_config)["ethernets"]["eth0"]["routes"],
            json::parse(R"([{"to": "::/0", "via": "fd00:8::1"},
                            {"to": "2001:db8::/32", "via": "fd00:8::9"}])"));
}

TEST(CloudInit, LeavesOutWhatTheNetworkDoesNotHave) {
  Network network = flat_network();
  network.v4->gateway.reset();
  network.dns_servers.clear();
  const auto seed = make_seed(instance_on(network), {network}, "").value();
  const json ethernet = json::parse(seed.network_config)["ethernets"]["eth0"];
  EXPECT_FALSE(ethernet.contains("routes"));
  EXPECT_FALSE(ethernet.contains("nameservers"));
}

TEST(CloudInit, ConfiguresNoNetworkForAnInstanceWithoutAPort) {
  Instance instance = instance_on(flat_network());
  instance.ports.clear();
  EXPECT_EQ(seed_of(instance).network_config, "");
}

TEST(CloudInit, RefusesAPortOnANetworkThatNobodyDescribed) {
  const auto seed = make_seed(instance_on(flat_network()), {}, "");
  EXPECT_EQ(seed.status().code(), absl::StatusCode::kNotFound);
}

TEST(CloudInit, PassesUserDataOnByteByByte) {
  const std::string user_data = "#!/bin/sh\necho \"\\u0000 {{ds}}\" \xff\n";
  EXPECT_EQ(seed_of(instance_on(flat_network()), user_data).user_data, user_data);
}

TEST(CloudInit, AsksForNothingWhenThereIsNoUserData) {
  EXPECT_EQ(seed_of(instance_on(flat_network())).user_data, "#cloud-config\n{}\n");
}

// Whatever a text holds, it stays one text in its place.
RC_GTEST_PROP(CloudInit, LetsNoTextBecomeStructure, (const std::string& text)) {
  Instance instance = instance_on(flat_network());
  instance.ssh_keys = {text};
  const json meta_data = json::parse(seed_of(instance).meta_data);
  RC_ASSERT(meta_data.size() == 3u);
  RC_ASSERT(meta_data["public-keys"].size() == 1u);
  RC_ASSERT(meta_data["public-keys"][0].is_string());
  RC_ASSERT(meta_data["local-hostname"] == "web-1");
}

TEST(CloudInit, KeepsHostileTextsAsTheyAre) {
  Instance instance = instance_on(flat_network());
  const std::string hostile = "\"]}\n- x: &a *a {{ 7*7 }} \\ \t #";
  instance.ssh_keys = {hostile};
  EXPECT_EQ(json::parse(seed_of(instance).meta_data)["public-keys"][0], hostile);
}

// YAML's reader refuses these raw; as escapes both YAML and JSON read them back.
TEST(CloudInit, EscapesWhatYamlDoesNotAllow) {
  Instance instance = instance_on(flat_network());
  const std::string text = "a\x7f\u0080\u009f\ufffe\uffff z";
  instance.ssh_keys = {text};
  const std::string meta_data = seed_of(instance).meta_data;
  EXPECT_NE(meta_data.find(R"(a\u007f\u0080\u009f\ufffe\uffff z)"), std::string::npos) << meta_data;
  EXPECT_EQ(json::parse(meta_data)["public-keys"][0], text);
}

TEST(CloudInit, KeepsCharactersBeyondTheBasicPlaneOutOfSurrogates) {
  Instance instance = instance_on(flat_network());
  instance.ssh_keys = {"ssh-rsa AAAA \U0001f600"};
  EXPECT_NE(seed_of(instance).meta_data.find("\U0001f600"), std::string::npos);
}

}  // namespace
}  // namespace stellwerk::agent
