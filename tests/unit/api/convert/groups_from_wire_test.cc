// Groups as they come over the wire.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/convert/from_wire.h"

namespace stellwerk::convert {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

v1::CreateGroupRequest good_group() {
  v1::CreateGroupRequest request;
  request.set_parent("projects/default");
  request.set_group_id("web");
  v1::Group::Rule* rule = request.mutable_group()->add_rules();
  rule->set_policy(v1::Group::ANTI_AFFINITY);
  rule->set_level(v1::Group::RACK);
  return request;
}

std::string mistakes(const v1::CreateGroupRequest& request) {
  std::string lines;
  for (const FieldViolation& violation : to_mutation(request, {}).context.violations) {
    lines += violation.field + ": " + violation.description + "\n";
  }
  return lines;
}

TEST(GroupsFromWire, ReadsAWholeGroup) {
  v1::CreateGroupRequest request = good_group();
  v1::Group::Rule* rule = request.mutable_group()->add_rules();
  rule->set_policy(v1::Group::AFFINITY);
  rule->set_level(v1::Group::SITE);
  rule->set_soft(true);
  request.mutable_group()->mutable_rules(0)->set_most_per_domain(0);
  (*request.mutable_group()->mutable_labels())["tier"] = "gold";
  const controller::Mutation mutation = to_mutation(request, {.caller = "root", .fresh = {}});
  EXPECT_THAT(mutation.context.violations, IsEmpty());
  const auto& create = std::get<controller::CreateGroup>(mutation.body);
  EXPECT_EQ(create.project, "default");
  EXPECT_EQ(create.id, "web");
  EXPECT_THAT(create.rules,
              ElementsAre(GroupRule{GroupPolicy::kAntiAffinity, DomainLevel::kRack, true, 0},
                          GroupRule{GroupPolicy::kAffinity, DomainLevel::kSite, false, 1}));
  EXPECT_EQ(create.labels, (Labels{{"tier", "gold"}}));
}

TEST(GroupsFromWire, TellsEveryMistakeWithItsField) {
  v1::CreateGroupRequest request = good_group();
  request.set_parent("default");
  request.mutable_group()->add_rules();
  EXPECT_EQ(mistakes(request),
            "parent: \"default\" is not the name of a project; write projects/{project}\n"
            "group.rules[1].policy: 0 is no policy; give AFFINITY or ANTI_AFFINITY\n"
            "group.rules[1].level: 0 is no level; give HOST, RACK, ZONE or SITE\n");
  for (int i = 0; i < 7; ++i) request.mutable_group()->add_rules();
  EXPECT_THAT(mistakes(request), HasSubstr("group.rules: has 9; there are no more than 8"));
}

TEST(GroupsFromWire, ReadsWhatIsAskedForListedAndDeleted) {
  v1::GetGroupRequest get;
  get.set_name("projects/p/groups/web");
  const auto asked = std::get<controller::GetGroup>(*to_query(get));
  EXPECT_EQ(asked.project, "p");
  EXPECT_EQ(asked.id, "web");
  v1::ListGroupsRequest list;
  list.set_parent("projects/-");
  EXPECT_EQ(std::get<controller::ListGroups>(*to_query(list)).project, "-");
  v1::DeleteGroupRequest deletion;
  deletion.set_name("projects/p/groups/web");
  EXPECT_EQ(std::get<controller::DeleteGroup>(to_mutation(deletion, {}).body).id, "web");
}

}  // namespace
}  // namespace stellwerk::convert
