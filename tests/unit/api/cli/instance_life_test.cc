// rename, update, reset, resize, timelines, selectors, and limits of projects.
#include "harness.h"

namespace stellwerk::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kId[] = "5f0c6e0e-6f0b-4c0e-9b8e-2f6a1d3c4b5a";

class LifeCommands : public CliTest {
 protected:
  LifeCommands() {
    daemon.script().instances = {running_instance()};
    daemon.script().mutation_answer = running_instance();
    daemon.script().get_answers = {running_instance()};
    v1::Project town;
    town.set_name("projects/town");
    town.set_etag("9");
    (*town.mutable_labels())["owner"] = "registry";
    town.mutable_limits()->set_instances(3);
    town.mutable_limits()->set_memory_bytes(int64_t{8} << 30);
    town.mutable_use()->set_instances(3);
    town.mutable_use()->set_memory_bytes(int64_t{2} << 30);
    town.mutable_use()->set_addresses(4);
    daemon.script().projects = {town};
  }
  // Of the last call, with --request-id.
  std::string request_of(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--request-id", kId});
    const Ran ran = run(arguments);
    EXPECT_EQ(ran.code, 0) << ran.err;
    return daemon.calls().back().method + " " + daemon.calls().back().request;
  }
  static std::string id() { return std::string(" request_id: \"") + kId + "\""; }
};

TEST_F(LifeCommands, RenameAndResizeSendWhatWasAsked) {
  EXPECT_EQ(request_of({"instance", "rename", "web-1", "shop", "--etag", "17"}),
            "RenameInstance name: \"projects/default/instances/web-1\" new_instance_id: \"shop\" "
            "etag: \"17\"" +
                id());
  EXPECT_EQ(
      request_of({"instance", "resize", "web-1", "--flavor", "SCS-2V-4", "--boot-disk", "40GiB"}),
      "ResizeInstance name: \"projects/default/instances/web-1\" flavor: \"flavors/SCS-2V-4\" "
      "boot_disk_bytes: 42949672960" +
          id());
}

TEST_F(LifeCommands, UpdateNamesWhatItChangesInTheMask) {
  EXPECT_EQ(request_of({"instance", "update", "web-1", "--restart-policy", "never", "--state",
                        "stopped", "--delete-protection", "off"}),
            "UpdateInstance instance { name: \"projects/default/instances/web-1\" "
            "desired_state: STOPPED restart_policy: NEVER } update_mask { paths: "
            "\"restart_policy\" paths: \"desired_state\" paths: \"delete_protection\" }" +
                id());
  EXPECT_THAT(request_of({"instance", "update", "web-1", "--no-user-data"}),
              HasSubstr("web-1\" } update_mask { paths: \"user_data\" }"));
  EXPECT_THAT(request_of({"instance", "update", "web-1", "--user-data",
                          write_file("init.yaml", "#cloud-config\n")}),
              HasSubstr("user_data: \"#cloud-config\\n\""));
}

TEST_F(LifeCommands, UpdatePrintsWhatItMayHaveChanged) {
  daemon.script().mutation_answer.set_delete_protection(true);
  EXPECT_THAT(run({"instance", "update", "web-1", "--delete-protection", "on"}).out,
              AllOf(HasSubstr("Labels:           app=web, owner=registry\n"),
                    HasSubstr("Protected:        against deletion\n")));
}

TEST_F(LifeCommands, LabelsAreAddedAndTakenAwayUnderTheEtagThatWasRead) {
  const std::string sent =
      request_of({"instance", "update", "web-1", "--label", "tier=front", "--label", "app=shop",
                  "--unlabel", "owner", "--unlabel", "missing"});
  EXPECT_THAT(sent,
              AllOf(HasSubstr("labels { key: \"app\" value: \"shop\" }"),
                    HasSubstr("labels { key: \"tier\" value: \"front\" }"), Not(HasSubstr("owner")),
                    HasSubstr("etag: \"17\""), HasSubstr("paths: \"labels\"")));
  EXPECT_THAT(request_of({"instance", "update", "web-1", "--label", "a=b", "--etag", "3"}),
              HasSubstr("etag: \"3\""));
}

TEST_F(LifeCommands, UpdatesOfNothingAreUsageErrors) {
  EXPECT_EQ(run({"instance", "update", "web-1"}).code, 2);
  EXPECT_EQ(run({"project", "update", "town"}).code, 2);
  EXPECT_EQ(run({"instance", "update", "web-1", "--state", "deleted"}).code, 2);
  EXPECT_EQ(run({"instance", "resize", "web-1"}).code, 2);
  EXPECT_THAT(daemon.calls(), IsEmpty());
}

TEST_F(LifeCommands, SelectorsBecomeAFilter) {
  EXPECT_EQ(run({"instance", "list", "--selector", "app=web", "--selector", "empty="}).code, 0);
  EXPECT_THAT(daemon.calls().back().request,
              HasSubstr("filter: \"labels.app=web AND labels.empty=\\\"\\\"\""));
  EXPECT_EQ(run({"instance", "list", "--selector", "app"}).code, 2);
}

TEST_F(LifeCommands, ShowTellsTheTimelineInLines) {
  v1::Instance instance = running_instance();
  instance.set_delete_protection(true);
  const auto add = [&](int64_t ago, const char* type, const char* message, const char* caller) {
    auto* entry = instance.add_timeline();
    *entry->mutable_time() = seconds_ago(ago);
    entry->set_type(type);
    entry->set_message(message);
    entry->set_caller(caller);
  };
  add(600, "InstanceCreated", "flavor SCS-1V-2, image debian-12", "root");
  add(540, "PhaseChanged", "running", "");
  add(30, "SomethingNew", "\x1b[2J", "uid 1000");
  daemon.script().get_answers = {instance};
  const Ran ran = run({"instance", "show", "web-1"});
  EXPECT_THAT(
      ran.out,
      HasSubstr("Timeline:\n"
                "  2026-11-23T04:50:00Z  booked: flavor SCS-1V-2, image debian-12 (by root)\n"
                "  2026-11-23T04:51:00Z  running\n"
                "  2026-11-23T04:59:30Z  SomethingNew: \\x1b[2J (by uid 1000)\n"));
  EXPECT_THAT(ran.out, HasSubstr("Protected:        against deletion\n"));
  EXPECT_THAT(run({"instance", "show", "web-1", "-o", "json"}).out,
              HasSubstr("\"type\": \"InstanceCreated\""));
}

TEST_F(LifeCommands, ProjectsShowLimitsBesideUse) {
  const std::string out = run({"project", "show", "town"}).out;
  EXPECT_THAT(out, AllOf(HasSubstr("Instances:               3 of 3\n"),
                         HasSubstr("Memory:                  2 GiB of 8 GiB\n"),
                         HasSubstr("Addresses:               4, no limit\n"),
                         HasSubstr("Shared vCPUs:            0, no limit\n")));
}

TEST_F(LifeCommands, LimitsAreSetAndLiftedOneByOne) {
  EXPECT_EQ(
      request_of({"project", "create", "town", "--limit-instances", "10", "--limit-vcpus",
                  "shared=40", "--limit-vcpus", "dedicated-core=0", "--limit-memory", "64GiB"}),
      "CreateProject project_id: \"town\" project { limits { instances: 10 shared_vcpus: 40 "
      "dedicated_cores: 0 memory_bytes: 68719476736 } }" +
          id());
  EXPECT_EQ(
      request_of({"project", "update", "town", "--limit-disk", "none", "--limit-addresses", "7"}),
      "UpdateProject project { name: \"projects/town\" limits { addresses: 7 } } "
      "update_mask { paths: \"limits.disk_bytes\" paths: \"limits.addresses\" }" +
          id());
  EXPECT_THAT(request_of({"project", "update", "town", "--unlabel", "owner", "--label", "a=b"}),
              AllOf(HasSubstr("labels { key: \"a\" value: \"b\" }"), Not(HasSubstr("registry")),
                    HasSubstr("etag: \"9\"")));
}

TEST_F(LifeCommands, WrongLimitsAreNamed) {
  const std::vector<std::pair<std::vector<std::string>, const char*>> wrong = {
      {{"--limit-instances", "many"}, "--limit-instances"},
      {{"--limit-instances", "-1"}, "--limit-instances"},
      {{"--limit-memory", "64"}, "has no unit"},
      {{"--limit-vcpus", "fast=3"}, "CLASS=NUMBER"},
      {{"--limit-vcpus", "shared"}, "CLASS=NUMBER"},
      {{"--limit-vcpus", "shared=x"}, "is no number"}};
  for (const auto& [extra, text] : wrong) {
    std::vector<std::string> arguments = {"project", "update", "town"};
    arguments.insert(arguments.end(), extra.begin(), extra.end());
    const Ran ran = run(arguments);
    EXPECT_EQ(ran.code, 2) << text;
    EXPECT_THAT(ran.err, HasSubstr(text));
  }
  EXPECT_THAT(daemon.calls(), IsEmpty());
}

TEST_F(LifeCommands, AnExceededLimitHasAnExitCodeOfItsOwn) {
  daemon.script().failures = {
      failure(grpc::StatusCode::RESOURCE_EXHAUSTED, "the limits of project p", "QUOTA_EXCEEDED"),
      failure(grpc::StatusCode::RESOURCE_EXHAUSTED, "no host can take it", "NO_HOST_FITS")};
  const std::vector<std::string> create = {"instance", "create",  "a", "--flavor",
                                           "f",        "--image", "i"};
  EXPECT_EQ(run(create).code, 8);
  EXPECT_EQ(run(create).code, 7);
}

}  // namespace
}  // namespace stellwerk::test
