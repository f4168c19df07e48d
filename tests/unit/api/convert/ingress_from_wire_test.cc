#include "api/convert/ingress_from_wire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/convert/from_wire.h"

namespace stellwerk::convert {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Asked {
  v1::IngressRule::Protocol protocol = v1::IngressRule::ANY;
  int first = 0;
  int last = 0;
  std::string source = "0.0.0.0/0";
};

controller::Mutation read(const std::vector<Asked>& rules) {
  v1::CreateInstanceRequest request;
  request.set_parent("projects/default");
  request.set_instance_id("web");
  request.mutable_instance()->set_flavor("flavors/tiny");
  request.mutable_instance()->set_image("projects/default/images/i");
  for (const Asked& asked : rules) {
    auto* rule = request.mutable_instance()->add_ingress_rules();
    rule->set_protocol(asked.protocol);
    rule->set_first_port(asked.first);
    rule->set_last_port(asked.last);
    rule->set_source(asked.source);
  }
  return to_mutation(request, {});
}

std::string mistakes(const std::vector<Asked>& rules) {
  std::string lines;
  for (const FieldViolation& violation : read(rules).context.violations) {
    lines += violation.field + ": " + violation.description + "\n";
  }
  return lines;
}

TEST(IngressFromWire, ReadsEveryKindOfRule) {
  const controller::Mutation mutation =
      read({{v1::IngressRule::TCP, 443, 0, "0.0.0.0/0"},
            {v1::IngressRule::UDP, 6000, 6100, "10.0.0.0/8"},
            {v1::IngressRule::TCP, 0, 0, "::/0"},
            {v1::IngressRule::ICMP, 0, 0, "fd00::/8"},
            {v1::IngressRule::PROTOCOL_UNSPECIFIED, 0, 0, "192.0.2.7/32"}});
  EXPECT_THAT(mutation.context.violations, IsEmpty());
  EXPECT_THAT(
      std::get<controller::CreateInstance>(mutation.body).ingress,
      ElementsAre(IngressRule{IpProtocol::kTcp, {443, 443}, *IpPrefix::parse("0.0.0.0/0")},
                  IngressRule{IpProtocol::kUdp, {6000, 6100}, *IpPrefix::parse("10.0.0.0/8")},
                  IngressRule{IpProtocol::kTcp, {0, 0}, *IpPrefix::parse("::/0")},
                  IngressRule{IpProtocol::kIcmp, {0, 0}, *IpPrefix::parse("fd00::/8")},
                  IngressRule{IpProtocol::kAny, {0, 0}, *IpPrefix::parse("192.0.2.7/32")}));
}

TEST(IngressFromWire, RefusesPortsThatAreNone) {
  const std::string field = "instance.ingress_rules[0].first_port: ";
  const std::string range = " is no range of ports; give 1 to 65535, the lower first\n";
  EXPECT_EQ(mistakes({{v1::IngressRule::TCP, 90, 80}}), field + "90 to 80" + range);
  EXPECT_EQ(mistakes({{v1::IngressRule::TCP, -1, 0}}), field + "-1 to -1" + range);
  EXPECT_EQ(mistakes({{v1::IngressRule::UDP, 1, 65536}}), field + "1 to 65536" + range);
  EXPECT_EQ(mistakes({{v1::IngressRule::TCP, 0, 80}}), field + "0 to 80" + range);
  EXPECT_EQ(mistakes({{v1::IngressRule::ICMP, 80, 80}}),
            field + "only TCP and UDP have ports; leave it out\n");
  EXPECT_EQ(mistakes({{v1::IngressRule::ANY, 80, 80}}),
            field + "only TCP and UDP have ports; leave it out\n");
}

TEST(IngressFromWire, RefusesSourcesAndProtocolsThatAreNone) {
  EXPECT_EQ(mistakes({{.source = ""}}),
            "instance.ingress_rules[0].source: \"\" is no range of addresses; write one such as "
            "203.0.113.0/24, 0.0.0.0/0 or ::/0\n");
  EXPECT_EQ(mistakes({{.source = "10.0.0.1/8"}}),
            "instance.ingress_rules[0].source: 10.0.0.1/8 has bits behind its length; did you mean "
            "10.0.0.0/8?\n");
  EXPECT_EQ(mistakes({{}, {static_cast<v1::IngressRule::Protocol>(77), 0, 0, "::/0"}}),
            "instance.ingress_rules[1].protocol: 77 is no protocol; give ANY, TCP, UDP or ICMP\n");
}

TEST(IngressFromWire, TakesThirtyTwoAtMost) {
  EXPECT_EQ(mistakes(std::vector<Asked>(32)), "");
  EXPECT_EQ(mistakes(std::vector<Asked>(33)), "instance.ingress_rules: has 33; give at most 32\n");
}

}  // namespace
}  // namespace stellwerk::convert
