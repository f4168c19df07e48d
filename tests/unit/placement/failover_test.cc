#include "placement/failover.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixtures.h"

namespace stellwerk::placement {
namespace {

using ::testing::ElementsAre;

// Hosts 1 and 2 in dc1/a/r1, 3 in dc1/a/r2, all with 16 GiB.
Engine three_hosts(DomainLevel guarantee,
                   std::vector<RackPlan> racks = {{"dc1/a/r1"}, {"dc1/a/r2"}}) {
  return engine_of({in_rack(plain_host(1), "dc1/a/r1"), in_rack(plain_host(2), "dc1/a/r1"),
                    in_rack(plain_host(3), "dc1/a/r2")},
                   {.guarantee = guarantee, .policy = Policy::kFirstFit}, topology_of(racks));
}

Request protected_request(int64_t gib = 4) {
  Request request = plain_request();
  request.failover = true;
  request.memory = gibibytes(gib);
  request.disk = Bytes();
  return request;
}

HostUid backup_of(const std::vector<Occupation>& admitted) {
  if (admitted.empty() || !admitted.front().backup) return {};
  return admitted.front().backup->host;
}

TEST(OfferBackup, CostsWhatMoreHasToBeKept) {
  Fleet fleet({}, {}, {plain_host(1), plain_host(2), plain_host(3)});
  fleet.set_accepting(2, true);
  const Ask ask = ask_for(protected_request());
  const auto first = offer_backup(fleet, 2, 0, ask);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->cost, 103 + 256);  // 2 of 20 vCPUs and 4 of 16 GiB, in 1,024ths
  EXPECT_EQ(first->amounts.memory, gibibytes(4).count());
  EXPECT_EQ(backup_cost(fleet, 2, 0, ask), first->cost);
  EXPECT_EQ(least_backup_cost(fleet.hosts()[2], ask), first->cost);
  fleet.keep(2, 0, first->amounts);
  // For another domain nothing more; for the same as much again.
  EXPECT_EQ(offer_backup(fleet, 2, 1, ask)->cost, 0);
  EXPECT_EQ(offer_backup(fleet, 2, 0, ask)->cost, first->cost);
  EXPECT_EQ(least_backup_cost(fleet.hosts()[2], ask), 0);
}

TEST(OfferBackup, IsMadeByHostsInServiceWithRoomAlone) {
  Fleet fleet({}, {}, {plain_host(1), plain_host(2)});
  const auto offers = [&](const Request& request) {
    const Ask ask = ask_of(fleet, request);
    const bool made = offer_backup(fleet, 1, 0, ask).has_value();
    EXPECT_EQ(backup_cost(fleet, 1, 0, ask).has_value(), made);
    return made;
  };
  EXPECT_FALSE(offers(protected_request()));
  fleet.set_accepting(1, true);
  EXPECT_TRUE(offers(protected_request(16)));
  EXPECT_FALSE(offers(protected_request(17)));
  Request request = protected_request();
  request.devices = {{"gpu", 1}};
  EXPECT_FALSE(offers(request));
  fleet.set_fenced(1, true);
  EXPECT_FALSE(offers(protected_request()));
}

TEST(OfferBackup, TakesTheNodesWhereTheLeastIsKeptInAddition) {
  Host host = plain_host(2);
  host.facts.numa = topology(4, 8, 2);
  Fleet fleet({}, {}, {plain_host(1), host, plain_host(3)});
  fleet.set_accepting(1, true);
  Request request = protected_request(5);
  request.numa_nodes = 1;
  const Ask ask = ask_for(request);
  const auto first = offer_backup(fleet, 1, 0, ask);
  ASSERT_TRUE(first);
  EXPECT_THAT(first->nodes, ElementsAre(0));
  fleet.keep(1, 0, first->amounts);
  EXPECT_THAT(offer_backup(fleet, 1, 0, ask)->nodes, ElementsAre(1));
  EXPECT_THAT(offer_backup(fleet, 1, 2, ask)->nodes, ElementsAre(0));
}

TEST(OfferBackup, KeepsForNoMoreDomainsThanItsLimit) {
  std::vector<Host> hosts;
  for (uint8_t i = 0; i < 80; ++i) hosts.push_back(plain_host(i));
  Fleet fleet({}, {}, hosts);
  fleet.set_accepting(79, true);
  const Ask ask = ask_for(protected_request(1));
  for (uint32_t lost = 0; lost < kMostDomainsPerHost; ++lost) {
    const auto offer = offer_backup(fleet, 79, lost, ask);
    ASSERT_TRUE(offer) << lost;
    fleet.keep(79, lost, offer->amounts);
  }
  EXPECT_FALSE(offer_backup(fleet, 79, kMostDomainsPerHost, ask));
  EXPECT_FALSE(backup_cost(fleet, 79, kMostDomainsPerHost, ask));
  EXPECT_FALSE(least_backup_cost(fleet.hosts()[79], ask));
  EXPECT_TRUE(offer_backup(fleet, 79, 3, ask));
}

TEST(Failover, ABackupIsOutsideTheDomainThatIsLost) {
  Engine by_host = three_hosts(DomainLevel::kHost);
  EXPECT_EQ(backup_of(admit(by_host, protected_request())), host_uid(2));
  Engine by_rack = three_hosts(DomainLevel::kRack);
  EXPECT_EQ(backup_of(admit(by_rack, protected_request())), host_uid(3));
  Engine by_zone = three_hosts(DomainLevel::kZone);
  EXPECT_TRUE(admit(by_zone, protected_request()).empty());
  Engine by_site = three_hosts(DomainLevel::kSite);
  EXPECT_TRUE(admit(by_site, protected_request()).empty());
  Request unprotected = protected_request();
  unprotected.failover = false;
  EXPECT_FALSE(admit(by_site, unprotected).front().backup);
}

TEST(Failover, ReservesTheMostThatOneDomainSends) {
  Engine engine = three_hosts(DomainLevel::kHost);
  Request request = protected_request();
  for (const uint8_t host : {1, 2}) {
    request.wishes.host = host_uid(host);
    ASSERT_FALSE(admit(engine, request).empty());
  }
  // What is kept for host 1 on host 3 would do for host 2 as well, or they keep for each other.
  for (const HostLoad& host : engine.fleet().hosts()) {
    EXPECT_LE(host.backups.largest.memory, gibibytes(4).count());
  }
  request.wishes.host = host_uid(1);
  ASSERT_FALSE(admit(engine, request).empty());
  int64_t kept = 0;
  for (const HostLoad& host : engine.fleet().hosts()) kept += host.backups.largest.memory;
  EXPECT_GE(kept, gibibytes(8).count());
  EXPECT_LE(kept, gibibytes(12).count());
}

TEST(Failover, RefusesWhatCouldNotBePlacedAgain) {
  Engine engine = three_hosts(DomainLevel::kRack);
  // Rack r2 can take 16 GiB of r1's 32.
  EXPECT_EQ(admit(engine, protected_request(8)).size(), 1u);
  EXPECT_EQ(admit(engine, protected_request(8)).size(), 1u);
  Request more = protected_request(1);
  more.wishes.within = "dc1/a/r1";
  EXPECT_TRUE(admit(engine, more).empty());
  more.failover = false;
  EXPECT_EQ(admit(engine, more).size(), 1u);
}

TEST(Failover, RoomThatIsKeptIsNotGivenAway) {
  Engine engine = three_hosts(DomainLevel::kRack);
  const auto admitted = admit(engine, protected_request(12));
  ASSERT_EQ(backup_of(admitted), host_uid(3));
  Request other = plain_request();
  other.wishes.host = host_uid(3);
  other.memory = gibibytes(4);
  EXPECT_FALSE(std::holds_alternative<Refused>(engine.place(other)));
  other.memory += Bytes(1);
  EXPECT_TRUE(std::holds_alternative<Refused>(engine.place(other)));
  engine.release(admitted.front());
  EXPECT_FALSE(std::holds_alternative<Refused>(engine.place(other)));
}

TEST(Failover, ABackupNeedsPowerBesideItsPrimary) {
  Host first = in_rack(plain_host(1), "dc1/a/r1");
  Host second = in_rack(plain_host(2), "dc1/a/r1");
  first.power = second.power = {.idle = watts(0), .peak = watts(100)};  // 10 W for 2 of 20 vCPUs
  const auto placed_with = [&](int64_t limit) {
    Engine engine = engine_of({first, second}, {.guarantee = DomainLevel::kHost},
                              topology_of({{"dc1/a/r1", {}, watts(limit)}}));
    return !admit(engine, protected_request()).empty();
  };
  EXPECT_TRUE(placed_with(20));
  EXPECT_FALSE(placed_with(19));
}

TEST(Failover, ABackupKeepsTheWishes) {
  Engine engine = three_hosts(DomainLevel::kHost);
  Request request = protected_request();
  request.wishes.within = "dc1/a/r1";
  EXPECT_EQ(backup_of(admit(engine, request)), host_uid(2));
  request.wishes.within = "dc1/a/r2";
  EXPECT_TRUE(admit(engine, request).empty());
}

TEST(Failover, IsFoundLaterForWhoHasNone) {
  Engine engine = three_hosts(DomainLevel::kHost);
  Request request = protected_request();
  request.failover = false;
  const Occupation alone = admit(engine, request).front();
  const auto backup = engine.find_backup(request, alone.claim);
  ASSERT_TRUE(backup);
  EXPECT_EQ(backup->host, host_uid(2));
  Claim elsewhere = alone.claim;
  elsewhere.host = host_uid(9);
  EXPECT_FALSE(engine.find_backup(request, elsewhere));
  request.wishes.within = "dc9";
  EXPECT_FALSE(engine.find_backup(request, alone.claim));
  Engine off = engine_of({plain_host(1), plain_host(2)});
  EXPECT_FALSE(off.find_backup(plain_request(), admit(off, plain_request()).front().claim));
}

// The host that bounds the cost from below is lost itself; the one that keeps for the domain
// already is smaller than another.
TEST(Failover, TakesTheCheapestBackupThoughAKeeperWouldDo) {
  const std::vector<RackPlan> racks = {{"dc1/a/r1"}, {"dc1/a/r2"}, {"dc1/a/r3"}};
  std::vector<Host> hosts = {in_rack(plain_host(1), "dc1/a/r1"), in_rack(plain_host(2), "dc1/a/r1"),
                             in_rack(plain_host(3), "dc1/a/r2"),
                             in_rack(plain_host(4), "dc1/a/r3")};
  hosts[1].facts.memory = gibibytes(64);
  hosts[3].facts.memory = gibibytes(32);
  Engine engine = engine_of(hosts, {.guarantee = DomainLevel::kRack}, topology_of(racks));
  const Request request = protected_request();
  const Claim claim = claim_on(host_uid(1), request);
  engine.charge({claim, Backup{.host = host_uid(3)}, {}});
  EXPECT_EQ(engine.find_backup(request, claim)->host, host_uid(4));
}

// The zones of hosts 1 and 2 have one host each.
TEST(Failover, AGroupLeavesItsZoneOnlyAsAWholeAndOnlyIfItMust) {
  const std::vector<RackPlan> racks = {{"dc1/a/r1"}, {"dc1/a/r2"}, {"dc1/b/r1"}};
  std::vector<Host> hosts = {in_rack(plain_host(1), "dc1/a/r1"),
                             in_rack(plain_host(2), "dc1/b/r1")};
  const Settings settings{.guarantee = DomainLevel::kHost, .policy = Policy::kFirstFit};
  Request request = protected_request();
  request.group = group_uid(1);
  const std::vector<GroupRule> rules = {
      {.policy = GroupPolicy::kAffinity, .level = DomainLevel::kZone}};
  Engine engine = engine_of(hosts, settings, topology_of(racks));
  engine.put_group(group_uid(1), rules);
  EXPECT_EQ(backup_of(admit(engine, request)), host_uid(2));
  const std::vector<Occupation> second = admit(engine, request);
  ASSERT_FALSE(second.empty());
  EXPECT_EQ(second.front().claim.host, host_uid(1));
  EXPECT_EQ(backup_of(second), host_uid(2));
  // Another group has a neighbour in the zone.
  hosts.push_back(in_rack(plain_host(3), "dc1/a/r2"));
  Engine wider = engine_of(hosts, settings, topology_of(racks));
  wider.put_group(group_uid(1), rules);
  EXPECT_EQ(backup_of(admit(wider, request)), host_uid(3));
  // Whoever is there without a backup finds one likewise.
  Engine alone = engine_of(hosts, settings, topology_of(racks));
  alone.put_group(group_uid(1), rules);
  alone.set_fenced(host_uid(3), true);
  const Claim claim = claim_on(host_uid(1), request);
  alone.charge({claim, std::nullopt, group_uid(1)});
  EXPECT_EQ(alone.find_backup(request, claim)->host, host_uid(2));
}

TEST(Failover, IsSoundWhileTheBackupCouldBeCarriedOut) {
  Engine engine = three_hosts(DomainLevel::kHost);
  Request request = protected_request();
  request.wishes.within = "dc1/a/r1";
  const Occupation occupation = admit(engine, request).front();
  EXPECT_TRUE(engine.is_sound(occupation, request));
  engine.set_accepting(host_uid(2), false);  // it may come back in a moment
  EXPECT_TRUE(engine.is_sound(occupation, request));
  engine.set_fenced(host_uid(2), true);
  EXPECT_FALSE(engine.is_sound(occupation, request));
  engine.set_fenced(host_uid(2), false);
  Host host = in_rack(plain_host(2), "dc1/a/r1");
  host.maintenance = true;
  engine.describe(host);
  EXPECT_FALSE(engine.is_sound(occupation, request));
  host.maintenance = false;
  host.facts.memory = gibibytes(3);
  engine.describe(host);
  EXPECT_FALSE(engine.is_sound(occupation, request));
  host.facts.memory = gibibytes(16);
  engine.describe(host);
  EXPECT_TRUE(engine.is_sound(occupation, request));
  Occupation other = occupation;
  other.backup.reset();
  EXPECT_FALSE(engine.is_sound(other, request));
  other.backup = {.host = host_uid(9)};
  EXPECT_FALSE(engine.is_sound(other, request));
  other.backup = {.host = host_uid(1)};
  EXPECT_FALSE(engine.is_sound(other, request));
}

TEST(Failover, ABackupThatHelpsNobodyCountsForNothing) {
  Engine engine = three_hosts(DomainLevel::kRack);
  const Claim claim = claim_on(host_uid(1), plain_request());
  for (const uint8_t host : {1, 2, 9}) {  // itself, in its own rack, not there
    const Occupation occupation{claim, Backup{.host = host_uid(host)}, {}};
    engine.charge(occupation);
    for (const HostLoad& load : engine.fleet().hosts()) EXPECT_EQ(load.backups, Reserve());
    engine.release(occupation);
  }
}

}  // namespace
}  // namespace stellwerk::placement
