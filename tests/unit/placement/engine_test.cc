#include "placement/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "world.h"

namespace stellwerk::placement {
namespace {

constexpr Settings kBestFit{.policy = Policy::kBestFit};

bool is_refused(const Decision& decision) {
  return std::holds_alternative<Refused>(decision);
}

void use_memory(Engine& engine, uint8_t host, int64_t gib) {
  Request request = plain_request();
  request.vcpus = VcpuCount(1);
  request.memory = gibibytes(gib);
  request.disk = Bytes();
  engine.charge({claim_on(host_uid(host), request), std::nullopt, {}});
}

TEST(Place, ClaimsWhatWasAsked) {
  Engine engine = engine_of({plain_host(1)});
  const Decision decision = engine.place(plain_request());
  ASSERT_TRUE(std::holds_alternative<Placed>(decision));
  const Placement& placement = std::get<Placed>(decision).placements.front();
  EXPECT_EQ(placement.claim, claim_on(host_uid(1), plain_request()));
  EXPECT_EQ(placement.backup, std::nullopt);
}

TEST(Place, FillsTheHostThatIsLeftWithTheLeast) {
  Engine engine = engine_of({plain_host(1), plain_host(2), plain_host(3)}, kBestFit);
  use_memory(engine, 2, 11);
  use_memory(engine, 3, 13);  // too full
  EXPECT_EQ(host_of(engine.place(plain_request())), host_uid(2));
}

TEST(Place, TakesTheFirstOfEqualHosts) {
  Engine engine = engine_of({plain_host(3), plain_host(1), plain_host(2)});
  EXPECT_EQ(host_of(engine.place(plain_request())), host_uid(1));
}

TEST(Place, RefusesWhatNoHostCanTake) {
  Engine engine = engine_of({plain_host(1), plain_host(2)});
  engine.set_accepting(host_uid(1), false);
  use_memory(engine, 2, 16);
  const Decision decision = engine.place(plain_request());
  ASSERT_TRUE(is_refused(decision));
  EXPECT_EQ(std::get<Refused>(decision).placeable, 0);
  EXPECT_TRUE(engine.feasible_hosts(plain_request()).empty());
  Engine nobody({}, {}, {});
  EXPECT_TRUE(is_refused(nobody.place(plain_request())));
}

TEST(Place, NamesWhatIsWrongWithARequest) {
  Engine engine = engine_of({plain_host(1)});
  Request request = plain_request();
  request.vcpus = VcpuCount(0);
  request.count = 0;
  const Decision decision = engine.place(request);
  ASSERT_TRUE(std::holds_alternative<Malformed>(decision));
  EXPECT_EQ(std::get<Malformed>(decision).violations, check_request(request));
  request = plain_request();
  request.group = group_uid(1);
  EXPECT_EQ(text_of(engine.place(request)), "malformed: group");
  engine.put_group(group_uid(1), {GroupRule()});
  EXPECT_FALSE(is_refused(engine.place(request)));
  engine.erase_group(group_uid(1));
  EXPECT_EQ(text_of(engine.place(request)), "malformed: group");
}

// Hosts 1 in dc1/a/r1, 2 in dc1/b/r1, 3 in dc2/a/r1.
Engine two_sites(const Settings& settings = {}) {
  return engine_of({in_rack(plain_host(1), "dc1/a/r1"), in_rack(plain_host(2), "dc1/b/r1"),
                    in_rack(plain_host(3), "dc2/a/r1")},
                   settings, topology_of({{"dc1/a/r1"}, {"dc1/b/r1"}, {"dc2/a/r1"}}));
}

TEST(Place, StaysWithinThePlaceAndOnTheHostThatAreWished) {
  Engine engine = two_sites();
  const auto placed = [&](const char* within, uint8_t host) {
    Request request = plain_request();
    request.wishes.within = within;
    if (host > 0) request.wishes.host = host_uid(host);
    return host_of(engine.place(request));
  };
  EXPECT_EQ(placed("dc2", 0), host_uid(3));
  EXPECT_EQ(placed("dc1/b", 0), host_uid(2));
  EXPECT_EQ(placed("dc1/b/r1", 0), host_uid(2));
  EXPECT_EQ(placed("dc9", 0), HostUid());
  EXPECT_EQ(placed("", 2), host_uid(2));
  EXPECT_EQ(placed("dc1", 2), host_uid(2));
  EXPECT_EQ(placed("dc2", 2), HostUid());
  EXPECT_EQ(placed("", 9), HostUid());
}

TEST(Place, PrefersASiteButDoesNotInsist) {
  Engine engine = two_sites();
  Request request = plain_request();
  request.wishes.preferred_site = "dc2";
  EXPECT_EQ(host_of(engine.place(request)), host_uid(3));
  use_memory(engine, 3, 13);
  EXPECT_EQ(host_of(engine.place(request)), host_uid(1));
  request.wishes.preferred_site = "dc9";
  EXPECT_EQ(host_of(engine.place(request)), host_uid(1));
}

TEST(Place, NeedsRoomInThePoolForEveryInstance) {
  Engine engine = engine_of({plain_host(1)});
  Request request = plain_request();
  request.memory = gibibytes(1);
  request.disk = Bytes();
  request.pool = "ceph";
  request.pool_bytes = gigabytes(10);
  EXPECT_TRUE(is_refused(engine.place(request)));
  engine.set_pools({{.id = "ceph", .capacity = gigabytes(50), .used = gigabytes(20)}});
  request.count = 3;
  EXPECT_FALSE(is_refused(engine.place(request)));
  request.count = 4;
  EXPECT_TRUE(is_refused(engine.place(request)));
  request.count = 3;
  request.pool_bytes += Bytes(1);
  EXPECT_TRUE(is_refused(engine.place(request)));
  // The largest request that is well formed.
  request.pool_bytes = kMostDisk * 1024;
  request.count = kMostInstances;
  EXPECT_TRUE(is_refused(engine.place(request)));
}

TEST(Place, LeavesRacksWhosePowerIsUsedUp) {
  Host first = in_rack(plain_host(1), "dc1/a/r1");
  first.power = {.idle = watts(100), .peak = watts(300)};  // 20 W for 2 of 20 vCPUs
  const auto placed_with = [&](int64_t limit, int64_t budget) {
    Engine engine = engine_of({first}, {},
                              topology_of({{"dc1/a/r1", {"dc1/f1", "dc1/f2"}, watts(limit)}},
                                          {{"dc1/f1", watts(budget)}, {"dc1/f2", watts(999)}}));
    const auto admitted = admit(engine, plain_request());
    if (admitted.empty()) return false;
    EXPECT_EQ(admitted.front().claim.power, watts(20));
    EXPECT_EQ(engine.fleet().racks().front().draw, watts(120));
    return true;
  };
  EXPECT_TRUE(placed_with(120, 120));
  EXPECT_FALSE(placed_with(119, 120));
  EXPECT_FALSE(placed_with(120, 119));
}

TEST(Place, PlacesAllOfSeveralOrNone) {
  Engine engine = engine_of({plain_host(1), plain_host(2)});
  Request request = plain_request();
  request.memory = gibibytes(6);
  request.count = 4;
  const Decision four = engine.place(request);
  ASSERT_TRUE(std::holds_alternative<Placed>(four));
  EXPECT_EQ(std::get<Placed>(four).placements.size(), 4u);
  request.count = 5;
  const Decision five = engine.place(request);
  ASSERT_TRUE(is_refused(five));
  EXPECT_EQ(std::get<Refused>(five).placeable, 4);
  const Engine untouched = engine_of({plain_host(1), plain_host(2)});
  EXPECT_EQ(difference(engine, untouched), "");
  EXPECT_EQ(admit(engine, request).size(), 0u);
}

TEST(Place, GivesEveryInstanceThreadsOfItsOwn) {
  Engine engine = engine_of({plain_host(1)});
  Request request = plain_request();
  request.cpu_class = CpuClass::kDedicatedThread;
  request.memory = gibibytes(1);
  request.count = 3;
  std::set<int32_t> cpus;
  for (const Occupation& one : admit(engine, request)) {
    for (const int32_t cpu : one.claim.cpus) EXPECT_TRUE(cpus.insert(cpu).second);
  }
  EXPECT_EQ(cpus.size(), 6u);
}

TEST(Place, SpreadsAGroupAndRefusesWhatHasNoDomainLeft) {
  Engine engine = two_sites();
  engine.put_group(group_uid(1), {{.level = DomainLevel::kSite, .most_per_domain = 2}});
  Request request = plain_request();
  request.group = group_uid(1);
  request.count = 4;
  EXPECT_EQ(admit(engine, request).size(), 4u);
  request.count = 1;
  EXPECT_TRUE(is_refused(engine.place(request)));
  EXPECT_EQ(engine.group(group_uid(1))->members.size(), 4u);
}

TEST(Place, FindsADomainThatIsLargeEnoughForAllWhoMustStayTogether) {
  Engine engine = two_sites({.policy = Policy::kFirstFit});
  use_memory(engine, 1, 8);
  engine.put_group(group_uid(1), {{.policy = GroupPolicy::kAffinity, .level = DomainLevel::kZone}});
  Request request = plain_request();
  request.group = group_uid(1);
  request.count = 3;  // two fit beside the first host's guest
  const auto admitted = admit(engine, request);
  ASSERT_EQ(admitted.size(), 3u);
  for (const Occupation& one : admitted) EXPECT_EQ(one.claim.host, host_uid(2));
  request.count = 2;
  EXPECT_EQ(std::get<Refused>(engine.place(request)).placeable, 1);
}

TEST(Place, KeepsASoftRuleWhereItCan) {
  Engine engine = two_sites({.policy = Policy::kFirstFit});
  engine.put_group(group_uid(1), {{.level = DomainLevel::kSite, .hard = false}});
  Request request = plain_request();
  request.group = group_uid(1);
  std::vector<HostUid> hosts;
  for (int i = 0; i < 4; ++i) hosts.push_back(admit(engine, request).front().claim.host);
  EXPECT_EQ(hosts, (std::vector<HostUid>{host_uid(1), host_uid(3), host_uid(1), host_uid(3)}));
}

TEST(Place, FollowsWhatIsSaidOfHosts) {
  Engine engine = engine_of({plain_host(1), plain_host(2)}, {.policy = Policy::kFirstFit});
  const auto placed = [&] { return host_of(engine.place(plain_request())); };
  EXPECT_EQ(placed(), host_uid(1));
  engine.set_fenced(host_uid(1), true);
  EXPECT_EQ(placed(), host_uid(2));
  engine.set_fenced(host_uid(1), false);
  EXPECT_EQ(placed(), host_uid(1));
  engine.set_foreign(host_uid(1), {1, VcpuCount(1), gibibytes(13)});
  EXPECT_EQ(placed(), host_uid(2));
  engine.set_foreign(host_uid(1), {});
  Host host = plain_host(1);
  host.maintenance = true;
  engine.describe(host);
  EXPECT_EQ(placed(), host_uid(2));
  engine.describe(plain_host(1));
  engine.set_images(gigabytes(81));
  EXPECT_EQ(placed(), HostUid());
  // Hosts that are not there are passed over.
  engine.set_accepting(host_uid(9), true);
  engine.set_fenced(host_uid(9), true);
  engine.set_foreign(host_uid(9), {});
}

TEST(PlaceDeathTest, AbortsOnAClaimOfAnUnknownHost) {
  Engine engine = engine_of({plain_host(1)});
  const Occupation unknown{claim_on(host_uid(9), plain_request()), std::nullopt, {}};
  EXPECT_DEATH(engine.charge(unknown), "");
  EXPECT_DEATH(engine.release(unknown), "");
}

}  // namespace
}  // namespace stellwerk::placement
