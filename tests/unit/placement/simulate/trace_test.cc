#include "placement/simulate/trace.h"

#include <gmock/gmock.h>

#include "fixtures.h"

namespace stellwerk::placement::simulate {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

std::string why_refused(std::string_view row, std::string_view columns = kColumns) {
  return describe(parse_lines({columns, row}).status());
}
std::string why_second_refused(std::string_view first, std::string_view second,
                               std::string_view columns = kColumns) {
  return describe(parse_lines({columns, first, second}).status());
}

TEST(Trace, ReadsTheSevenColumns) {
  const Trace trace = trace_of({"0,100,a,p,2,4096,1", "5,,b,q,1,512,0", "5,5,c,p,1,512,0"});
  ASSERT_EQ(trace.rows().size(), 3u);
  EXPECT_EQ(
      trace.rows()[0],
      (TraceRow{.arrival = 0, .departure = 100, .memory_mib = 4096, .vcpus = 2, .priority = 1}));
  EXPECT_EQ(trace.rows()[1].departure, kNever);
  EXPECT_EQ(trace.rows()[1].project, 1u);
  EXPECT_EQ(trace.rows()[2].project, 0u);
  EXPECT_EQ(trace.rows()[2].departure, 5);
  EXPECT_EQ(trace.instance(0), "a");
  EXPECT_EQ(trace.instance(2), "c");
  EXPECT_THAT(trace.projects(), testing::ElementsAre("p", "q"));
}

TEST(Trace, ReadsOptionalColumnsInAnyOrder) {
  const Trace trace =
      trace_of({"0,,a,p,4,1,0,2,1,web,rack,soft-anti-affinity,90",
                "1,,b,p,4,1,0,,,web,rack,soft-anti-affinity,", "2,,c,p,4,1,0,,,,,,"},
               std::string(kColumns) +
                   ",gpus,numa_nodes,group,group_level,group_policy,"
                   "lifetime_hint_s");
  const TraceRow& row = trace.rows()[0];
  EXPECT_EQ(row.gpus, 2);
  EXPECT_EQ(row.numa_nodes, 1);
  EXPECT_EQ(row.lifetime_hint, 90);
  EXPECT_EQ(row.group, 0u);
  EXPECT_EQ(trace.rows()[1].group, 0u);
  EXPECT_EQ(trace.rows()[1].lifetime_hint, -1);
  EXPECT_EQ(trace.rows()[2].group, kNoGroup);
  ASSERT_EQ(trace.groups().size(), 1u);
  EXPECT_EQ(trace.groups()[0].rule,
            (GroupRule{
                .policy = GroupPolicy::kAntiAffinity, .level = DomainLevel::kRack, .hard = false}));
}

TEST(Trace, AGroupWithoutALevelIsOfHosts) {
  const Trace trace =
      trace_of({"0,,a,p,4,1,0,g,affinity"}, std::string(kColumns) + ",group,group_policy");
  EXPECT_EQ(trace.groups()[0].rule,
            (GroupRule{.policy = GroupPolicy::kAffinity, .level = DomainLevel::kHost}));
}

TEST(Trace, TakesAByteOrderMarkAndCarriageReturns) {
  const auto trace =
      parse_lines({"\xEF\xBB\xBF" + std::string(kColumns) + "\r", "0,1,a,p,1,1,0\r"});
  ASSERT_TRUE(trace.ok()) << describe(trace.status());
  EXPECT_EQ(trace->rows()[0].priority, 0);
}

TEST(Trace, IsNotEmpty) {
  EXPECT_THAT(describe(parse_lines({}).status()), HasSubstr("t.csv: is empty"));
  EXPECT_THAT(describe(parse_lines({kColumns}).status()), HasSubstr("no row"));
}

TEST(Trace, NamesMissingUnknownAndRepeatedColumns) {
  EXPECT_THAT(describe(parse_lines({"arrival_s,departure_s,instance"}).status()),
              HasSubstr("t.csv:1: column 4 is missing: project"));
  EXPECT_THAT(describe(parse_lines({"arrival_s,instance,departure_s"}).status()),
              HasSubstr("column 2 is \"instance\", not departure_s"));
  EXPECT_THAT(describe(parse_lines({std::string(kColumns) + ",gpu"}).status()),
              AllOf(HasSubstr("column 8 is \"gpu\""), HasSubstr("did you mean \"gpus\"?")));
  EXPECT_THAT(describe(parse_lines({std::string(kColumns) + ",gpus,gpus"}).status()),
              HasSubstr("column 9 is gpus a second time"));
}

TEST(Trace, CountsTheFields) {
  EXPECT_THAT(why_refused("0,1,a,p,1,1"),
              HasSubstr("t.csv:2: has 6 fields, the header 7: priority is missing"));
  EXPECT_THAT(why_refused("0,1,a,p,1,1,0,9"), HasSubstr("\"9\" stands in no column"));
  EXPECT_THAT(why_refused(""), HasSubstr("t.csv:2: is empty"));
}

struct BadField {
  std::string_view row;
  std::string_view place;
  std::string_view why;
};
class BadTraceField : public testing::TestWithParam<BadField> {};

TEST_P(BadTraceField, IsRefusedWithLineColumnAndReason) {
  const std::string said = why_refused(GetParam().row);
  EXPECT_THAT(said, StartsWith("INVALID_ARGUMENT: t.csv:2: " + std::string(GetParam().place)));
  EXPECT_THAT(said, HasSubstr(std::string(GetParam().why)));
}

INSTANTIATE_TEST_SUITE_P(
    Rows, BadTraceField,
    testing::Values(BadField{"-1,1,a,p,1,1,0", "arrival_s: ", "-1 is negative"},
                    BadField{"x,1,a,p,1,1,0", "arrival_s: ", "\"x\" is not a whole number"},
                    BadField{"1.5,2,a,p,1,1,0", "arrival_s: ", "is not a whole number"},
                    BadField{"nan,2,a,p,1,1,0", "arrival_s: ", "is not finite"},
                    BadField{"0,-inf,a,p,1,1,0", "departure_s: ", "is not finite"},
                    BadField{"0,99999999999999999999,a,p,1,1,0", "departure_s: ", "is larger than"},
                    BadField{"0,-99999999999999999999,a,p,1,1,0", "departure_s: ", "is negative"},
                    BadField{"0,10000000001,a,p,1,1,0", "departure_s: ", "is too much"},
                    BadField{"5,4,a,p,1,1,0", "departure_s: ", "4 is before the arrival at 5"},
                    BadField{",4,a,p,1,1,0", "arrival_s: ", "is empty"},
                    BadField{"0,4,,p,1,1,0", "instance: ", "is empty"},
                    BadField{"0,4,\"a\",p,1,1,0", "instance: ", "a quotation mark"},
                    BadField{"0,4,a,,1,1,0", "project: ", "is empty"},
                    BadField{"0,4,a,p q,1,1,0", "project: ", "has a space"},
                    BadField{"0,4,a,p,0,1,0", "vcpus: ", "0 is too little; 1 to 4096"},
                    BadField{"0,4,a,p,4097,1,0", "vcpus: ", "4097 is too much"},
                    BadField{"0,4,a,p,1,0,0", "memory_mib: ", "is too little"},
                    BadField{"0,4,a,p,1,67108865,0", "memory_mib: ", "is too much"},
                    BadField{"0,4,a,p,1,1,-2", "priority: ", "-2 is negative"},
                    BadField{"0,4,a,p,1,1,", "priority: ", "is empty"}));

TEST(Trace, RefusesNamesAndLinesWithoutEnd) {
  EXPECT_THAT(why_refused("0,1," + std::string(129, 'a') + ",p,1,1,0"),
              HasSubstr("instance: has 129 bytes; at most 128"));
  EXPECT_THAT(why_refused(std::string(5000, '1')), HasSubstr("t.csv:2: has 5000 bytes"));
}

TEST(Trace, IsSortedByArrival) {
  EXPECT_THAT(why_second_refused("7,9,a,p,1,1,0", "6,9,b,p,1,1,0"),
              HasSubstr("t.csv:3: arrival_s: 6 comes after 7; sort"));
}

TEST(Trace, NamesEachInstanceOnce) {
  EXPECT_THAT(describe(parse_lines({kColumns, "0,,b,p,1,1,0", "1,,a,p,1,1,0", "2,,b,p,1,1,0",
                                    "3,,a,p,1,1,0"})
                           .status()),
              HasSubstr("t.csv:4: instance: \"b\" is in line 2 already"));
}

TEST(Trace, RefusesNodesThatCannotBe) {
  const std::string columns = std::string(kColumns) + ",numa_nodes";
  EXPECT_THAT(why_refused("0,,a,p,3,1,0,3", columns), HasSubstr("numa_nodes: a guest has 1, 2"));
  EXPECT_THAT(why_refused("0,,a,p,3,1,0,2", columns), HasSubstr("3 vCPUs cannot be shared evenly"));
  EXPECT_THAT(why_refused("0,,a,p,3,1,0,5", columns), HasSubstr("numa_nodes: 5 is too much"));
  EXPECT_THAT(why_refused("0,,a,p,3,1,0,65", std::string(kColumns) + ",gpus"),
              HasSubstr("gpus: 65 is too much"));
  EXPECT_THAT(why_refused("0,,a,p,3,1,0,-3", std::string(kColumns) + ",lifetime_hint_s"),
              HasSubstr("lifetime_hint_s: -3 is negative"));
}

TEST(Trace, RefusesGroupsThatContradictThemselves) {
  const std::string columns = std::string(kColumns) + ",group,group_policy,group_level";
  EXPECT_THAT(why_refused("0,,a,p,1,1,0,g,apart,host", columns),
              HasSubstr("group_policy: \"apart\" is none of affinity"));
  EXPECT_THAT(why_refused("0,,a,p,1,1,0,g,,", columns), HasSubstr("group_policy: \"\" is none"));
  EXPECT_THAT(why_refused("0,,a,p,1,1,0,g,affinity,row", columns),
              HasSubstr("group_level: \"row\" is none of host, rack, zone, site"));
  EXPECT_THAT(why_refused("0,,a,p,1,1,0,,affinity,", columns), HasSubstr("without a group"));
  EXPECT_THAT(why_refused("0,,a,p,1,1,0,,,rack", columns), HasSubstr("without a group"));
  EXPECT_THAT(
      why_second_refused("0,,a,p,1,1,0,g,affinity,host", "1,,b,p,1,1,0,g,affinity,rack", columns),
      HasSubstr("t.csv:3: group_level: group \"g\" is affinity at the level rack here and "
                "affinity at the level host in an earlier row"));
  EXPECT_THAT(why_second_refused("0,,a,p,1,1,0,g,affinity,host",
                                 "1,,b,p,1,1,0,g,soft-affinity,host", columns),
              HasSubstr("group_policy: group \"g\" is soft-affinity"));
}

TEST(Trace, GivesAPartOfItsRows) {
  const Trace trace = trace_of({"0,,a,p,1,1,0", "1,,bb,q,1,1,0", "2,,c,p,1,1,0"});
  const auto part = trace.part(1, 5);
  ASSERT_TRUE(part.ok());
  ASSERT_EQ(part->rows().size(), 2u);
  EXPECT_EQ(part->instance(0), "bb");
  EXPECT_EQ(part->instance(1), "c");
  EXPECT_EQ(part->projects()[part->rows()[1].project], "p");
  EXPECT_EQ(trace.part(1, 1)->rows().size(), 1u);
  EXPECT_THAT(describe(trace.part(3, 1).status()), HasSubstr("row 4 asked, the trace has 3"));
  EXPECT_FALSE(trace.part(0, 0).ok());
}

}  // namespace
}  // namespace stellwerk::placement::simulate
