// Ports and ingress rules: as they are written, sent and shown.
#include "api/cli/instance_ports.h"

#include "harness.h"

namespace stellwerk::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string port(const std::string& text) {
  v1::Instance instance;
  add_port("projects/p/networks/", text, instance);
  return instance.network_interfaces(0).ShortDebugString();
}

TEST(InstancePorts, NameANetworkAndItsChosenAddresses) {
  EXPECT_EQ(port("back"), "network: \"projects/p/networks/back\"");
  EXPECT_EQ(port("back=10.8.0.5,fd00:8::5"),
            "network: \"projects/p/networks/back\" ip_addresses: \"10.8.0.5\" ip_addresses: "
            "\"fd00:8::5\"");
  EXPECT_EQ(port("projects/q/networks/back"), "network: \"projects/q/networks/back\"");
  EXPECT_EQ(port("back="), "network: \"projects/p/networks/back\" ip_addresses: \"\"")
      << "what is missing is the daemon's to name";
}

TEST(InstancePorts, RulesSayProtocolPortsAndSource) {
  const auto rule = [](const std::string& text) {
    const auto parsed = parse_ingress(text);
    return parsed.ok() ? parsed->ShortDebugString() : std::string(message_of(parsed.status()));
  };
  EXPECT_EQ(rule("tcp:443=0.0.0.0/0"),
            "protocol: TCP first_port: 443 last_port: 443 source: \"0.0.0.0/0\"");
  EXPECT_EQ(rule("udp:6000-6100=10.0.0.0/8"),
            "protocol: UDP first_port: 6000 last_port: 6100 source: \"10.0.0.0/8\"");
  EXPECT_EQ(rule("tcp=::/0"), "protocol: TCP source: \"::/0\"");
  EXPECT_EQ(rule("icmp=::/0"), "protocol: ICMP source: \"::/0\"");
  EXPECT_EQ(rule("any=192.0.2.0/24"), "protocol: ANY source: \"192.0.2.0/24\"");
}

TEST(InstancePorts, RulesThatAreNoneAreRefusedWithAnExample) {
  for (const char* text : {"", "=", "tcp", "tcp:443", "sctp:1=::/0", "TCP:1=::/0", "tcp:=::/0",
                           "tcp:x=::/0", "tcp:1-=::/0", "tcp:-1=::/0"}) {
    const auto refused = parse_ingress(text);
    ASSERT_FALSE(refused.ok()) << text;
    EXPECT_THAT(std::string(message_of(refused.status())),
                AllOf(HasSubstr("is no rule; write PROTOCOL"), HasSubstr("tcp:443=0.0.0.0/0")));
  }
}

TEST(InstancePorts, PortsOutOfTheirRangeAreNamed) {
  const auto refusal = [](const std::string& text) {
    return std::string(message_of(parse_ingress(text).status()));
  };
  EXPECT_EQ(refusal("tcp:99999=::/0"),
            "--allow: 99999 is no port in \"tcp:99999=::/0\"; ports are 1 to 65535");
  EXPECT_THAT(refusal("tcp:0=::/0"), HasSubstr("0 is no port in"));
  EXPECT_THAT(refusal("tcp:1-65536=::/0"), HasSubstr("65536 is no port in"));
}

TEST(InstancePorts, RulesAreShownAsTheyAreWritten) {
  const auto shown = [](const std::string& text) { return ingress_text(*parse_ingress(text)); };
  EXPECT_EQ(shown("tcp:443=0.0.0.0/0"), "tcp:443 from 0.0.0.0/0");
  EXPECT_EQ(shown("udp:6000-6100=10.0.0.0/8"), "udp:6000-6100 from 10.0.0.0/8");
  EXPECT_EQ(shown("icmp=::/0"), "icmp from ::/0");
  EXPECT_EQ(ingress_text(v1::IngressRule()), "any from ");
}

}  // namespace
}  // namespace stellwerk::cli

namespace stellwerk::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class InstancePortCommands : public CliTest {
 protected:
  InstancePortCommands() { daemon.script().mutation_answer = running_instance(); }
  Ran create(std::vector<std::string> more) {
    std::vector<std::string> words = {"instance", "create", "web", "--flavor", "f", "--image", "i"};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  }
};

TEST_F(InstancePortCommands, CreateTakesSeveralNetworksAndRules) {
  EXPECT_EQ(create({"--network", "flat", "--network", "back=10.8.0.5", "--allow",
                    "tcp:443=0.0.0.0/0", "--allow", "icmp=::/0"})
                .code,
            0);
  EXPECT_THAT(daemon.calls().at(0).request,
              AllOf(HasSubstr("network_interfaces { network: \"projects/default/networks/flat\" } "
                              "network_interfaces { network: \"projects/default/networks/back\" "
                              "ip_addresses: \"10.8.0.5\" }"),
                    HasSubstr("ingress_rules { protocol: TCP first_port: 443 last_port: 443 "
                              "source: \"0.0.0.0/0\" } ingress_rules { protocol: ICMP source: "
                              "\"::/0\" }")));
}

TEST_F(InstancePortCommands, NothingIsSentForARuleThatIsNone) {
  const Ran ran = create({"--allow", "tcp:443"});
  EXPECT_NE(ran.code, 0);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("--allow"), HasSubstr("is no rule")));
  EXPECT_TRUE(daemon.calls().empty());
}

TEST_F(InstancePortCommands, NoNetworkContradictsANetwork) {
  EXPECT_EQ(create({"--no-network", "--network", "flat"}).code, 2);
  EXPECT_TRUE(daemon.calls().empty());
}

TEST_F(InstancePortCommands, ShowTellsEveryPortAndRule) {
  v1::Instance instance = running_instance();
  instance.mutable_network_interfaces(0)->add_ip_addresses("fd00:64::2");
  auto* second = instance.add_network_interfaces();
  second->set_network("projects/default/networks/back");
  second->set_mac_address("52:54:00:00:00:2b");
  second->add_ip_addresses("10.8.0.5");
  auto* rule = instance.add_ingress_rules();
  rule->set_protocol(v1::IngressRule::TCP);
  rule->set_first_port(443);
  rule->set_last_port(443);
  rule->set_source("0.0.0.0/0");
  daemon.script().get_answers = {instance};
  daemon.script().instances = {instance};
  EXPECT_THAT(run({"instance", "show", "web-1"}).out,
              HasSubstr("Network:          flat\n"
                        "IP address:       10.64.0.2\n"
                        "IP address:       fd00:64::2\n"
                        "MAC address:      52:54:00:00:00:2a\n"
                        "Network:          back\n"
                        "IP address:       10.8.0.5\n"
                        "MAC address:      52:54:00:00:00:2b\n"
                        "Allowed:          tcp:443 from 0.0.0.0/0\n"));
  EXPECT_THAT(run({"instance", "list"}).out, HasSubstr("10.64.0.2,fd00:64::2,10.8.0.5"));
}

}  // namespace
}  // namespace stellwerk::test
