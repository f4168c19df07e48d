#include "placement/simulate/fleet_plan.h"

#include <gmock/gmock.h>

#include "fixtures.h"

namespace stellwerk::placement::simulate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> rack_ids(const FleetPlan& plan) {
  std::vector<std::string> ids;
  for (const Rack& rack : plan.topology.racks) ids.push_back(rack.id);
  return ids;
}

TEST(GeneratedFleet, SpreadsRacksOverSites) {
  const auto plan = generate_fleet({.hosts = 7,
                                    .host_vcpus = 64,
                                    .host_memory_mib = 1024,
                                    .hosts_per_rack = 2,
                                    .sites = 2,
                                    .oversubscription = 3});
  ASSERT_TRUE(plan.ok()) << describe(plan.status());
  EXPECT_THAT(rack_ids(*plan), ElementsAre("dc1/a/r01", "dc2/a/r01", "dc1/a/r02", "dc2/a/r02"));
  EXPECT_EQ(plan->hosts.size(), 7u);
  EXPECT_EQ(plan->hosts[0].id, "host-01");
  EXPECT_EQ(plan->hosts[3].rack, plan->topology.racks[1].uid);
  EXPECT_EQ(plan->hosts[6].rack, plan->topology.racks[3].uid);
  EXPECT_EQ(plan->hosts[0].facts.memory, mebibytes(1024));
  EXPECT_EQ(limits_of(*plan).shared_per_thread, 3);
}

TEST(GeneratedFleet, OffersAllItsVcpusToSharedGuests) {
  auto plan = generate_fleet(
      {.hosts = 1, .host_vcpus = 64, .host_memory_mib = 1024, .oversubscription = 2});
  const Fleet fleet(limits_of(*plan), plan->topology, plan->hosts);
  EXPECT_EQ(fleet.hosts()[0].all_vcpus[placement::index_of(CpuClass::kShared)], 128);
}

TEST(PlannedHost, IsLimitedByItsThreadsNotByItsCores) {
  FleetPlan plan{.oversubscription = 2};
  plan.hosts.push_back(
      planned_host(0, "h", RackUid(), {.cores = 8, .threads = 16, .memory = gibibytes(1)}));
  const Fleet fleet(limits_of(plan), plan.topology, plan.hosts);
  EXPECT_EQ(fleet.hosts()[0].all_vcpus[placement::index_of(CpuClass::kShared)], 32);
}

TEST(PlannedHost, SpreadsCoresAndMemoryOverItsNodes) {
  const Host host =
      planned_host(4, "h", RackUid(),
                   {.cores = 3, .threads = 6, .memory = Bytes(1001), .numa_nodes = 2, .gpus = 8});
  ASSERT_EQ(host.facts.numa.size(), 2u);
  EXPECT_EQ(host.facts.numa[0].memory, Bytes(501));
  EXPECT_EQ(host.facts.numa[1].memory, Bytes(500));
  EXPECT_THAT(host.facts.numa[0].cores, ElementsAre(HostCore{{0, 3}}));
  EXPECT_THAT(host.facts.numa[1].cores, ElementsAre(HostCore{{1, 4}}, HostCore{{2, 5}}));
  EXPECT_THAT(host.facts.devices, ElementsAre(DeviceCount{"gpu", 8}));
  EXPECT_EQ(host.uid, numbered<HostUid>(5));
}

TEST(GeneratedFleet, RefusesWhatCannotBe) {
  const GenerateOptions right{.hosts = 1, .host_vcpus = 4, .host_memory_mib = 1024};
  const auto why = [&](auto member, int64_t value) {
    GenerateOptions wrong = right;
    wrong.*member = value;
    return describe(generate_fleet(wrong).status());
  };
  EXPECT_THAT(why(&GenerateOptions::hosts, 0), HasSubstr("hosts: 0 asked; 1 to 100000"));
  EXPECT_THAT(why(&GenerateOptions::hosts, 100'001), HasSubstr("hosts: 100001 asked"));
  EXPECT_THAT(why(&GenerateOptions::host_vcpus, 0), HasSubstr("host-vcpus: 0 asked"));
  EXPECT_THAT(why(&GenerateOptions::host_memory_mib, -1), HasSubstr("host-memory-mib: -1"));
  EXPECT_THAT(why(&GenerateOptions::hosts_per_rack, 0), HasSubstr("hosts-per-rack: 0"));
  EXPECT_THAT(why(&GenerateOptions::sites, 65), HasSubstr("sites: 65"));
  EXPECT_THAT(why(&GenerateOptions::host_numa_nodes, 5), HasSubstr("host-numa-nodes: 5"));
  EXPECT_THAT(why(&GenerateOptions::host_gpus, 65), HasSubstr("host-gpus: 65"));
  EXPECT_THAT(why(&GenerateOptions::oversubscription, 0), HasSubstr("oversubscription: 0"));
}

TEST(LimitHosts, KeepsTheFirst) {
  FleetPlan plan = small_fleet(3);
  EXPECT_THAT(describe(limit_hosts(plan, 4)), HasSubstr("4 hosts asked, the fleet has 3"));
  EXPECT_FALSE(limit_hosts(plan, 0).ok());
  ASSERT_TRUE(limit_hosts(plan, 2).ok());
  EXPECT_EQ(plan.hosts.size(), 2u);
  EXPECT_EQ(plan.hosts.back().id, "host-02");
}

TEST(FirstHostOf, IsTheModelForMore) {
  FleetPlan plan = small_fleet(2);
  EXPECT_EQ(first_host_of(plan, "dc1/a/r02")->id, "host-02");
  EXPECT_THAT(describe(first_host_of(plan, "dc1/a/r09").status()), HasSubstr("no rack"));
  ASSERT_TRUE(limit_hosts(plan, 1).ok());
  EXPECT_THAT(describe(first_host_of(plan, "dc1/a/r02").status()), HasSubstr("no host stands"));
}

}  // namespace
}  // namespace stellwerk::placement::simulate
