#include "placement/fleet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "fixtures.h"

namespace stellwerk::placement {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

Fleet three_hosts() {
  Host drawing = plain_host(3);
  drawing.power = {.idle = watts(100), .peak = watts(200)};
  return Fleet({}, {}, {plain_host(1), drawing, plain_host(5)});
}

// dc1/a/r1: 1 and 2; dc1/a/r2: 3; dc1/b/r1: 4; dc2/a/r1: 5; nowhere: 6.
Fleet two_sites() {
  const Topology topology =
      topology_of({{"dc2/a/r1"}, {"dc1/b/r1"}, {"dc1/a/r2"}, {"dc1/a/r1"}, {"dc3/a/empty"}});
  return Fleet({}, topology,
               {in_rack(plain_host(5), "dc2/a/r1"), in_rack(plain_host(2), "dc1/a/r1"),
                in_rack(plain_host(1), "dc1/a/r1"), in_rack(plain_host(3), "dc1/a/r2"),
                in_rack(plain_host(4), "dc1/b/r1"), plain_host(6)});
}

bool same(const Fleet& a, const Fleet& b) {
  return std::equal(a.hosts().begin(), a.hosts().end(), b.hosts().begin(), b.hosts().end(),
                    same_load) &&
         a.racks() == b.racks() && a.feeds() == b.feeds();
}

TEST(Fleet, FindsEveryHostByUidAndNoOther) {
  const Fleet fleet = three_hosts();
  for (const HostLoad& host : fleet.hosts()) EXPECT_EQ(fleet.find(host.uid), &host);
  for (const uint8_t absent : {0, 2, 4, 6}) EXPECT_EQ(fleet.find(host_uid(absent)), nullptr);
  EXPECT_EQ(Fleet().find(host_uid(1)), nullptr);
  EXPECT_EQ(fleet.index_of(host_uid(3)), 1u);
  EXPECT_EQ(fleet.index_of(host_uid(4)), Fleet::kNone);
}

TEST(Fleet, OrdersHostsBySiteZoneRackAndUid) {
  const Fleet fleet = two_sites();
  std::vector<uint8_t> order;
  for (const HostLoad& host : fleet.hosts()) order.push_back(host.uid.value().bytes().back());
  EXPECT_THAT(order, ElementsAre(6, 1, 2, 3, 4, 5));
  EXPECT_EQ(fleet.racks().size(), 5u);  // those that have hosts, and nowhere
  EXPECT_EQ(fleet.zones().size(), 4u);
  EXPECT_EQ(fleet.sites().size(), 3u);
}

TEST(Fleet, EveryFailureDomainIsARange) {
  const Fleet fleet = two_sites();
  for (const DomainLevel level :
       {DomainLevel::kHost, DomainLevel::kRack, DomainLevel::kZone, DomainLevel::kSite}) {
    uint32_t next = 0;
    for (uint32_t domain = 0; domain < fleet.domains(level); ++domain) {
      const Fleet::HostRange range = fleet.hosts_of(domain, level);
      EXPECT_EQ(range.first, next);
      for (uint32_t host = range.first; host < range.end; ++host) {
        EXPECT_EQ(fleet.domain_of(host, level), domain);
      }
      next = range.end;
    }
    EXPECT_EQ(next, fleet.hosts().size());
  }
  EXPECT_EQ(fleet.domain_name(fleet.domain_of(3, DomainLevel::kZone), DomainLevel::kZone), "dc1/a");
  EXPECT_EQ(fleet.domain_name(0, DomainLevel::kHost), "host-6");
}

TEST(Fleet, FindsPlacesByName) {
  const Fleet fleet = two_sites();
  const auto range = [&](std::string_view name) {
    const auto found = fleet.find_place(name);
    return found ? std::pair(found->first, found->end) : std::pair(99U, 99U);
  };
  EXPECT_THAT(range(""), Pair(0, 6));
  EXPECT_THAT(range("dc1"), Pair(1, 5));
  EXPECT_THAT(range("dc1/a"), Pair(1, 4));
  EXPECT_THAT(range("dc1/a/r2"), Pair(3, 4));
  for (const char* absent : {"dc", "dc11", "dc1/", "dc1/c", "dc1/a/r3", "dc3", "/", "r1"}) {
    EXPECT_THAT(range(absent), Pair(99, 99)) << absent;
  }
}

TEST(Fleet, FindsPlacesWhoseNamesBeginAlike) {
  std::vector<RackPlan> racks;
  std::vector<Host> hosts;
  for (const char* site : {"dc", "dc-1", "dc1", "d"}) {
    for (const char* zone : {"a", "a-b", "a1"}) {
      racks.push_back({std::string(site) + "/" + zone + "/r"});
      racks.push_back({std::string(site) + "/" + zone + "/r-2"});
    }
  }
  for (const RackPlan& rack : racks) {
    hosts.push_back(in_rack(plain_host(static_cast<uint8_t>(hosts.size())), rack.id));
  }
  const Fleet fleet({}, topology_of(racks), hosts);
  for (const RackLoad& rack : fleet.racks()) {
    ASSERT_TRUE(fleet.find_place(rack.id)) << rack.id;
    EXPECT_EQ(fleet.find_place(rack.id)->first, rack.first_host);
  }
  for (const ZoneRange& zone : fleet.zones()) {
    ASSERT_TRUE(fleet.find_place(zone.id)) << zone.id;
    EXPECT_EQ(fleet.find_place(zone.id)->end, zone.end_host);
  }
  for (const SiteRange& site : fleet.sites()) EXPECT_TRUE(fleet.find_place(site.id)) << site.id;
}

TEST(Fleet, ChargesTheClaimedHostAlone) {
  Fleet fleet = three_hosts();
  const Fleet before = fleet;
  fleet.charge(1, claim_on(host_uid(3), plain_request()));
  EXPECT_TRUE(same_load(fleet.hosts()[0], before.hosts()[0]));
  EXPECT_TRUE(same_load(fleet.hosts()[2], before.hosts()[2]));
  EXPECT_EQ(fleet.hosts()[1].used.vcpus[index_of(CpuClass::kShared)], 2);
  EXPECT_EQ(fleet.hosts()[1].used.memory, gibibytes(4).count());
  EXPECT_EQ(fleet.hosts()[1].used.disk, gigabytes(20).count());
  EXPECT_EQ(fleet.hosts()[1].guests, 1);
  EXPECT_EQ(fleet.hosts()[1].room.memory, gibibytes(12).count());
}

TEST(Fleet, KnowsWhichThreadsClaimsName) {
  Fleet fleet = three_hosts();
  Claim claim = claim_on(host_uid(1), plain_request());
  claim.cpu_class = CpuClass::kDedicatedCore;
  claim.cpus = {0, 4, 1, 5};
  fleet.charge(0, claim);
  EXPECT_EQ(fleet.hosts()[0].dedicated,
            (std::map<int32_t, int64_t>{{0, 1}, {1, 1}, {4, 1}, {5, 1}}));
  EXPECT_EQ(fleet.hosts()[0].pinned[index_of(CpuClass::kDedicatedCore)], 2);
  fleet.release(0, claim);
  EXPECT_TRUE(same(fleet, three_hosts()));
}

TEST(Fleet, CountsByNodeWhatIsBoundToNodes) {
  Host host = plain_host(1);
  host.facts.numa = topology(4, 8, 1);
  const Fleet fleet({}, {}, {host});
  Request request = plain_request();
  request.numa_nodes = 2;
  Claim claim = claim_on(host.uid, request);
  claim.numa_nodes = {1, 3};
  const Amounts amounts = fleet.amounts_of(claim, 0);
  ASSERT_EQ(amounts.nodes.size(), 4u);
  EXPECT_EQ(amounts.nodes[0], NodeAmounts());
  EXPECT_EQ(amounts.nodes[3].vcpus[index_of(CpuClass::kShared)], 1);
  EXPECT_EQ(amounts.nodes[3].memory, gibibytes(2).count());
  EXPECT_EQ(amounts.memory, gibibytes(4).count());
  claim.by_node = false;
  EXPECT_TRUE(fleet.amounts_of(claim, 0).nodes.empty());
}

// A record may be odd; one must not end every process that reads it.
TEST(Fleet, CountsForTheHostAloneWhatIsBoundToNoNode) {
  Fleet fleet = three_hosts();
  Claim claim = claim_on(host_uid(1), plain_request());
  claim.by_node = true;
  EXPECT_TRUE(fleet.amounts_of(claim, 0).nodes.empty());
  Engine engine({}, {}, {plain_host(1)});
  engine.charge({.claim = claim});
  engine.release({.claim = claim});
  EXPECT_EQ(engine.fleet().hosts()[0].guests, 0);
}

TEST(Fleet, CountsDevicesByClassAndPassesOverThoseThatNoHostHas) {
  Host host = plain_host(1);
  host.facts.devices = {{"nic", 2}, {"gpu", 1}};
  const Fleet fleet({}, {}, {host});
  EXPECT_THAT(fleet.device_classes(), ElementsAre("gpu", "nic"));
  EXPECT_THAT(fleet.hosts()[0].offer.devices, ElementsAre(1, 2));
  Claim claim = claim_on(host.uid, plain_request());
  claim.devices = {{"fpga", 1}, {"nic", 2}};
  EXPECT_THAT(fleet.amounts_of(claim, 0).devices, ElementsAre(0, 2));
  EXPECT_EQ(fleet.device_class("fpga"), Fleet::kNone);
}

TEST(Fleet, DrawsForIdleHostsClaimsAndTheMostOfWhatIsKept) {
  Fleet fleet({}, topology_of({{"dc1/a/r1", {"dc1/f1"}}}, {{"dc1/f1", watts(900)}}),
              {in_rack(plain_host(1), "dc1/a/r1")});
  Host host = in_rack(plain_host(1), "dc1/a/r1");
  host.power = {.idle = watts(100), .peak = watts(200)};
  fleet.describe(0, host);
  Claim claim = claim_on(host.uid, plain_request());
  claim.power = watts(7);
  fleet.charge(0, claim);
  Amounts kept;
  kept.power = watts(10).count();
  fleet.keep(0, 1, kept);
  fleet.keep(0, 1, kept);
  fleet.keep(0, 2, kept);
  EXPECT_EQ(fleet.racks()[0].draw, watts(127));
  EXPECT_EQ(fleet.feeds()[0].alone, watts(127));
  fleet.give_back(0, 1, kept);
  fleet.give_back(0, 1, kept);
  EXPECT_EQ(fleet.racks()[0].draw, watts(117));
  host.power.idle = watts(90);
  fleet.describe(0, host);
  EXPECT_EQ(fleet.racks()[0].draw, watts(107));
}

TEST(Fleet, KeepsTheMostThatAnyOneDomainWouldSend) {
  Fleet fleet = three_hosts();
  const Fleet before = fleet;
  Amounts small;
  small.memory = gibibytes(1).count();
  Amounts wide;
  wide.vcpus[index_of(CpuClass::kShared)] = 5;
  fleet.keep(0, 1, small);
  fleet.keep(0, 1, small);
  fleet.keep(0, 2, wide);
  const Reserve& kept = fleet.hosts()[0].backups;
  EXPECT_EQ(kept.largest.memory, gibibytes(2).count());
  EXPECT_EQ(kept.largest.vcpus[index_of(CpuClass::kShared)], 5);
  EXPECT_EQ(kept.domains.size(), 2u);
  EXPECT_EQ(fleet.hosts()[0].room.memory, gibibytes(14).count());
  fleet.keep(2, 1, small);
  EXPECT_THAT(fleet.keepers_of(1), ElementsAre(0, 2));
  EXPECT_THAT(fleet.keepers_of(2), ElementsAre(0));
  EXPECT_THAT(fleet.keepers_of(77), ElementsAre());
  fleet.give_back(0, 1, small);
  fleet.give_back(0, 1, small);
  EXPECT_THAT(fleet.keepers_of(1), ElementsAre(2));
  fleet.give_back(2, 1, small);
  fleet.give_back(0, 2, wide);
  EXPECT_TRUE(same(fleet, before));
}

TEST(Fleet, SaysWhetherKeepingChangesWhatAnybodyElseSees) {
  Fleet fleet = three_hosts();
  Amounts one;
  one.memory = gibibytes(1).count();
  EXPECT_TRUE(fleet.keep(0, 0, one));
  for (uint32_t domain = 1; domain + 1 < kMostDomainsPerHost; ++domain) {
    EXPECT_FALSE(fleet.keep(0, domain, one));
  }
  EXPECT_TRUE(fleet.keep(0, kMostDomainsPerHost, one));  // now it is full
  EXPECT_TRUE(fleet.keep(0, 1, one));
  EXPECT_TRUE(fleet.give_back(0, 1, one));
  EXPECT_TRUE(fleet.give_back(0, 1, one));  // now it is not
  for (uint32_t domain = 2; domain + 1 < kMostDomainsPerHost; ++domain) {
    EXPECT_FALSE(fleet.give_back(0, domain, one));
  }
  EXPECT_FALSE(fleet.give_back(0, 0, one));
  EXPECT_TRUE(fleet.give_back(0, kMostDomainsPerHost, one));
}

RC_GTEST_PROP(Fleet, ReleasesInAnyOrderUndoTheirCharges, ()) {
  Dice dice = any_dice();
  Fleet fleet = three_hosts();
  const Fleet before = fleet;
  std::vector<std::pair<uint32_t, Claim>> claims;
  const int count = *rc::gen::inRange(0, 20);
  for (int i = 0; i < count; ++i) {
    const auto host = static_cast<uint32_t>(dice.in(0, 3));
    Request request = plain_request();
    request.cpu_class = any_cpu_class(dice);
    request.memory = mebibytes(dice.in(1, 999));
    request.numa_nodes = static_cast<int32_t>(dice.in(0, 2));
    Claim claim = claim_on(fleet.hosts()[host].uid, request);
    if (claim.by_node) claim.numa_nodes = {0};
    if (is_dedicated(claim.cpu_class)) claim.cpus = {static_cast<int32_t>(dice.in(0, 99))};
    claim.power = Milliwatts(dice.in(0, 99));
    claims.emplace_back(host, claim);
    fleet.charge(host, claim);
  }
  while (!claims.empty()) {
    const auto at = claims.begin() + dice.in(0, std::ssize(claims));
    fleet.release(at->first, at->second);
    claims.erase(at);
  }
  RC_ASSERT(same(fleet, before));
}

TEST(Fleet, NeedsNewRangesForDevicesAndNodesThatAreNew) {
  Host host = plain_host(1);
  host.facts.devices = {{"gpu", 1}};
  const Fleet fleet({}, {}, {host});
  EXPECT_TRUE(fleet.can_describe(host));
  EXPECT_FALSE(fleet.can_describe(plain_host(2)));
  Host other = host;
  other.facts.devices = {};
  other.facts.memory = gibibytes(1);
  other.facts.numa.front().pages_2mib = 9;
  EXPECT_TRUE(fleet.can_describe(other));
  other.facts.devices = {{"fpga", 1}};
  EXPECT_FALSE(fleet.can_describe(other));
  // Guests that are bound to nodes are charged by them.
  other = host;
  other.facts.numa = topology(4, 8, 2);
  EXPECT_FALSE(fleet.can_describe(other));
  other.facts.numa = {};
  EXPECT_FALSE(fleet.can_describe(other));
  other.facts.numa = host.facts.numa;
  other.facts.numa.front().id = 3;
  EXPECT_FALSE(fleet.can_describe(other));
}

TEST(FleetDeathTest, AbortsWhenMoreIsReleasedThanWasCharged) {
  Fleet fleet = three_hosts();
  const Claim claim = claim_on(host_uid(1), plain_request());
  fleet.charge(0, claim);
  fleet.release(0, claim);
  EXPECT_DEATH(fleet.release(0, claim), "");
  EXPECT_DEATH(fleet.give_back(0, 1, {}), "");
}

TEST(FleetDeathTest, AbortsWhenThreadsAreLetGoThatNobodyHas) {
  Fleet fleet = three_hosts();
  EXPECT_DEATH(fleet.let_go_cpus(0, {1}), "");
}

}  // namespace
}  // namespace stellwerk::placement
