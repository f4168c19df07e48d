#include "placement/groups.h"

#include <gtest/gtest.h>

#include "fixtures.h"

namespace stellwerk::placement {
namespace {

// Hosts 0 and 1 in dc1/a/r1, 2 in dc1/a/r2, 3 in dc1/b/r1, 4 in dc2/a/r1.
Fleet fleet() {
  const std::vector<RackPlan> racks = {{"dc1/a/r1"}, {"dc1/a/r2"}, {"dc1/b/r1"}, {"dc2/a/r1"}};
  return Fleet({}, topology_of(racks),
               {in_rack(plain_host(1), "dc1/a/r1"), in_rack(plain_host(2), "dc1/a/r1"),
                in_rack(plain_host(3), "dc1/a/r2"), in_rack(plain_host(4), "dc1/b/r1"),
                in_rack(plain_host(5), "dc2/a/r1")});
}

using Member = GroupLoad::Member;

GroupLoad group_of(GroupRule rule, std::vector<Member> members) {
  std::sort(members.begin(), members.end());
  return {.rules = {rule}, .members = std::move(members)};
}

// The hosts that a further member may have.
std::vector<uint32_t> open_hosts(const GroupLoad& group,
                                 std::optional<DomainLevel> guarantee = std::nullopt) {
  const Fleet all = fleet();
  const GroupView view(all, group, guarantee);
  std::vector<uint32_t> open;
  for (uint32_t host = 0; host < 5; ++host) {
    EXPECT_EQ(view.cost(host).has_value(), view.broken_rule(host) == nullptr);
    if (view.cost(host)) open.push_back(host);
  }
  return open;
}
std::vector<uint32_t> backup_hosts(const GroupLoad& group, uint32_t primary, DomainLevel guarantee,
                                   bool may_stray = false) {
  const Fleet all = fleet();
  const GroupView view(all, group, guarantee);
  std::vector<uint32_t> open;
  for (uint32_t host = 0; host < 5; ++host) {
    const bool lost = all.domain_of(host, guarantee) == all.domain_of(primary, guarantee);
    if (!lost && view.may_back(host, primary, may_stray)) open.push_back(host);
  }
  return open;
}
using Hosts = std::vector<uint32_t>;

TEST(Groups, HardAntiAffinityKeepsEveryLevelApart) {
  const auto beside_host_0 = [](DomainLevel level) {
    return open_hosts(group_of({.level = level}, {{.host = 0}}));
  };
  EXPECT_EQ(beside_host_0(DomainLevel::kHost), (Hosts{1, 2, 3, 4}));
  EXPECT_EQ(beside_host_0(DomainLevel::kRack), (Hosts{2, 3, 4}));
  EXPECT_EQ(beside_host_0(DomainLevel::kZone), (Hosts{3, 4}));
  EXPECT_EQ(beside_host_0(DomainLevel::kSite), (Hosts{4}));
}

TEST(Groups, HardAffinityKeepsEveryLevelTogether) {
  const auto beside_host_0 = [](DomainLevel level) {
    return open_hosts(group_of({.policy = GroupPolicy::kAffinity, .level = level}, {{.host = 0}}));
  };
  EXPECT_EQ(beside_host_0(DomainLevel::kHost), (Hosts{0}));
  EXPECT_EQ(beside_host_0(DomainLevel::kRack), (Hosts{0, 1}));
  EXPECT_EQ(beside_host_0(DomainLevel::kZone), (Hosts{0, 1, 2}));
  EXPECT_EQ(beside_host_0(DomainLevel::kSite), (Hosts{0, 1, 2, 3}));
}

TEST(Groups, TheFirstMemberMayRunAnywhere) {
  for (const GroupPolicy policy : {GroupPolicy::kAffinity, GroupPolicy::kAntiAffinity}) {
    EXPECT_EQ(open_hosts(group_of({.policy = policy, .level = DomainLevel::kSite}, {})),
              (Hosts{0, 1, 2, 3, 4}));
  }
}

TEST(Groups, SoManyMembersShareADomainAndNoMore) {
  const GroupRule rule{.level = DomainLevel::kRack, .most_per_domain = 2};
  EXPECT_EQ(open_hosts(group_of(rule, {{.host = 0}})), (Hosts{0, 1, 2, 3, 4}));
  EXPECT_EQ(open_hosts(group_of(rule, {{.host = 0}, {.host = 1}})), (Hosts{2, 3, 4}));
  EXPECT_EQ(open_hosts(group_of(rule, {{.host = 0}, {.host = 0}})), (Hosts{2, 3, 4}));
}

TEST(Groups, EveryRuleMustHold) {
  GroupLoad group = group_of({.level = DomainLevel::kHost}, {{.host = 0}});
  group.rules.push_back({.policy = GroupPolicy::kAffinity, .level = DomainLevel::kZone});
  EXPECT_EQ(open_hosts(group), (Hosts{1, 2}));
  const Fleet all = fleet();
  const GroupView view(all, group, std::nullopt);
  EXPECT_EQ(view.broken_rule(0), &group.rules[0]);
  EXPECT_EQ(view.broken_rule(4), &group.rules[1]);
}

TEST(Groups, SoftRulesCostByHowFarTheyAreBroken) {
  const Fleet all = fleet();
  GroupLoad apart = group_of({.level = DomainLevel::kRack, .hard = false},
                             {{.host = 0}, {.host = 1}, {.host = 2}});
  const GroupView view(all, apart, DomainLevel::kHost);
  EXPECT_EQ(view.cost(0), 2);
  EXPECT_EQ(view.cost(1), 2);
  EXPECT_EQ(view.cost(2), 1);
  EXPECT_EQ(view.cost(3), 0);
  GroupLoad together =
      group_of({.policy = GroupPolicy::kAffinity, .level = DomainLevel::kRack, .hard = false},
               {{.host = 0}});
  together.rules.push_back(
      {.policy = GroupPolicy::kAffinity, .level = DomainLevel::kSite, .hard = false});
  const GroupView nearby(all, together, std::nullopt);
  EXPECT_EQ(nearby.cost(1), 0);
  EXPECT_EQ(nearby.cost(3), 1);
  EXPECT_EQ(nearby.cost(4), 2);
  EXPECT_EQ(GroupView(all, group_of({.hard = false}, {}), std::nullopt).cost(0), 0);
}

TEST(Groups, ABackupKeepsAwayFromOtherMembers) {
  const GroupLoad group = group_of({.level = DomainLevel::kHost}, {{.host = 2}, {.host = 3}});
  EXPECT_EQ(backup_hosts(group, 0, DomainLevel::kHost), (Hosts{1, 4}));
  const GroupLoad by_rack = group_of({.level = DomainLevel::kRack}, {{.host = 2}});
  EXPECT_EQ(backup_hosts(by_rack, 0, DomainLevel::kHost), (Hosts{1, 3, 4}));
  EXPECT_EQ(backup_hosts(by_rack, 0, DomainLevel::kRack), (Hosts{3, 4}));
  const GroupLoad by_zone = group_of({.level = DomainLevel::kZone}, {{.host = 3}});
  EXPECT_EQ(backup_hosts(by_zone, 0, DomainLevel::kRack), (Hosts{2, 4}));
}

// A member that is lost with the new one is where its backup is.
TEST(Groups, ABackupKeepsAwayFromBackupsOfTheSameDomain) {
  const GroupLoad group = group_of({.level = DomainLevel::kHost}, {{.host = 1, .backup = 3}});
  EXPECT_EQ(backup_hosts(group, 0, DomainLevel::kRack), (Hosts{2, 4}));
  EXPECT_EQ(backup_hosts(group, 0, DomainLevel::kHost), (Hosts{2, 3, 4}));
  // Where it was there is room again.
  EXPECT_EQ(backup_hosts(group, 4, DomainLevel::kHost), (Hosts{0, 2, 3}));
}

TEST(Groups, AMemberKeepsAwayFromBackupsOfOtherDomains) {
  const GroupLoad group = group_of({.level = DomainLevel::kHost}, {{.host = 0, .backup = 3}});
  EXPECT_EQ(open_hosts(group, DomainLevel::kHost), (Hosts{1, 2, 4}));
  EXPECT_EQ(open_hosts(group, std::nullopt), (Hosts{1, 2, 3, 4}));
  // With two for each host the backup alone does not fill it.
  const GroupLoad two = group_of({.level = DomainLevel::kHost, .most_per_domain = 2},
                                 {{.host = 0, .backup = 3}, {.host = 1}});
  EXPECT_EQ(open_hosts(two, DomainLevel::kHost), (Hosts{0, 1, 2, 3, 4}));
  const GroupLoad full = group_of({.level = DomainLevel::kHost, .most_per_domain = 2},
                                  {{.host = 0, .backup = 3}, {.host = 3}});
  EXPECT_EQ(open_hosts(full, DomainLevel::kHost), (Hosts{0, 1, 2, 4}));
}

TEST(Groups, WhoIsLostTogetherStaysTogether) {
  for (const DomainLevel level : {DomainLevel::kHost, DomainLevel::kRack}) {
    const GroupLoad group =
        group_of({.policy = GroupPolicy::kAffinity, .level = level}, {{.host = 0, .backup = 2}});
    EXPECT_EQ(backup_hosts(group, 0, DomainLevel::kRack), (Hosts{2}));
  }
  const GroupLoad first =
      group_of({.policy = GroupPolicy::kAffinity, .level = DomainLevel::kHost}, {{.host = 0}});
  EXPECT_EQ(backup_hosts(first, 0, DomainLevel::kRack), (Hosts{2, 3, 4}));
}

TEST(Groups, WhoIsTogetherInALargerDomainStaysInIt) {
  const GroupLoad group = group_of({.policy = GroupPolicy::kAffinity, .level = DomainLevel::kZone},
                                   {{.host = 0, .backup = 1}});
  EXPECT_EQ(backup_hosts(group, 0, DomainLevel::kHost), (Hosts{1, 2}));
  EXPECT_EQ(backup_hosts(group, 0, DomainLevel::kRack), (Hosts{2}));
  EXPECT_EQ(backup_hosts(group, 0, DomainLevel::kSite), (Hosts{}));
}

std::vector<uint32_t> stray_hosts(const GroupLoad& group, uint32_t primary, DomainLevel guarantee) {
  return backup_hosts(group, primary, guarantee, true);
}

TEST(Groups, AMemberStraysFromALargerDomainIfNobodyStaysBehind) {
  const GroupRule rule{.policy = GroupPolicy::kAffinity, .level = DomainLevel::kZone};
  EXPECT_EQ(backup_hosts(group_of(rule, {}), 0, DomainLevel::kRack), (Hosts{2}));
  EXPECT_EQ(stray_hosts(group_of(rule, {}), 0, DomainLevel::kRack), (Hosts{2, 3, 4}));
  const GroupLoad beside = group_of(rule, {{.host = 1, .backup = 3}});
  EXPECT_EQ(stray_hosts(beside, 0, DomainLevel::kHost), (Hosts{1, 2}));
  // Who is lost with it goes with it.
  EXPECT_EQ(stray_hosts(beside, 0, DomainLevel::kRack), (Hosts{3}));
  EXPECT_EQ(backup_hosts(beside, 0, DomainLevel::kRack), (Hosts{}));
}

TEST(Groups, WhoJoinsAStrayIsLostWithIt) {
  const GroupLoad group = group_of({.policy = GroupPolicy::kAffinity, .level = DomainLevel::kZone},
                                   {{.host = 0, .backup = 3}});
  EXPECT_EQ(open_hosts(group, DomainLevel::kHost), (Hosts{0}));
  EXPECT_EQ(open_hosts(group, DomainLevel::kRack), (Hosts{0, 1}));
  EXPECT_EQ(open_hosts(group, std::nullopt), (Hosts{0, 1, 2}));
}

TEST(Groups, OnlyHardAffinityWiderThanTheLossCanStray) {
  const Fleet all = fleet();
  const auto can_stray = [&](const GroupRule& rule, std::optional<DomainLevel> guarantee) {
    return GroupView(all, group_of(rule, {}), guarantee).can_stray();
  };
  const GroupRule zone{.policy = GroupPolicy::kAffinity, .level = DomainLevel::kZone};
  EXPECT_TRUE(can_stray(zone, DomainLevel::kRack));
  EXPECT_FALSE(can_stray(zone, DomainLevel::kZone));
  EXPECT_FALSE(can_stray(zone, std::nullopt));
  EXPECT_FALSE(can_stray({.level = DomainLevel::kZone}, DomainLevel::kRack));
  EXPECT_FALSE(
      can_stray({.policy = GroupPolicy::kAffinity, .level = DomainLevel::kZone, .hard = false},
                DomainLevel::kRack));
}

TEST(Groups, SoftRulesForbidNoBackup) {
  const GroupLoad group =
      group_of({.level = DomainLevel::kSite, .hard = false}, {{.host = 1}, {.host = 4}});
  EXPECT_EQ(backup_hosts(group, 0, DomainLevel::kHost), (Hosts{1, 2, 3, 4}));
}

}  // namespace
}  // namespace stellwerk::placement
