#include "placement/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "explain_fixture.h"

namespace stellwerk::placement {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using testing::id_of;
using ::testing::IsEmpty;
using testing::occupy;
using testing::plain_request;
using ::testing::SizeIs;
using testing::Yard;

std::string summary(const Yard& yard, const Request& request) {
  Engine engine = yard.engine();
  return explain(engine, request).summary;
}

auto counts(const std::string& rule, int64_t hosts) {
  return ::testing::AllOf(Field("rule", &RuleCount::rule, rule),
                          Field("hosts", &RuleCount::hosts, hosts));
}

TEST(Explain, NamesTheAmountAskedTheLargestFreeAndWhatWouldDo) {
  Yard yard;
  yard.add(1).reserve.memory = gibibytes(10);
  yard.add(2);
  Request request = plain_request();
  request.memory = gibibytes(12 * 1024);
  EXPECT_EQ(summary(yard, request),
            "memory: 12 TiB asked, the largest free is 16 GiB; ask for less memory or another "
            "flavor");
}

TEST(Explain, NamesEveryRuleThatRefusedAHostAndAdvisesOnTheNearest) {
  Yard yard;
  for (const uint8_t number : {1, 2, 3}) yard.add(number);
  Engine engine = yard.engine();
  engine.set_accepting(id_of<HostUid>(1), false);
  occupy(engine, 2, {.cpu_class = CpuClass::kDedicatedCore, .vcpus = VcpuCount(4)});
  occupy(engine, 3, {.vcpus = VcpuCount(1), .disk = gigabytes(100)});
  const Explanation explanation = explain(engine, plain_request());
  EXPECT_EQ(explanation.summary,
            "hosts (1 of 3 hosts): not connected; "
            "cpu (1 of 3 hosts): 2 shared vCPUs asked, the largest free is 0; "
            "disk (1 of 3 hosts): 18.6 GiB asked, the largest free is 0 bytes; "
            "ask for a smaller disk or another flavor");
  EXPECT_THAT(explanation.refusals,
              ElementsAre(counts("accepting", 1), counts("cpu", 1), counts("disk", 1)));
  EXPECT_FALSE(explanation.none_connected);
}

TEST(Explain, SaysWhichDiskTypeNobodyHas) {
  Yard yard;
  yard.add(1);
  Request request = plain_request();
  request.disk_type = DiskType::kNetwork;
  EXPECT_EQ(summary(yard, request),
            "disk-type: network asked, none there; choose a flavor without this disk type");
}

TEST(Explain, SaysThatProcessorsAreNotKnown) {
  Yard yard;
  yard.add(1).facts.numa.clear();
  Request request = plain_request();
  request.cpu_class = CpuClass::kDedicatedCore;
  EXPECT_THAT(summary(yard, request),
              HasSubstr("topology: dedicated-core vCPUs asked, cores and threads are not known"));
}

TEST(Explain, SaysThatHostsAreMissingOrSilent) {
  EXPECT_EQ(summary({}, plain_request()),
            "no host belongs to the cell yet; start stellwerkd on one");
  Yard yard;
  yard.add(1);
  Engine engine = yard.engine();
  engine.set_accepting(id_of<HostUid>(1), false);
  const Explanation explanation = explain(engine, plain_request());
  EXPECT_EQ(explanation.summary, "hosts: not connected; try again when a host has connected");
  EXPECT_TRUE(explanation.none_connected);
}

TEST(Explain, TellsAmountsApartThatRoundToTheSame) {
  Yard yard;
  yard.add(1);
  Request request = plain_request();
  request.memory = gibibytes(16) + Bytes(1);
  EXPECT_EQ(summary(yard, request),
            "memory: 17179869185 bytes asked, the largest free is 17179869184 bytes; ask for less "
            "memory or another flavor");
}

TEST(Explain, ListsEveryMistakeOfAMalformedRequest) {
  Yard yard;
  yard.add(1);
  Request request = plain_request();
  request.numa_nodes = 3;
  request.vcpus = VcpuCount();
  const std::string text = summary(yard, request);
  EXPECT_THAT(text, HasSubstr("vcpus: 0 asked; 1 to 4096 are possible; "));
  EXPECT_THAT(text, HasSubstr("numa_nodes: 3 asked; 1, 2 or 4 are possible"));
}

TEST(Explain, TellsMembersOfAPlaceThatIsNotThereAndOperatorsWhichAre) {
  Yard yard;
  yard.add(1, 1);
  yard.add(2, 3);
  Request request = plain_request();
  request.wishes.within = "zq1/c";
  Engine engine = yard.engine();
  const Explanation explanation = explain(engine, request);
  EXPECT_EQ(explanation.summary, "place: there is no zq1/c with hosts; ask for another place");
  ASSERT_THAT(explanation.refusals, ElementsAre(counts("place", 2)));
  EXPECT_EQ(explanation.refusals[0].words, "there is no zq1/c with hosts; there are: zq1/a, zq1/b");
}

TEST(Explain, CountsOnlyHostsOfThePlaceThatWasAsked) {
  Yard yard;
  yard.add(1, 1);
  yard.add(2, 3);
  Request request = plain_request();
  request.wishes.within = "zq1/b";
  request.memory = gibibytes(20);
  EXPECT_EQ(summary(yard, request),
            "within zq1/b: memory: 20 GiB asked, the largest free is 16 GiB; ask for less memory "
            "or another flavor");
  request.wishes.within.clear();
  request.wishes.host = id_of<HostUid>(1);
  EXPECT_THAT(summary(yard, request), ::testing::StartsWith("memory: 20 GiB asked"));
}

TEST(Explain, TellsOperatorsWhichValuesALabelHas) {
  Yard yard;
  yard.add(1).labels = {{"tier", "plain"}};
  yard.add(2).labels = {{"tier", "silver"}};
  Request request = plain_request();
  request.wishes.required_labels = {{"tier", "gold"}};
  Engine engine = yard.engine();
  const Explanation explanation = explain(engine, request);
  EXPECT_EQ(explanation.summary, "labels: tier=gold asked, none there; ask for other labels");
  ASSERT_THAT(explanation.refusals, SizeIs(1));
  EXPECT_EQ(explanation.refusals[0].words,
            "no host has the label tier=gold; values of tier: plain, silver");
}

TEST(Explain, NamesTheFeedOrRackThatHasNoPowerToOperatorsOnly) {
  Yard yard;
  yard.topology.feeds[0].budget = watts(250);
  yard.topology.racks[3].power_limit = watts(100);
  for (const uint8_t number : {1, 4}) {
    yard.add(number, number).power = {.idle = watts(100), .peak = watts(500)};
  }
  Request request = plain_request();
  request.vcpus = VcpuCount(16);
  Engine engine = yard.engine();
  const Explanation explanation = explain(engine, request);
  EXPECT_EQ(explanation.summary,
            "power: none is left for 16 vCPUs; ask for fewer vCPUs, or try again when others have "
            "gone");
  ASSERT_THAT(explanation.refusals, ElementsAre(counts("power", 2)));
  EXPECT_EQ(explanation.refusals[0].words,
            "feed zq1/f1 delivers 100 W of 250 W, rack zq2/a/r1 draws 100 W of its limit of 100 W");
}

TEST(Explain, SaysThatAPoolIsShort) {
  Yard yard;
  yard.add(1);
  Request request = plain_request();
  request.pool = "fast";
  request.pool_bytes = gibibytes(30);
  Engine engine = yard.engine();
  EXPECT_EQ(explain(engine, request).summary,
            "pool: there is no fast; ask for less or for another pool");
  engine.set_pools({{.id = "fast", .capacity = gibibytes(100), .used = gibibytes(80)}});
  const Explanation explanation = explain(engine, request);
  EXPECT_EQ(explanation.summary,
            "pool: 30 GiB asked of fast, 20 GiB are free; ask for less or for another pool");
  EXPECT_EQ(explanation.smallest_change, "10 GiB less of pool fast (20 GiB instead of 30 GiB)");
}

TEST(Explain, SaysThatAGroupIsLargerThanItsDomains) {
  Yard yard;
  for (const uint8_t number : {1, 2, 3, 4}) yard.add(number, number);
  Engine engine = yard.engine();
  Request request = plain_request();
  request.group = id_of<GroupUid>(1);
  request.count = 9;
  engine.put_group(request.group, {{.level = DomainLevel::kRack, .most_per_domain = 2}});
  const Explanation explanation = explain(engine, request);
  EXPECT_EQ(explanation.summary,
            "8 of 9 find a place, the next one does not: group: at most 2 members a rack, 4 racks "
            "have hosts: 8 members fit, 9 asked; ask for fewer instances or for a group with "
            "other rules");
  EXPECT_THAT(explanation.refusals, ElementsAre(counts("group", 4)));
  EXPECT_EQ(explanation.smallest_change, "1 fewer instance (8 instead of 9)");
}

TEST(Explain, SaysHowManyOfSeveralFindAPlace) {
  Yard yard;
  yard.add(1);
  Request request = plain_request();
  request.memory = gibibytes(5);
  request.count = 8;
  Engine engine = yard.engine();
  const Explanation explanation = explain(engine, request);
  EXPECT_EQ(explanation.summary,
            "3 of 8 find a place, the next one does not: memory: 5 GiB asked, the largest free is "
            "1 GiB; ask for less memory or another flavor");
  EXPECT_EQ(explanation.feasible, 1);
}

TEST(Explain, SaysThatNoRoomIsKeptForAFailure) {
  Yard yard;
  yard.settings.guarantee = DomainLevel::kRack;
  yard.add(1, 1);
  yard.add(2, 2).facts.memory = gibibytes(3);
  Engine engine = yard.engine();
  Request request = plain_request();
  request.failover = true;
  const Explanation explanation = explain(engine, request);
  EXPECT_EQ(explanation.summary,
            "memory (1 of 2 hosts): 4 GiB asked, the largest free is 3 GiB; failover (1 of 2 "
            "hosts): no room is left to keep for it in case its rack fails; ask for less, or "
            "without the failover guarantee");
  EXPECT_EQ(explanation.nearest[0].lacks,
            std::vector<std::string>{"no other rack keeps room for it if rack zq1/a/r1 fails"});
  EXPECT_EQ(explanation.smallest_change, "1 GiB less memory (3 GiB instead of 4 GiB)");
}

TEST(Explain, NamesTheNearestHostsAndAllThatTheyLack) {
  Yard yard;
  for (uint8_t number = 1; number <= 7; ++number) {
    yard.add(number, 1).facts.memory = gibibytes(number);
  }
  yard.hosts[6].maintenance = true;
  yard.hosts[5].facts.disk = gigabytes(10);
  Engine engine = yard.engine();
  Request request = plain_request();
  request.memory = gibibytes(8);
  const Explanation explanation = explain(engine, request);
  std::vector<std::string> ids;
  for (const NearHost& near : explanation.nearest) ids.push_back(near.id);
  EXPECT_THAT(ids, ElementsAre("zq-host-5", "zq-host-4", "zq-host-3", "zq-host-2", "zq-host-1"));
  EXPECT_THAT(explanation.nearest[0].lacks, ElementsAre("3 GiB of memory short"));
  EXPECT_EQ(explanation.nearest[0].rack, "zq1/a/r1");
  engine.set_fenced(id_of<HostUid>(1), true);
  for (const uint8_t number : {2, 3, 4, 5}) engine.set_fenced(id_of<HostUid>(number), true);
  const Explanation later = explain(engine, request);
  EXPECT_THAT(later.nearest[0].lacks,
              ElementsAre("2 GiB of memory short", "9.3 GiB of disk short"));
}

TEST(Explain, SaysWhyAHostWasTaken) {
  Yard yard;
  for (const uint8_t number : {1, 2, 3, 4}) yard.add(number, number);
  yard.hosts[1].facts.memory = gibibytes(8);
  Engine engine = yard.engine();
  const Explanation explanation = explain(engine, plain_request());
  EXPECT_TRUE(explanation.fits);
  EXPECT_EQ(explanation.summary, "it fits: 4 of 4 hosts could take it");
  ASSERT_THAT(explanation.chosen, SizeIs(1));
  EXPECT_THAT(explanation.chosen[0], HasSubstr("of 4 hosts that could take it, "));
  EXPECT_THAT(explanation.chosen[0],
              HasSubstr("it is the one where it takes least of what other guests could still use"));
  EXPECT_THAT(explanation.chosen[0], HasSubstr("; next would be zq-host-"));
  EXPECT_THAT(explanation.nearest, IsEmpty());
}

TEST(Explain, SaysWhichHostsAGroupLeftOut) {
  Yard yard;
  for (const uint8_t number : {1, 2, 3}) yard.add(number, number);
  Engine engine = yard.engine();
  Request request = plain_request();
  request.group = id_of<GroupUid>(1);
  request.count = 3;
  engine.put_group(request.group, {{.level = DomainLevel::kHost}});
  const Explanation explanation = explain(engine, request);
  ASSERT_THAT(explanation.chosen, SizeIs(3));
  EXPECT_THAT(explanation.chosen[1],
              HasSubstr("1 host was left out: members of its group are there"));
  EXPECT_THAT(explanation.chosen[2], HasSubstr("it is the only host that could take it"));
  EXPECT_THAT(explanation.refusals, IsEmpty());
}

}  // namespace
}  // namespace stellwerk::placement
