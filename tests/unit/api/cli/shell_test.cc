// What shells and manual pages are told of the commands, and `top`.
#include "harness.h"

namespace stellwerk::test {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

class Shell : public CliTest {
 protected:
  std::string complete(std::vector<std::string> words) {
    words.insert(words.begin(), "__complete");
    variables["STELLWERK_ENDPOINT"] = daemon.endpoint();
    const Ran ran = run_bare(words);
    EXPECT_EQ(ran.code, 0);
    EXPECT_THAT(ran.err, IsEmpty());
    return ran.out;
  }
};

TEST_F(Shell, CompletesNounsAndVerbs) {
  EXPECT_THAT(complete({""}), AllOf(HasSubstr("instance\n"), HasSubstr("doctor\n"),
                                    HasSubstr("top\n"), Not(HasSubstr("manual"))));
  EXPECT_EQ(complete({"fl"}), "flavor\n");
  EXPECT_EQ(complete({"instance", "st"}), "start\nstop\n");
  EXPECT_EQ(complete({"instance", "fly", "x"}), "");
  EXPECT_EQ(complete({"completion", ""}), "bash\n");
}

TEST_F(Shell, CompletesOptionsOfTheVerbAndOfAllCommands) {
  EXPECT_THAT(complete({"instance", "create", "web", "--"}),
              AllOf(HasSubstr("--flavor\n"), HasSubstr("--wait\n"), HasSubstr("--project\n")));
  EXPECT_EQ(complete({"instance", "create", "--fl"}), "--flavor\n");
}

TEST_F(Shell, CompletesTheChoicesOfAnOption) {
  EXPECT_EQ(complete({"instance", "list", "-o", ""}), "table\nwide\njson\nyaml\n");
  EXPECT_EQ(complete({"--output", "y"}), "yaml\n");
}

TEST_F(Shell, CompletesIdsThatThereAre) {
  daemon.script().instances = {running_instance()};
  v1::Flavor flavor;
  flavor.set_name("flavors/SCS-1V-2");
  daemon.script().flavors = {flavor};
  EXPECT_EQ(complete({"instance", "show", ""}), "web-1\n");
  EXPECT_EQ(complete({"instance", "show", "we"}), "web-1\n");
  EXPECT_EQ(complete({"instance", "show", "x"}), "");
  EXPECT_EQ(complete({"instance", "show", "web-1", ""}), "");
  EXPECT_EQ(complete({"instance", "create", ""}), "");
  EXPECT_EQ(complete({"instance", "create", "a", "--flavor", "SCS"}), "SCS-1V-2\n");
  EXPECT_EQ(complete({"event", "list", "--instance", ""}), "web-1\n");
}

TEST_F(Shell, CompletesIdsOfTheProjectThatTheLineNames) {
  complete({"--project", "town", "instance", "show", ""});
  EXPECT_THAT(daemon.calls().back().request, HasSubstr("parent: \"projects/town\""));
}

TEST_F(Shell, CompletesWithoutADaemonWhatItCan) {
  daemon.stop();
  policy.attempts = 1;
  EXPECT_EQ(complete({"instance", "show", ""}), "");
  EXPECT_EQ(complete({"instance", "sh"}), "show\n");
}

TEST_F(Shell, ScriptIsForBash) {
  const Ran ran = run({"completion", "bash"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out, EndsWith("complete -o default -F _stellwerk stellwerk\n"));
  EXPECT_EQ(run({"completion", "tcsh"}).code, 2);
  EXPECT_EQ(run({"completion"}).code, 2);
}

TEST_F(Shell, ManualHasTheCommandsAndExitCodesInTheirPlaces) {
  input = ".Dt X 1\n.\\\" COMMANDS\n.Sh FILES\n.\\\" EXIT STATUS\n.Sh EXAMPLES\n";
  const Ran ran = run({"manual"});
  EXPECT_THAT(ran.out, AllOf(StartsWith(".Dt X 1\n.Sh COMMANDS\n"),
                             HasSubstr(".Sh FILES\n.Sh EXIT STATUS\n"),
                             HasSubstr(".It 6\n\\-\\-wait gave up"),
                             EndsWith("do not allow it\n.El\n.Sh EXAMPLES\n"),
                             HasSubstr(".It \"\\&instance create NAME\"\n"),
                             HasSubstr(".It \"\\&\\-\\-flavor"), Not(HasSubstr("manual"))));
  for (const char* page : {"no such line\n", ".\\\" COMMANDS\n", ".\\\" EXIT STATUS\n"}) {
    input = page;
    EXPECT_EQ(run({"manual"}).code, 2);
  }
}

class Top : public CliTest {
 protected:
  Top() {
    v1::Host host;
    host.set_name("hosts/node-1");
    host.set_state(v1::Host::READY);
    host.mutable_capacity()->set_threads(8);
    host.mutable_capacity()->set_memory_bytes(int64_t{9} << 30);
    host.mutable_reserved()->set_memory_bytes(int64_t{1} << 30);
    host.mutable_use()->set_memory_bytes(int64_t{4} << 30);
    host.mutable_use()->set_shared_vcpus(3);
    host.mutable_use()->set_dedicated_cores(2);
    daemon.script().hosts = {host};
    daemon.script().instances = {running_instance()};
  }
};

TEST_F(Top, ShowsHostsAndInstancesOnceOffATerminal) {
  const Ran ran = run({"top"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out, AllOf(StartsWith("HOST"), HasSubstr("5 on 8"),
                             HasSubstr("50 % 4 GiB of 8 GiB"), HasSubstr("\n\nINSTANCE"),
                             HasSubstr("web-1"), HasSubstr("RUNNING"), Not(HasSubstr("\x1b"))));
}

TEST_F(Top, OnATerminalComesAnewUntilCtrlC) {
  out_is_terminal = true;
  variables["NO_COLOR"] = "1";
  interrupt.when = [](const std::string& out, const std::string&) {
    return out.find("\x1b[2J", out.find("\x1b[2J") + 1) != out.npos;
  };
  const Ran ran = run({"top", "--interval", "1"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_FALSE(interrupt.gave_up());
  EXPECT_EQ(run({"top", "--once"}).out.find("\x1b"), std::string::npos);
}

TEST_F(Top, AsADocumentIsOneSnapshot) {
  out_is_terminal = true;
  EXPECT_THAT(run({"top", "-o", "json"}).out,
              AllOf(StartsWith("{\"hosts\":[{\"name\":\"hosts/node-1\""),
                    HasSubstr("\"instances\":[{\"name\":\"projects/default/instances/web-1\"")));
  EXPECT_THAT(run({"top", "-o", "yaml"}).out, StartsWith("hosts:\n  - name: hosts/node-1\n"));
}

TEST_F(Top, RefusesIntervalsThatCannotBe) {
  for (const char* interval : {"0", "-1", "x", "3601"}) {
    EXPECT_EQ(run({"top", "--interval", interval}).code, 2);
  }
}

}  // namespace
}  // namespace stellwerk::test
