#include "drivers/firewall/nftables/table.h"

#include <gmock/gmock.h>

namespace stellwerk::firewall {
namespace {

const Table kBefore{.sets = {{"flow_a", "type ifname;"}, {"flow_b", "type ifname;"}},
                    .chains = {{"shared", {"goto a", "goto b"}}, {"a", {"drop"}}, {"b", {"drop"}}}};

TEST(Table, IsWrittenAsOneBlock) {
  EXPECT_EQ(text_of({.sets = {{"s", "type ifname;"}}, .chains = {{"c", {"accept", "drop"}}}}),
            "table bridge stellwerk {\n  set s { type ifname; }\n"
            "  chain c {\n    accept\n    drop\n  }\n}\n");
}

TEST(Table, DifferenceFromItselfChangesNothing) {
  EXPECT_EQ(difference(kBefore, kBefore), text_of({}));
}

TEST(Table, DifferenceFromNothingIsTheWhole) {
  EXPECT_EQ(difference({}, kBefore), text_of(kBefore));
}

TEST(Table, DifferenceLeavesChainsAndSetsThatStay) {
  Table after = kBefore;
  after.sets.push_back({"flow_c", "type ifname;"});
  after.chains[0].lines.emplace_back("goto c");
  after.chains.push_back({"c", {"drop"}});
  EXPECT_EQ(difference(kBefore, after),
            "flush chain bridge stellwerk shared\n" +
                text_of({.sets = {{"flow_c", "type ifname;"}},
                         .chains = {after.chains[0], after.chains[3]}}));
}

TEST(Table, DifferenceEmptiesWhatGoesBeforeItGoes) {
  const Table after{.sets = {kBefore.sets[0]}, .chains = {{"shared", {"goto a"}}, {"a", {"drop"}}}};
  EXPECT_EQ(difference(kBefore, after), "flush chain bridge stellwerk shared\n" +
                                            text_of({.chains = {after.chains[0]}}) +
                                            "flush chain bridge stellwerk b\n"
                                            "delete chain bridge stellwerk b\n"
                                            "delete set bridge stellwerk flow_b\n");
}

}  // namespace
}  // namespace stellwerk::firewall
