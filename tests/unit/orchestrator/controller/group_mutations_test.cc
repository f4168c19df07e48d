// Groups: which rules make sense together, and what keeps a group from going.
#include <gmock/gmock.h>

#include "tests/unit/orchestrator/controller/cell_harness.h"

namespace stellwerk::controller {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr GroupRule together(DomainLevel level, bool hard = true) {
  return {.policy = GroupPolicy::kAffinity, .level = level, .hard = hard};
}
constexpr GroupRule apart(DomainLevel level, bool hard = true, int64_t most = 1) {
  return {
      .policy = GroupPolicy::kAntiAffinity, .level = level, .hard = hard, .most_per_domain = most};
}

class Groups : public ::testing::Test {
 protected:
  absl::StatusOr<Answer> create(std::vector<GroupRule> rules, std::string id = "web") {
    return cell_.run(CreateGroup{"default", std::move(id), std::move(rules), {{"tier", "gold"}}});
  }
  std::string mistakes(std::vector<GroupRule> rules) {
    return cell_.mistakes(CreateGroup{"default", "web", std::move(rules), {}});
  }
  // The cell as it would be with an instance in the group.
  CellHarness with_member() {
    cell_.connect_host();
    cell_.import_image();
    const Instance member = cell_.create(CellHarness::web("web-2"));
    CellState state = cell_.state();
    state.instances.at(member.uid).group = state.groups.begin()->first;
    return CellHarness(CellHarness::default_config(), std::move(state), cell_.head());
  }

  CellHarness cell_;
};

TEST_F(Groups, AreMadeShownAndListedInTheirProject) {
  const std::vector<GroupRule> rules = {apart(DomainLevel::kRack), together(DomainLevel::kSite)};
  const auto made = create(rules);
  ASSERT_TRUE(made.ok()) << describe(made.status());
  const auto view = std::get<GroupView>(*cell_.read(GetGroup{"default", "web"}));
  EXPECT_EQ(view.group.rules, rules);
  EXPECT_EQ(view.group.labels, (Labels{{"tier", "gold"}}));
  EXPECT_EQ(view.project_id, "default");
  EXPECT_EQ(view.count, 0);
  const Event event = cell_.log().back().events.back();
  EXPECT_EQ(event.type, "GroupCreated");
  EXPECT_EQ(event.project_id, "default");
  EXPECT_EQ(event.resource, "projects/default/groups/web");
  EXPECT_EQ(cell_.log().back().audit.back().method, "CreateGroup");
  EXPECT_EQ(reason_of(create(rules).status()), "NAME_TAKEN");
  EXPECT_EQ(std::get<Page<GroupView>>(*cell_.read(ListGroups{"-", {}})).items.size(), 1u);
  ASSERT_TRUE(cell_.run(CreateProject{.id = "town"}).ok());
  EXPECT_TRUE(std::get<Page<GroupView>>(*cell_.read(ListGroups{"town", {}})).items.empty());
  EXPECT_TRUE(absl::IsNotFound(cell_.read(GetGroup{"town", "web"}).status()));
  EXPECT_TRUE(absl::IsNotFound(cell_.run(DeleteGroup{"town", "web"}).status()));
}

TEST_F(Groups, RulesThatNoPlacementCouldMeetAreRefused) {
  for (const DomainLevel level : {DomainLevel::kRack, DomainLevel::kZone, DomainLevel::kSite}) {
    EXPECT_THAT(mistakes({together(DomainLevel::kRack), apart(level)}),
                HasSubstr("group.rules[1]: contradicts rules[0]"));
    EXPECT_THAT(mistakes({apart(level), together(DomainLevel::kRack)}),
                HasSubstr("group.rules[1]: contradicts rules[0]: all members on one rack"));
  }
  EXPECT_TRUE(create({together(DomainLevel::kRack), apart(DomainLevel::kHost)}, "finer").ok());
  EXPECT_TRUE(
      create({together(DomainLevel::kRack), apart(DomainLevel::kRack, false)}, "soft").ok());
  EXPECT_TRUE(
      create({together(DomainLevel::kRack, false), apart(DomainLevel::kRack)}, "soft-2").ok());
  EXPECT_TRUE(
      create({together(DomainLevel::kRack), apart(DomainLevel::kRack, true, 4)}, "few").ok());
}

TEST_F(Groups, AllThatIsWrongWithTheRulesIsToldAtOnce) {
  EXPECT_THAT(mistakes({}), HasSubstr("group.rules: is missing"));
  EXPECT_EQ(mistakes({apart(DomainLevel::kHost), apart(DomainLevel::kHost, false, 0),
                      apart(DomainLevel::kZone, true, 10'001)}),
            "group.rules[1].most_per_domain: 0 is out of range; give 1 to 10000\n"
            "group.rules[1]: is a second rule of anti-affinity at the level of hosts; keep one of "
            "them\n"
            "group.rules[2].most_per_domain: 10001 is out of range; give 1 to 10000\n");
  GroupRule many = together(DomainLevel::kRack);
  many.most_per_domain = 2;
  EXPECT_EQ(mistakes({many}),
            "group.rules[0].most_per_domain: is for anti-affinity alone; leave it out\n");
}

TEST_F(Groups, MembersAreShownWithTheirHostsAndKeepTheGroup) {
  ASSERT_TRUE(create({apart(DomainLevel::kHost)}).ok());
  CellHarness cell = with_member();
  const auto view = std::get<GroupView>(*cell.read(GetGroup{"default", "web"}));
  EXPECT_EQ(view.count, 1);
  EXPECT_THAT(view.members, ElementsAre(GroupMember{"web-2", "host-1"}));
  const absl::Status refused = cell.run(DeleteGroup{"default", "web"}).status();
  EXPECT_EQ(reason_of(refused), "GROUP_IN_USE");
  EXPECT_EQ(message_of(refused), "group web has 1 instance: web-2");
  // The member stays one until it is gone.
  const HostUid host = cell.connect_host();
  ASSERT_TRUE(cell.run(DeleteInstance{"default", "web-2"}).ok());
  EXPECT_EQ(reason_of(cell.run(DeleteGroup{"default", "web"}).status()), "GROUP_IN_USE");
  const Instance going = cell.state().instances.begin()->second;
  cell.report(host, {.instance = going.uid,
                     .observed = {.phase = Phase::kDeleted, .generation = going.generation}});
  EXPECT_TRUE(cell.run(DeleteGroup{"default", "web"}).ok());
}

TEST_F(Groups, AnEmptyOneGoesAndAProjectWithOneStays) {
  ASSERT_TRUE(cell_.run(CreateProject{.id = "town"}).ok());
  ASSERT_TRUE(cell_.run(CreateGroup{"town", "web", {apart(DomainLevel::kHost)}, {}}).ok());
  const absl::Status stays = cell_.run(DeleteProject{"town"}).status();
  EXPECT_EQ(reason_of(stays), "PROJECT_IN_USE");
  EXPECT_THAT(std::string(message_of(stays)), HasSubstr("groups: web"));
  ASSERT_TRUE(cell_.run(DeleteGroup{"town", "web"}).ok());
  EXPECT_EQ(cell_.event_types().back(), "GroupDeleted");
  EXPECT_TRUE(cell_.run(DeleteProject{"town"}).ok());
}

TEST_F(Groups, ARepetitionIsAnsweredAlike) {
  const CreateGroup body{"default", "web", {apart(DomainLevel::kHost)}, {}};
  const auto first = cell_.answer(cell_.submit(body, "once"));
  const auto again = cell_.answer(cell_.submit(body, "once"));
  ASSERT_TRUE(first.ok() && again.ok());
  EXPECT_EQ(std::get<GroupView>(*first).group.uid, std::get<GroupView>(*again).group.uid);
}

}  // namespace
}  // namespace stellwerk::controller
