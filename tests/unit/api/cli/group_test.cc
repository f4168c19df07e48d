// Groups.
#include "harness.h"

namespace stellwerk::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class Groups : public CliTest {
 protected:
  Groups() {
    v1::Group group;
    group.set_name("projects/default/groups/web");
    v1::Group::Rule* rule = group.add_rules();
    rule->set_policy(v1::Group::ANTI_AFFINITY);
    rule->set_level(v1::Group::RACK);
    rule->set_soft(true);
    rule->set_most_per_domain(2);
    group.set_member_count(1);
    group.add_members()->set_instance("projects/default/instances/web-1");
    group.mutable_members(0)->set_host("hosts/node-1");
    *group.mutable_create_time() = seconds_ago(7200);
    daemon.script().groups = {group};
  }
  std::string request() { return daemon.calls().back().request; }
};

TEST_F(Groups, AreCreatedWithTheirRules) {
  EXPECT_EQ(run({"group", "create", "db", "--rule", "anti-affinity:rack:soft:max=2", "--rule",
                 "affinity:site", "--label", "a=b"})
                .code,
            0);
  EXPECT_THAT(request(),
              AllOf(HasSubstr("parent: \"projects/default\" group_id: \"db\""),
                    HasSubstr("rules { policy: ANTI_AFFINITY level: RACK soft: true "
                              "most_per_domain: 2 } rules { policy: AFFINITY level: SITE }"),
                    HasSubstr("labels { key: \"a\" value: \"b\" }")));
}

TEST_F(Groups, WhatIsNoRuleIsNotSent) {
  for (const char* rule : {"near:rack", "affinity", "affinity:room", "affinity:rack:max=x",
                           "affinity:rack:", "affinity:rack:often", ""}) {
    const Ran ran = run({"group", "create", "db", "--rule", rule});
    EXPECT_EQ(ran.code, 2) << rule;
    EXPECT_THAT(ran.err, HasSubstr("policies are affinity and anti-affinity")) << rule;
  }
  EXPECT_EQ(run({"group", "create", "db"}).code, 2);
  EXPECT_TRUE(daemon.calls().empty());
}

TEST_F(Groups, AreListedShownAndDeleted) {
  EXPECT_EQ(run({"group", "list"}).out,
            "NAME   RULES                           MEMBERS   AGE\n"
            "web    anti-affinity:rack:soft:max=2   1         2 h\n");
  EXPECT_THAT(run({"--project", "-", "group", "list"}).out, HasSubstr("PROJECT"));
  EXPECT_THAT(run({"group", "show", "web"}).out,
              AllOf(HasSubstr("Rule:      anti-affinity:rack:soft:max=2\n"),
                    HasSubstr("Member:    web-1 on node-1\n")));
  EXPECT_EQ(run({"group", "delete", "web"}).out, "group web is deleted\n");
  EXPECT_EQ(run({"--project", "-", "group", "show", "web"}).code, 2);
}

}  // namespace
}  // namespace stellwerk::test
