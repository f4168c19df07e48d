#include "placement/explain_change.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "explain_fixture.h"

namespace stellwerk::placement {
namespace {

using testing::id_of;
using testing::occupy;
using ::testing::Optional;
using testing::plain_request;
using testing::Yard;

std::optional<std::string> change(Engine& engine, const Request& request) {
  return explain(engine, request).smallest_change;
}
std::optional<std::string> change(const Yard& yard, const Request& request) {
  Engine engine = yard.engine();
  return change(engine, request);
}

TEST(SmallestChange, SaysHowMuchLessWouldFit) {
  Yard yard;
  yard.add(1).reserve.memory = gibibytes(4);
  Request request = plain_request();
  request.memory = gibibytes(16);
  EXPECT_EQ(change(yard, request), "4 GiB less memory (12 GiB instead of 16 GiB)");
  request = plain_request();
  request.disk = gibibytes(96);
  EXPECT_EQ(change(yard, request), "3 GiB less disk (93 GiB instead of 96 GiB)");
  request = plain_request();
  request.vcpus = VcpuCount(24);
  EXPECT_EQ(change(yard, request), "4 fewer vCPUs (20 instead of 24)");
}

TEST(SmallestChange, LooksOnlyAtHostsThatLackNothingElse) {
  Yard yard;
  yard.add(1).facts.disk = gigabytes(10);
  yard.add(2).facts.memory = gibibytes(6);
  Request request = plain_request();
  request.memory = gibibytes(8);
  EXPECT_EQ(change(yard, request), "2 GiB less memory (6 GiB instead of 8 GiB)");
}

TEST(SmallestChange, RoundsSoThatNothingIsLostInWords) {
  Yard yard;
  yard.add(1).facts.memory = gibibytes(16) - mebibytes(300);
  Request request = plain_request();
  request.memory = gibibytes(16);
  EXPECT_EQ(change(yard, request), "300 MiB less memory (15.7 GiB instead of 16 GiB)");
  request.memory = gibibytes(18);
  EXPECT_EQ(change(yard, request), "2.5 GiB less memory (15.5 GiB instead of 18 GiB)");
  request.memory = gibibytes(16) - mebibytes(299);
  EXPECT_EQ(change(yard, request), "1 MiB less memory");
}

TEST(SmallestChange, TurnsDownPagesDevicesAndBandwidth) {
  Yard yard;
  Host& host = yard.add(1);
  host.facts.numa[0].pages_1gib = 6;
  host.facts.devices = {{"gpu", 2}};
  host.facts.bandwidth = MegabitsPerSecond(10000);
  Request request = plain_request();
  request.bandwidth = MegabitsPerSecond(12000);
  EXPECT_EQ(change(yard, request), "2 Gbit/s less bandwidth (10 Gbit/s instead of 12 Gbit/s)");
  request = plain_request();
  request.devices = {{"gpu", 3}};
  EXPECT_EQ(change(yard, request), "1 fewer gpu (2 instead of 3)");
  request.devices = {{"fpga", 1}};
  EXPECT_EQ(change(yard, request), "1 fewer fpga (0 instead of 1)");
  request = plain_request();
  request.page_size = PageSize::k1GiB;
  request.pages = 8;
  EXPECT_EQ(change(yard, request), "2 fewer pages of 1 GiB (6 instead of 8)");
}

TEST(SmallestChange, KeepsNodesEven) {
  Yard yard;
  Host& host = yard.add(1);
  host.facts.numa = testing::nodes_of(2, 2, gibibytes(8));
  Request request = plain_request();
  request.numa_nodes = 2;
  request.cpu_class = CpuClass::kDedicatedThread;
  request.vcpus = VcpuCount(8);
  // One thread stays for the host, and the nodes give as many each.
  EXPECT_EQ(change(yard, request), "2 fewer vCPUs (6 instead of 8)");
  request.vcpus = VcpuCount(2);
  request.numa_nodes = 4;
  request.vcpus = VcpuCount(4);
  EXPECT_EQ(change(yard, request), "without NUMA nodes");
}

TEST(SmallestChange, DropsAWishRatherThanMoreThanHalf) {
  Yard yard;
  yard.add(1, 1).facts.memory = gibibytes(6);
  yard.add(2, 4);
  Request request = plain_request();
  request.memory = gibibytes(8);
  request.wishes.within = "zq1";
  EXPECT_EQ(change(yard, request), "2 GiB less memory (6 GiB instead of 8 GiB)");
  request.memory = gibibytes(14);
  EXPECT_EQ(change(yard, request), "outside of zq1");
  request.memory = gibibytes(20);
  EXPECT_EQ(change(yard, request), "14 GiB less memory (6 GiB instead of 20 GiB)");
}

TEST(SmallestChange, DropsOneWishOfSeveral) {
  Yard yard;
  yard.add(1).labels = {{"tier", "plain"}, {"hall", "old"}};
  yard.hosts[0].facts.cpu_baselines = {"x86-64-v2"};
  Request request = plain_request();
  request.wishes.required_labels = {{"hall", std::nullopt}, {"tier", "gold"}};
  EXPECT_EQ(change(yard, request), "without the label tier=gold");
  request.wishes.required_labels.clear();
  request.wishes.forbidden_labels = {{"tier", "gold"}, {"hall", std::nullopt}};
  EXPECT_EQ(change(yard, request), "without forbidding the label hall");
  request.wishes.forbidden_labels.clear();
  request.wishes.cpu_baseline = "x86-64-v4";
  EXPECT_EQ(change(yard, request), "without the CPU baseline x86-64-v4");
  request.disk_type = DiskType::kNvme;
  EXPECT_EQ(change(yard, request), std::nullopt) << "two wishes cannot be met";
  request.wishes.cpu_baseline.clear();
  EXPECT_EQ(change(yard, request), "without the disk type nvme");
  request.disk_type = DiskType::kUnspecified;
  request.wishes.host = id_of<HostUid>(9);
  EXPECT_EQ(change(yard, request), "on another host");
}

TEST(SmallestChange, DropsARuleOfTheGroupAndLeavesTheGroupAsItWas) {
  Yard yard;
  yard.add(1, 1);
  yard.add(2, 1);
  Engine engine = yard.engine();
  Request request = plain_request();
  request.group = id_of<GroupUid>(1);
  const std::vector<GroupRule> rules = {{.level = DomainLevel::kHost},
                                        {.level = DomainLevel::kRack}};
  engine.put_group(request.group, rules);
  const auto placed = std::get<Placed>(engine.place(request));
  engine.charge({placed.placements[0].claim, {}, request.group});
  const Explanation explanation = explain(engine, request);
  EXPECT_EQ(explanation.smallest_change, "without the rule rack anti-affinity of its group");
  EXPECT_EQ(explanation.change->without_rule, rules[1]);
  EXPECT_EQ(engine.group(request.group)->rules, rules);
}

TEST(SmallestChange, OffersSharedVcpusWhereNoneCanBePinned) {
  Yard yard;
  yard.add(1).facts.numa.clear();
  Request request = plain_request();
  request.cpu_class = CpuClass::kDedicatedCore;
  EXPECT_EQ(change(yard, request), "with shared instead of dedicated-core vCPUs");
}

TEST(SmallestChange, GivesUpTheGuaranteeWhenNothingSmallerHelps) {
  Yard yard;
  yard.settings.guarantee = DomainLevel::kRack;
  yard.add(1, 1);
  yard.add(2, 1);
  Request request = plain_request();
  request.failover = true;
  EXPECT_EQ(change(yard, request), "without the failover guarantee");
}

TEST(SmallestChange, OffersLessOfEachOfSeveralRatherThanFewerOfThem) {
  Yard yard;
  yard.add(1);
  Request request = plain_request();
  request.memory = gibibytes(4) + mebibytes(512);
  request.disk = Bytes();
  request.count = 4;
  EXPECT_EQ(change(yard, request), "512 MiB less memory (4 GiB instead of 4.5 GiB)");
}

TEST(SmallestChange, FindsTheDomainWhereMostOfAGroupFit) {
  Yard yard;
  yard.add(1, 1).facts.memory = gibibytes(5);
  for (const uint8_t number : {2, 3}) yard.add(number, 2).facts.memory = gibibytes(8);
  Engine engine = yard.engine();
  Request request = plain_request();
  request.group = id_of<GroupUid>(1);
  request.count = 5;
  engine.put_group(request.group,
                   {{.policy = GroupPolicy::kAffinity, .level = DomainLevel::kRack}});
  EXPECT_EQ(change(engine, request), "1 fewer instance (4 instead of 5)");
}

}  // namespace
}  // namespace stellwerk::placement
