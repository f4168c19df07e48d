#include "drivers/firewall/nftables/rules.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "town_hall.h"

namespace stellwerk::firewall {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::town_hall;

// STELLWERK_UPDATE_GOLDEN=1 writes the files anew, for a look at the difference.
void expect_golden(const std::string& name, const Ruleset& ruleset) {
  const std::string text = text_of(table_of(ruleset));
  const std::string path = std::string(STELLWERK_GOLDEN) + "/firewall/" + name + ".nft";
  if (std::getenv("STELLWERK_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << text;
  std::ifstream file(path);
  ASSERT_TRUE(file) << path;
  const std::string golden{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  EXPECT_EQ(text, golden) << path;
}

TEST(Rules, DescribeSeveralNetworksAndRules) {
  expect_golden("town_hall", town_hall());
}

TEST(Rules, ShutEveryPortWhenNoneIsGuarded) {
  expect_golden("nobody", {.port_prefix = "sw"});
}

TEST(Rules, LetStrangersBeWhoseNamesBeginAsOurs) {
  Ruleset ruleset = town_hall();
  ruleset.strangers = {"swp2", "swp1"};
  const std::string text = text_of(table_of(ruleset));
  const std::string from = "iifname \"sw*\" iifname != { \"swp1\", \"swp2\" } ";
  const std::string to = "oifname \"sw*\" oifname != { \"swp1\", \"swp2\" } ";
  for (const char* what : {"goto from_guest", "jump begin_conversation", "goto begin_conversation",
                           "return", "oifname vmap {"}) {
    EXPECT_THAT(text, HasSubstr(from + what));
  }
  for (const char* what : {"jump only_its_own", "goto to_guest"}) {
    EXPECT_THAT(text, HasSubstr(to + what));
  }
  EXPECT_THAT(text, Not(HasSubstr("\"sw*\" goto")));
  EXPECT_THAT(text, Not(HasSubstr("\"sw*\" jump")));
}

TEST(Rules, AreTheSameWhateverTheOrderOfNetworksAndPorts) {
  Ruleset turned = town_hall();
  std::reverse(turned.ports.begin(), turned.ports.end());
  std::reverse(turned.networks.begin(), turned.networks.end());
  EXPECT_EQ(table_of(turned), table_of(town_hall()));
}

TEST(Rules, NameOurTableAlone) {
  const std::string text = text_of(table_of(town_hall()));
  EXPECT_TRUE(text.starts_with("table bridge stellwerk {\n"));
  EXPECT_EQ(text.find("table", 1), std::string::npos);
}

TEST(Rules, GiveNoChainsToFamilyThatPortHasNoAddressOf) {
  const std::string text = text_of(table_of(town_hall()));
  EXPECT_THAT(text, HasSubstr("chain in6_sw0000000000a1"));
  EXPECT_THAT(text, Not(HasSubstr("chain in6_sw0000000000b2")));
}

TEST(Rules, OfOneFamilyDoNotOpenTheOther) {
  Ruleset ruleset = town_hall();
  ruleset.ports[1].ingress = {{.from = testing::range("0.0.0.0/0")}};
  const std::string text = text_of(table_of(ruleset));
  EXPECT_THAT(text, HasSubstr("@flow4_sw0000000000a1 accept\n    accept\n    drop\n"));
  EXPECT_THAT(text, HasSubstr("@flow6_sw0000000000a1 accept\n    drop\n"));
}

}  // namespace
}  // namespace stellwerk::firewall
