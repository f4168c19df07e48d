// What `instance create` sends of groups, wishes and counts, and what is shown of them.
#include "harness.h"

namespace stellwerk::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class InstanceBooking : public CliTest {
 protected:
  InstanceBooking() {
    daemon.script().mutation_answer = running_instance();
    daemon.script().get_answers = {running_instance()};
    for (const char* id : {"web-1", "web-2"}) {
      v1::Instance instance = running_instance();
      instance.set_name(std::string("projects/default/instances/") + id);
      daemon.script().instances.push_back(instance);
    }
  }
  Ran create(std::vector<std::string> more) {
    std::vector<std::string> words = {"instance", "create",  "web",    "--flavor",
                                      "f",        "--image", "debian", "--no-network"};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  }
  static v1::Instance placed() {
    v1::Instance instance = running_instance();
    instance.set_group("projects/default/groups/apart");
    instance.mutable_wishes()->set_within("sites/dc1/zones/a");
    instance.mutable_wishes()->add_required_labels("gpu=l40s");
    instance.mutable_wishes()->add_forbidden_labels("old");
    instance.set_failover_protected(true);
    instance.mutable_backup()->set_protected_(true);
    instance.mutable_backup()->set_host("hosts/node-2");
    return instance;
  }
};

TEST_F(InstanceBooking, SendsWhereItIsToRun) {
  EXPECT_EQ(create({"--group", "apart", "--within", "dc1/a", "--host", "node-1", "--require-label",
                    "gpu=l40s", "--require-label", "ssd", "--forbid-label", "old", "--cpu-baseline",
                    "x86-64-v3", "--prefer-site", "dc1", "--failover"})
                .code,
            0);
  ASSERT_EQ(daemon.calls().size(), 1U);
  EXPECT_EQ(daemon.calls()[0].method, "CreateInstance");
  EXPECT_THAT(
      daemon.calls()[0].request,
      AllOf(HasSubstr("group: \"projects/default/groups/apart\""),
            HasSubstr("within: \"sites/dc1/zones/a\""), HasSubstr("host: \"hosts/node-1\""),
            HasSubstr("required_labels: \"gpu=l40s\" required_labels: \"ssd\""),
            HasSubstr("forbidden_labels: \"old\""), HasSubstr("cpu_baseline: \"x86-64-v3\""),
            HasSubstr("preferred_site: \"sites/dc1\""), HasSubstr("failover_protected: true")));
}

TEST_F(InstanceBooking, SendsNothingOfWhatWasNotAsked) {
  create({});
  EXPECT_THAT(daemon.calls()[0].request,
              AllOf(Not(HasSubstr("wishes")), Not(HasSubstr("group")), Not(HasSubstr("failover"))));
}

TEST_F(InstanceBooking, TakesFullNamesAsTheyAre) {
  create({"--within", "sites/dc1/zones/a/racks/r07", "--group", "projects/p/groups/g"});
  EXPECT_THAT(daemon.calls()[0].request, AllOf(HasSubstr("within: \"sites/dc1/zones/a/racks/r07\""),
                                               HasSubstr("group: \"projects/p/groups/g\"")));
}

TEST_F(InstanceBooking, ACountIsOneCallForAllOfThem) {
  const Ran ran = create({"--count", "2", "--group", "apart"});
  EXPECT_EQ(ran.code, 0);
  ASSERT_EQ(daemon.calls().size(), 1U);
  EXPECT_EQ(daemon.calls()[0].method, "CreateInstances");
  EXPECT_THAT(daemon.calls()[0].request, AllOf(HasSubstr("instance_id: \"web\""),
                                               HasSubstr("count: 2"), HasSubstr("groups/apart")));
  EXPECT_FALSE(daemon.calls()[0].request_id.empty());
  EXPECT_THAT(ran.out, AllOf(HasSubstr("web-1"), HasSubstr("web-2")));
  EXPECT_THAT(create({"--count", "2", "-o", "json"}).out, ::testing::StartsWith("[\n"));
}

TEST_F(InstanceBooking, ACountOutOfRangeIsAMistakeOfTheCommandLine) {
  EXPECT_EQ(create({"--count", "0"}).code, 2);
  EXPECT_EQ(create({"--count", "101"}).code, 2);
  EXPECT_TRUE(daemon.calls().empty());
}

TEST_F(InstanceBooking, WaitsForAllOfThem) {
  v1::Instance second = daemon.script().instances[1];
  daemon.script().instances[1].set_phase(v1::Instance::PHASE_PENDING);
  daemon.script().instances[1].set_observed_generation(0);
  daemon.script().get_answers = {second};
  daemon.script().watch = {watch_response("cell:10"), watch_response("cell:11")};
  const Ran ran = create({"--count", "2", "--wait", "--timeout", "20"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, AllOf(HasSubstr("web-1: RUNNING"), HasSubstr("web-2: RUNNING")));
  EXPECT_THAT(ran.out, Not(HasSubstr("PENDING")));
}

TEST_F(InstanceBooking, OneThatFailsDoesNotEndTheWaitingForTheOthers) {
  daemon.script().instances[0].set_phase(v1::Instance::PHASE_PENDING);
  daemon.script().instances[0].set_observed_generation(0);
  daemon.script().get_answers = {};  // NOT_FOUND
  daemon.script().watch = {watch_response("cell:10"), watch_response("cell:11")};
  const Ran ran = create({"--count", "2", "--wait", "--timeout", "20"});
  EXPECT_NE(ran.code, 0);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("web-2: RUNNING"), HasSubstr("web-1 was deleted")));
}

TEST_F(InstanceBooking, ShowNamesGroupWishesAndBackup) {
  daemon.script().get_answers = {placed()};
  EXPECT_THAT(
      run({"instance", "show", "web-1"}).out,
      AllOf(HasSubstr("Group:             apart\n"), HasSubstr("Within:            dc1/a\n"),
            HasSubstr("Labels of hosts:   gpu=l40s\n"), HasSubstr("None of hosts:     old\n"),
            HasSubstr("Failover:          protected\n"), HasSubstr("Backup host:       node-2\n")));
}

TEST_F(InstanceBooking, WideListShowsGroupAndProtection) {
  v1::Instance lost = placed();
  lost.mutable_backup()->clear_protected_();
  daemon.script().instances = {placed(), lost};
  const std::string out = run({"instance", "list", "-o", "wide"}).out;
  EXPECT_THAT(out, AllOf(HasSubstr("apart   protected "), HasSubstr("apart   not protected ")));
}

TEST_F(InstanceBooking, CompletesPlacesGroupsAndSites) {
  v1::Site site;
  site.set_name("sites/dc1");
  daemon.script().sites = {site};
  v1::Zone zone;
  zone.set_name("sites/dc1/zones/a");
  daemon.script().zones = {zone};
  v1::Group group;
  group.set_name("projects/default/groups/apart");
  daemon.script().groups = {group};
  variables["STELLWERK_ENDPOINT"] = daemon.endpoint();
  const auto complete = [this](const std::string& option) {
    return run_bare({"__complete", "instance", "create", "web", option, ""}).out;
  };
  EXPECT_EQ(complete("--within"), "dc1\ndc1/a\n");
  EXPECT_EQ(complete("--prefer-site"), "dc1\n");
  EXPECT_EQ(complete("--group"), "apart\n");
}

}  // namespace
}  // namespace stellwerk::test
