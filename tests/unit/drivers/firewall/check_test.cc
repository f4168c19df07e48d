#include "drivers/firewall/check.h"

#include <gmock/gmock.h>

#include <functional>

#include "town_hall.h"

namespace stellwerk::firewall {
namespace {

using ::testing::HasSubstr;
using testing::range;
using testing::town_hall;
using Protocol = IpProtocol;

// What `check` says of the town hall after a change.
std::string refusal(const std::function<void(Ruleset&)>& change) {
  Ruleset ruleset = town_hall();
  change(ruleset);
  const absl::Status status = check(ruleset);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << describe(status);
  return std::string(message_of(status));
}

TEST(CheckRuleset, TakesSoundOnes) {
  EXPECT_TRUE(check(town_hall()).ok());
  EXPECT_TRUE(check({.port_prefix = "sw"}).ok());
}

TEST(CheckRuleset, RefusesNamesThatNftablesWouldReadAsSyntax) {
  for (const char* name : {"", "sw\" drop", "sw1;", "sw{", "sw 1", "sw*", "sw\n1", "sw@1", "swü",
                           "sw12345678901234"}) {
    EXPECT_THAT(refusal([&](Ruleset& r) { r.ports[0].interface_name = name; }),
                HasSubstr("is no name of a guarded port"))
        << name;
    EXPECT_THAT(refusal([&](Ruleset& r) { r.port_prefix = std::string(name) + "*"; }),
                HasSubstr("is no prefix"));
  }
}

TEST(CheckRuleset, RefusesPortOutsideThePrefix) {
  EXPECT_THAT(refusal([](Ruleset& r) { r.ports[0].interface_name = "eth0"; }),
              HasSubstr("beginning with sw"));
}

TEST(CheckRuleset, RefusesStrangersThatAreNone) {
  for (const char* name : {"eth0", "", "sw\" accept", "sw*"}) {
    EXPECT_THAT(refusal([&](Ruleset& r) { r.strangers = {name}; }), HasSubstr("is no stranger"));
  }
  EXPECT_THAT(refusal([](Ruleset& r) { r.strangers = {r.ports[0].interface_name}; }),
              HasSubstr("sw0000000000b2 is guarded and a stranger at once"));
  Ruleset ruleset = town_hall();
  ruleset.strangers = {"swp1", "sw"};
  EXPECT_TRUE(check(ruleset).ok());
}

TEST(CheckRuleset, RefusesPortTwice) {
  EXPECT_THAT(refusal([](Ruleset& r) { r.ports.push_back(r.ports[0]); }),
              HasSubstr("sw0000000000b2 is there twice"));
}

TEST(CheckRuleset, RefusesWhatIsNoStationsMac) {
  for (const uint64_t mac : {uint64_t{0}, uint64_t{0x0100000000b2}, uint64_t{1} << 48}) {
    EXPECT_THAT(refusal([&](Ruleset& r) { r.ports[0].mac = mac; }), HasSubstr("sw0000000000b2: "));
  }
}

TEST(CheckRuleset, RefusesUnknownOrRepeatedNetwork) {
  EXPECT_THAT(refusal([](Ruleset& r) { r.ports[0].network = "attic"; }),
              HasSubstr("\"attic\" is not part"));
  EXPECT_THAT(refusal([](Ruleset& r) { r.networks.push_back(r.networks[0]); }),
              HasSubstr("\"office\" is there twice"));
}

TEST(CheckRuleset, RefusesRulesThatMakeNoSense) {
  const auto with = [](IngressRule rule) {
    return refusal([&](Ruleset& r) { r.ports[1].ingress = {rule}; });
  };
  const IpPrefix anybody = range("0.0.0.0/0");
  EXPECT_THAT(with({Protocol::kIcmp, {1, 2}, anybody}), HasSubstr("only TCP and UDP have ports"));
  EXPECT_THAT(with({Protocol::kAny, {22, 22}, anybody}), HasSubstr("only TCP and UDP have ports"));
  EXPECT_THAT(with({Protocol::kTcp, {23, 22}, anybody}), HasSubstr("the lower one first"));
  EXPECT_THAT(with({Protocol::kTcp, {0, 22}, anybody}), HasSubstr("the lower one first"));
  const IpAddress host = testing::ip("10.0.0.1");
  EXPECT_THAT(with({Protocol::kTcp, {22, 22}, {host, 8}}), HasSubstr("use 10.0.0.0/8"));
  EXPECT_THAT(with({Protocol::kTcp, {22, 22}, {host, 33}}), HasSubstr("no range of addresses"));
  EXPECT_THAT(refusal([&](Ruleset& r) {
                r.networks[0].neighbours = {{host, 33}};
              }),
              HasSubstr("no range of addresses"));
}

}  // namespace
}  // namespace stellwerk::firewall
