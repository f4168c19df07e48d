#include "harness.h"

namespace stellwerk::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kKey[] = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ me@home";

class InstanceCommands : public CliTest {
 protected:
  InstanceCommands() {
    v1::Instance stopped = running_instance();
    stopped.set_name("projects/default/instances/database-12");
    stopped.set_phase(v1::Instance::PHASE_STOPPED);
    stopped.set_reason("ShutDownByGuest");
    stopped.clear_network_interfaces();
    daemon.script().instances = {stopped, running_instance()};
    daemon.script().mutation_answer = running_instance();
    daemon.script().get_answers = {running_instance()};
  }

  std::string only_request() {
    EXPECT_EQ(daemon.calls().size(), 1U);
    return daemon.calls().empty() ? "" : daemon.calls().front().request;
  }
};

TEST_F(InstanceCommands, ListIsAnAlignedTable) {
  const Ran ran = run({"instance", "list"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(
      ran.out,
      "NAME          PHASE     REASON            FLAVOR     IMAGE       IP          AGE\n"
      "database-12   STOPPED   ShutDownByGuest   SCS-1V-2   debian-12               10 min\n"
      "web-1         RUNNING                     SCS-1V-2   debian-12   10.64.0.2   10 min\n");
  EXPECT_THAT(ran.err, IsEmpty());
}

TEST_F(InstanceCommands, WideListAddsColumns) {
  daemon.script().instances = {running_instance()};
  const Ran ran = run({"instance", "list", "-o", "wide"});
  EXPECT_EQ(
      ran.out,
      "NAME    PHASE     REASON   FLAVOR     IMAGE       IP          AGE      DESIRED   HOST     "
      "GROUP   FAILOVER   MAC                 VCPUS   MEMORY   DISK     ETAG   UID\n"
      "web-1   RUNNING            SCS-1V-2   debian-12   10.64.0.2   10 min   RUNNING   node-1   "
      "                   52:54:00:00:00:2a   1       2 GiB    20 GiB   17     "
      "0b5c1f0a-7d4e-5b1c-9a2f-3e4d5c6b7a80\n");
}

TEST_F(InstanceCommands, ShowNamesTheProcessorsOfADedicatedGuest) {
  EXPECT_THAT(run({"instance", "show", "web-1"}).out, Not(HasSubstr("Own CPUs")));
  v1::Instance pinned = running_instance();
  for (const int cpu : {2, 6, 3, 7}) pinned.add_cpu_ids(cpu);
  pinned.add_numa_nodes(1);
  daemon.script().get_answers = {pinned};
  EXPECT_THAT(run({"instance", "show", "web-1"}).out, HasSubstr("2-3,6-7 (NUMA node 1)\n"));
}

TEST_F(InstanceCommands, ListOfAllProjectsNamesThem) {
  EXPECT_THAT(run({"instance", "list", "--project", "-"}).out,
              AllOf(HasSubstr("PROJECT   NAME"), HasSubstr("default   web-1")));
}

TEST_F(InstanceCommands, ListAsJsonIsOneArray) {
  daemon.script().instances.clear();
  EXPECT_EQ(run({"instance", "list", "-o", "json"}).out, "[]\n");
  daemon.script().instances = {running_instance(), running_instance()};
  const Ran ran = run({"instance", "list", "-o", "json"});
  EXPECT_THAT(ran.out, AllOf(::testing::StartsWith("[\n{\n \"name\": \"projects/default/"),
                             HasSubstr("\n},\n{\n"), ::testing::EndsWith("\n}\n]\n"),
                             HasSubstr("\"phase\": \"PHASE_RUNNING\""),
                             HasSubstr("\"memoryBytes\": \"2147483648\""),
                             HasSubstr("\"createTime\": \"2026-11-23T04:50:00Z\"")));
}

TEST_F(InstanceCommands, ListAsYamlIsOneSequence) {
  daemon.script().instances.clear();
  EXPECT_EQ(run({"instance", "list", "-o", "yaml"}).out, "[]\n");
  daemon.script().instances = {running_instance(), running_instance()};
  const Ran ran = run({"instance", "list", "-o", "yaml"});
  EXPECT_THAT(ran.out, AllOf(::testing::StartsWith("- name: projects/default/instances/web-1\n"),
                             HasSubstr("\n- name: "), HasSubstr("\n  phase: PHASE_RUNNING\n"),
                             HasSubstr("\n  memoryBytes: \"2147483648\"\n"),
                             HasSubstr("\n    owner: registry\n")));
}

TEST_F(InstanceCommands, OneInstanceAsYamlIsOneMapping) {
  daemon.script().get_answers = {running_instance()};
  EXPECT_THAT(run({"instance", "show", "web-1", "-o", "yaml"}).out,
              AllOf(::testing::StartsWith("name: projects/default/instances/web-1\n"),
                    HasSubstr("\nvcpus: \"1\"\n"), HasSubstr("\nhasUserData: true\n")));
}

TEST_F(InstanceCommands, ListWalksAllPages) {
  daemon.script().largest_page = 1;
  EXPECT_THAT(run({"instance", "list"}).out, AllOf(HasSubstr("database-12"), HasSubstr("web-1")));
  EXPECT_EQ(daemon.calls().size(), 2U);
}

TEST_F(InstanceCommands, ListAsksForSmallerPagesWhenTheyAreTooLarge) {
  daemon.script().refuse_pages_above = 100;
  const Ran ran = run({"instance", "list"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out, AllOf(HasSubstr("database-12"), HasSubstr("web-1")));
}

TEST_F(InstanceCommands, ColoursPhasesOnlyOnATerminal) {
  out_is_terminal = true;
  EXPECT_THAT(run({"instance", "list"}).out, HasSubstr("\x1b[32mRUNNING\x1b[0m"));
  EXPECT_THAT(run({"instance", "list", "-o", "json"}).out, Not(HasSubstr("\x1b")));
  variables["NO_COLOR"] = "1";
  EXPECT_THAT(run({"instance", "list"}).out, Not(HasSubstr("\x1b")));
}

TEST_F(InstanceCommands, ShowTellsEverything) {
  EXPECT_EQ(run({"instance", "show", "web-1"}).out,
            "Name:             web-1\n"
            "Project:          default\n"
            "Phase:            RUNNING\n"
            "Since:            2026-11-23T04:51:00Z (9 min ago)\n"
            "Desired:          RUNNING\n"
            "Generation:       1 (carried out: 1)\n"
            "Host:             node-1\n"
            "Flavor:           SCS-1V-2\n"
            "vCPUs:            1\n"
            "Memory:           2 GiB\n"
            "Image:            debian-12\n"
            "Boot disk:        20 GiB\n"
            "Network:          flat\n"
            "IP address:       10.64.0.2\n"
            "MAC address:      52:54:00:00:00:2a\n"
            "User data:        yes\n"
            "Labels:           app=web, owner=registry\n"
            "Restart policy:   on-failure\n"
            "Reboots:          0\n"
            "Created:          2026-11-23T04:50:00Z (10 min ago)\n"
            "UID:              0b5c1f0a-7d4e-5b1c-9a2f-3e4d5c6b7a80\n"
            "Etag:             17\n");
}

TEST_F(InstanceCommands, ShowsHostileStringsOfTheServerEscaped) {
  v1::Instance hostile = running_instance();
  hostile.set_reason("\x1b[2J");
  hostile.set_message("line\nname: \u202eforged\x07");
  daemon.script().instances = {hostile};
  daemon.script().get_answers = {hostile};
  for (const char* format : {"table", "wide", "json", "yaml"}) {
    for (const auto& verb : {std::vector<std::string>{"list"}, {"show", "web-1"}}) {
      std::vector<std::string> arguments = {"instance", "-o", format};
      arguments.insert(arguments.end(), verb.begin(), verb.end());
      const Ran ran = run(arguments);
      EXPECT_EQ(ran.code, 0);
      EXPECT_THAT(ran.out, AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("\u202e")),
                                 Not(HasSubstr("\nname: "))));
    }
  }
  EXPECT_THAT(run({"instance", "show", "web-1"}).out,
              HasSubstr("line\\nname: \\u{202e}forged\\x07"));
}

TEST_F(InstanceCommands, CreateSendsWhatWasAsked) {
  const std::string keys = write_file("keys.pub", std::string("# mine\n") + kKey + "\n\n");
  const Ran ran = run({"instance",
                       "create",
                       "web-1",
                       "--flavor",
                       "SCS-1V-2",
                       "--image",
                       "debian-12",
                       "--boot-disk",
                       "20GiB",
                       "--ssh-key",
                       keys,
                       "--ssh-key",
                       "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK you@home",
                       "--user-data",
                       write_file("init.yaml", "#cloud-config\n"),
                       "--label",
                       "app=a=b",
                       "--restart-policy",
                       "never",
                       "--stopped",
                       "--request-id",
                       "5f0c6e0e-6f0b-4c0e-9b8e-2f6a1d3c4b5a"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(only_request(),
            "parent: \"projects/default\" instance_id: \"web-1\" instance { desired_state: STOPPED "
            "flavor: \"flavors/SCS-1V-2\" image: \"projects/default/images/debian-12\" "
            "boot_disk_bytes: 21474836480 "
            "network_interfaces { network: \"projects/default/networks/flat\" } "
            "ssh_keys: \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ me@home\" "
            "ssh_keys: \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK you@home\" "
            "user_data: \"#cloud-config\\n\" labels { key: \"app\" value: \"a=b\" } "
            "restart_policy: NEVER } request_id: \"5f0c6e0e-6f0b-4c0e-9b8e-2f6a1d3c4b5a\"");
  EXPECT_THAT(ran.out, HasSubstr("web-1   RUNNING"));
}

TEST_F(InstanceCommands, CreateWithoutNetworkAndUserDataFromStandardInput) {
  input = "#!/bin/sh\n";
  const Ran ran = run({"instance", "create", "web-1", "--flavor", "f", "--image", "i",
                       "--no-network", "--user-data", "-"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(only_request(),
              AllOf(Not(HasSubstr("network_interfaces")), HasSubstr("user_data: \"#!/bin/sh\\n\""),
                    HasSubstr("desired_state: RUNNING")));
}

TEST_F(InstanceCommands, CreateRefusesUnusableFilesBeforeSendingAnything) {
  const std::vector<std::pair<std::vector<std::string>, const char*>> wrong = {
      {{"--ssh-key", "/no/such.pub"}, "No such file"},
      {{"--ssh-key", "/no/such/folder/with/a/rather/long/name/id_ed25519.pub"},
       "cannot read \"/no/such/folder/with/a/rather/long/name/id_ed25519.pub\": "},
      {{"--ssh-key", "ssh-rsa AAAA"},
       "--ssh-key: \"ssh-rsa AAAA\" is no complete public key: it is not base64 after"},
      {{"--ssh-key", daemon.directory()}, "is a directory"},
      {{"--ssh-key", write_file("id", "-----BEGIN OPENSSH PRIVATE KEY-----\n")}, "private key"},
      {{"--ssh-key", write_file("junk", "hello world\n")}, "no key type"},
      {{"--ssh-key", write_file("none", "\n")}, "holds no key"},
      {{"--user-data", write_file("big", std::string(65537, 'x'))}, "more than 65536 bytes"},
      {{"--user-data", "/no/such"}, "No such file"}};
  for (const auto& [extra, message] : wrong) {
    std::vector<std::string> arguments = {"instance", "create",  "a", "--flavor",
                                          "f",        "--image", "i"};
    arguments.insert(arguments.end(), extra.begin(), extra.end());
    const Ran ran = run(arguments);
    EXPECT_EQ(ran.code, 2);
    EXPECT_THAT(ran.err, HasSubstr(message));
  }
  EXPECT_THAT(daemon.calls(), IsEmpty());
}

TEST_F(InstanceCommands, ChangesCarryNameEtagForceAndRequestId) {
  const std::string id = "5f0c6e0e-6f0b-4c0e-9b8e-2f6a1d3c4b5a";
  const std::string common =
      "name: \"projects/default/instances/web-1\" etag: \"17\" request_id: \"" + id + "\"";
  const std::vector<std::string> options = {"web-1", "--etag", "17", "--request-id", id};
  const auto request_of = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), options.begin(), options.end());
    EXPECT_EQ(run(arguments).code, 0);
    return daemon.calls().back().method + " " + daemon.calls().back().request;
  };
  EXPECT_EQ(request_of({"instance", "start"}), "StartInstance " + common);
  EXPECT_EQ(request_of({"instance", "stop"}), "StopInstance " + common);
  EXPECT_EQ(request_of({"instance", "stop", "--force"}), "StopInstance " + common + " force: true");
  EXPECT_EQ(request_of({"instance", "reboot", "--force"}),
            "RebootInstance " + common + " force: true");
  EXPECT_EQ(request_of({"instance", "reboot", "--hard"}),
            "RebootInstance " + common + " force: true");
  EXPECT_EQ(request_of({"instance", "reset"}), "ResetInstance " + common);
  EXPECT_EQ(request_of({"instance", "delete"}), "DeleteInstance " + common);
}

TEST_F(InstanceCommands, DeleteSaysThatItGoesOn) {
  EXPECT_EQ(run({"instance", "delete", "web-1"}).out, "instance web-1 is being deleted\n");
}

TEST_F(InstanceCommands, TakesAFullNameToo) {
  EXPECT_EQ(run({"instance", "show", "projects/town-hall/instances/x"}).code, 0);
  EXPECT_EQ(only_request(), "name: \"projects/town-hall/instances/x\"");
}

}  // namespace
}  // namespace stellwerk::test
