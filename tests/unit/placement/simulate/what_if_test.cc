#include "placement/simulate/what_if.h"

#include <gmock/gmock.h>

#include "fixtures.h"

namespace stellwerk::placement::simulate {
namespace {

using testing::HasSubstr;

WhatIf parsed(std::string_view text) {
  auto what_if = parse_what_if(text);
  EXPECT_TRUE(what_if.ok()) << describe(what_if.status());
  return what_if.ok() ? *std::move(what_if) : WhatIf();
}
std::string why_not(std::string_view text) {
  return describe(parse_what_if(text).status());
}

TEST(WhatIf, LosesADomain) {
  const WhatIf what_if = parsed("lose site dc2 at 3d");
  EXPECT_EQ(what_if.time, 3 * 86'400);
  EXPECT_EQ(what_if.text, "lose site dc2 at 3d");
  EXPECT_EQ(std::get<LoseDomain>(what_if.what), (LoseDomain{DomainLevel::kSite, "dc2"}));
  EXPECT_EQ(std::get<LoseDomain>(parsed("lose rack dc1/a/r07 at 90").what).level,
            DomainLevel::kRack);
}

TEST(WhatIf, AddsHosts) {
  EXPECT_EQ(std::get<AddHosts>(parsed("add 8 hosts to rack dc1/a/r07").what),
            (AddHosts{8, "dc1/a/r07"}));
  EXPECT_EQ(parsed("add 8 hosts to rack dc1/a/r07").time, 0);
  EXPECT_EQ(parsed("add 1 host to rack r at 36h").time, 36 * 3600);
}

TEST(WhatIf, KnowsUnitsOfTime) {
  EXPECT_EQ(parsed("lose host h at 7").time, 7);
  EXPECT_EQ(parsed("lose host h at 7s").time, 7);
  EXPECT_EQ(parsed("lose host h at 7m").time, 420);
  EXPECT_EQ(parsed("lose host h at 2w").time, 14 * 86'400);
}

TEST(WhatIf, SaysWhatItDoesNotUnderstand) {
  EXPECT_THAT(why_not(""), HasSubstr("neither with lose nor with add"));
  EXPECT_THAT(why_not("break site dc2 at 3d"), HasSubstr("neither with lose nor with add"));
  EXPECT_THAT(why_not("lose site dc2"), HasSubstr("say \"lose site dc2 at 3d\""));
  EXPECT_THAT(why_not("lose row dc2 at 3d"), HasSubstr("\"row\" is none of host, rack"));
  EXPECT_THAT(why_not("lose site dc2 at noon"), HasSubstr("\"noon\" is no time"));
  EXPECT_THAT(why_not("lose site dc2 at -3d"), HasSubstr("no time"));
  EXPECT_THAT(why_not("lose site dc2 at 99999999999w"), HasSubstr("no time"));
  EXPECT_THAT(why_not("add hosts to rack r"), HasSubstr("what is to be added where"));
  EXPECT_THAT(why_not("add 0 hosts to rack r"), HasSubstr("\"0\" is no number of hosts"));
  EXPECT_THAT(why_not("add 8 hosts to site r"), HasSubstr("what is to be added where"));
  EXPECT_THAT(why_not("add 8 hosts to rack r at soon"), HasSubstr("\"soon\" is no time"));
}

TEST(AddToPlan, AddsHostsLikeTheFirstOfTheirRack) {
  FleetPlan plan = small_fleet(2);
  plan.hosts[1].facts.memory = gibibytes(99);
  const auto added = add_to_plan(
      {parsed("lose rack dc1/a/r01 at 5"), parsed("add 2 hosts to rack dc1/a/r02")}, plan);
  ASSERT_TRUE(added.ok()) << describe(added.status());
  ASSERT_EQ(added->size(), 1u);
  EXPECT_EQ((*added)[0].what_if, 1u);
  EXPECT_EQ((*added)[0].first, 2u);
  EXPECT_EQ((*added)[0].end, 4u);
  ASSERT_EQ(plan.hosts.size(), 4u);
  EXPECT_EQ(plan.hosts[3].id, "added-2");
  EXPECT_EQ(plan.hosts[3].facts.memory, gibibytes(99));
  EXPECT_EQ(plan.hosts[3].rack, plan.topology.racks[1].uid);
  EXPECT_NE(plan.hosts[3].uid, plan.hosts[2].uid);
}

TEST(AddToPlan, RefusesWhatIsNotThere) {
  const auto why = [](std::string_view text) {
    FleetPlan plan = small_fleet(2);
    return describe(add_to_plan({parsed(text)}, plan).status());
  };
  EXPECT_THAT(why("lose site dc9 at 1"), HasSubstr("there is no site \"dc9\" in the fleet"));
  EXPECT_THAT(why("lose site dc1/a at 1"), HasSubstr("no site"));
  EXPECT_THAT(why("lose host h9 at 1"), HasSubstr("no host \"h9\""));
  EXPECT_THAT(why("add 1 host to rack r9"), HasSubstr("there is no rack \"r9\""));
  EXPECT_THAT(why("add 100000 hosts to rack dc1/a/r01"), HasSubstr("more than 100000 hosts"));
  EXPECT_EQ(why("lose zone dc1/a at 1"), "OK");
  EXPECT_EQ(why("lose host host-01 at 1"), "OK");
}

}  // namespace
}  // namespace stellwerk::placement::simulate
