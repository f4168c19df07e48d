#include "harness.h"

namespace stellwerk::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class Usage : public CliTest {};

TEST_F(Usage, HelpNamesNounsExampleAndExitCodes) {
  const Ran ran = run_bare({"--help"});
  EXPECT_EQ(ran.code, 0);
  for (const char* text : {"instance", "image", "flavor", "host", "project", "event",
                           "Example:\n  stellwerk instance create", "Exit codes:", "  6  --wait",
                           "  8  the project's limits"}) {
    EXPECT_THAT(ran.out, HasSubstr(text));
  }
  EXPECT_THAT(ran.err, IsEmpty());
}

TEST_F(Usage, EveryCommandHasAnExampleOfItself) {
  const std::map<std::string, std::vector<std::string>> commands = {
      {"instance",
       {"create", "list", "show", "start", "stop", "reboot", "reset", "rename", "update", "resize",
        "delete"}},
      {"image", {"import", "list", "show", "delete"}},
      {"flavor", {"list", "show", "create", "delete"}},
      {"host", {"list", "show"}},
      {"project", {"create", "update", "list", "show", "delete"}},
      {"event", {"list", "watch"}}};
  for (const auto& [noun, verbs] : commands) {
    for (const std::string& verb : verbs) {
      const Ran ran = run_bare({noun, verb, "--help"});
      EXPECT_EQ(ran.code, 0);
      EXPECT_THAT(ran.out, HasSubstr("Example:\n  stellwerk " + noun + " " + verb));
    }
  }
}

TEST_F(Usage, VersionNeedsNoDaemon) {
  for (const char* argument : {"version", "--version"}) {
    const Ran ran = run_bare({argument});
    EXPECT_EQ(ran.code, 0);
    EXPECT_THAT(ran.out, StartsWith("stellwerk 0."));
  }
}

TEST_F(Usage, MistakesEndWith2AndPointToHelp) {
  const std::vector<std::vector<std::string>> wrong = {
      {},
      {"instance"},
      {"instance", "fly"},
      {"instance", "show"},
      {"instance", "list", "--frobnicate"},
      {"instance", "list", "-o", "xml"},
      {"instance", "start", "a", "--timeout", "5"},  // without --wait
      {"instance", "start", "a", "--wait", "--timeout", "0"},
      {"instance", "start", "a", "--request-id", "17"},
      {"instance", "create", "a", "--flavor", "f"},
      {"instance", "create", "a", "--flavor", "f", "--image", "i", "--label", "x"},
      {"instance", "create", "a", "--flavor", "f", "--image", "i", "--boot-disk", "20"},
      {"instance", "create", "a", "--flavor", "f", "--image", "i", "--restart-policy", "maybe"},
      {"instance", "create", "a", "--flavor", "f", "--image", "i", "--network", "n",
       "--no-network"},
      {"image", "import", "a", "f", "--sha256", "abc"},
      {"flavor", "create", "a", "--class", "fast"},
      {"event", "list", "--limit", "0"}};
  for (const auto& arguments : wrong) {
    const Ran ran = run(arguments);
    EXPECT_EQ(ran.code, 2) << ::testing::PrintToString(arguments);
    EXPECT_THAT(ran.err, AllOf(StartsWith("error: "), HasSubstr("\nhint: stellwerk")))
        << ::testing::PrintToString(arguments);
    EXPECT_THAT(ran.out, IsEmpty());
  }
  EXPECT_THAT(daemon.calls(), IsEmpty());
}

TEST_F(Usage, NamesTheCommandWhoseHelpTells) {
  EXPECT_EQ(run({"instance", "show"}).err,
            "error: NAME is required\nhint: stellwerk instance show --help\n");
}

TEST_F(Usage, JudgesUnknownOptionsBeforeMissingOnes) {
  EXPECT_EQ(run({"instance", "create", "web-1", "--flavour", "SCS-1V-2", "--image", "x"}).err,
            "error: \"--flavour\" is no option of stellwerk instance create; did you mean "
            "\"--flavor\"?\nhint: stellwerk instance create --help\n");
  EXPECT_THAT(run({"instance", "create", "web-1", "--flavour=SCS-1V-2"}).err,
              StartsWith("error: \"--flavour\" is no option of"));
  EXPECT_THAT(run({"instance", "show", "-x"}).err,
              StartsWith("error: \"-x\" is no option of stellwerk instance show\n"));
}

TEST_F(Usage, NamesTheVerbsAndTheNounsThatThereAre) {
  EXPECT_EQ(run({"instance", "lst"}).err,
            "error: \"lst\" is no verb of instance; there are: create, list, show, start, stop, "
            "reboot, reset, rename, update, resize, delete, console, log\n"
            "hint: stellwerk instance --help\n");
  EXPECT_THAT(
      run({"host", "delete", "lab"}).err,
      StartsWith(
          "error: \"delete\" is no verb of host; there are: list, show, update, maintenance\n"));
  EXPECT_THAT(run({"instance"}).err,
              StartsWith("error: no verb of instance is given; there are: create, list"));
  EXPECT_THAT(run({"completion", "zsh"}).err,
              StartsWith("error: \"zsh\" is no verb of completion; there is only bash\n"));
  const Ran ran = run({"instances", "list"});
  EXPECT_THAT(ran.err, AllOf(StartsWith("error: \"instances\" is no noun; there are: instance, "),
                             HasSubstr(", completion, version\nhint: stellwerk --help\n"),
                             ::testing::Not(HasSubstr("manual"))));
  EXPECT_EQ(ran.code, 2);
}

TEST_F(Usage, NamesWhatIsTooMuchInItsOrder) {
  EXPECT_THAT(run({"instance", "show", "a", "b", "-o", "wide", "c"}).err,
              StartsWith("error: too many arguments: \"b\" \"c\"\n"));
  EXPECT_THAT(run({"instance", "show", "--", "-a", "--b"}).err,
              StartsWith("error: too many arguments: \"--b\"\n"));
}

TEST_F(Usage, AllProjectsAreNoneToFindSomethingIn) {
  const std::vector<std::vector<std::string>> wrong = {
      {"instance", "create", "web-1", "--flavor", "f", "--image", "i"},
      {"instance", "show", "web-1"},
      {"image", "delete", "web-1"},
      {"event", "watch", "--instance", "web-1"}};
  for (std::vector<std::string> words : wrong) {
    words.insert(words.end(), {"--project", "-"});
    const Ran ran = run(words);
    EXPECT_EQ(ran.code, 2);
    EXPECT_THAT(ran.err, StartsWith("error: - (all projects) is for lists and events; name the "
                                    "one project of \"web-1\"\n"));
  }
  EXPECT_THAT(daemon.calls(), IsEmpty());
  daemon.script().get_answers = {running_instance()};
  EXPECT_EQ(run({"instance", "show", "projects/p/instances/web-1", "--project", "-"}).code, 0);
  variables = {{"STELLWERK_PROJECT", "-"}};
  EXPECT_EQ(run({"host", "show", "node-1"}).code, 3) << "hosts are of no project";
}

TEST_F(Usage, TakesHelpForAnOption) {
  EXPECT_EQ(run_bare({"help"}).out, run_bare({"--help"}).out);
  EXPECT_EQ(run_bare({"instance", "help"}).out, run_bare({"instance", "--help"}).out);
  EXPECT_EQ(run_bare({"help", "instance", "create"}).out,
            run_bare({"instance", "create", "--help"}).out);
  EXPECT_EQ(run_bare({"help"}).code, 0);
  daemon.script().instances = {running_instance()};
  EXPECT_EQ(run({"instance", "show", "help"}).code, 3) << "an instance may have this name";
}

TEST_F(Usage, SaysWhatIsWrongWithASize) {
  const Ran ran =
      run({"instance", "create", "a", "--flavor", "f", "--image", "i", "--boot-disk", "20 Gigs"});
  EXPECT_THAT(ran.err, HasSubstr("--boot-disk"));
  EXPECT_THAT(ran.err, HasSubstr("unknown unit \" Gigs\""));
}

TEST_F(Usage, EchoesHostileArgumentsEscaped) {
  const Ran ran = run({"instance", "list", "--\x1b[2Jx"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err, ::testing::Not(HasSubstr("\x1b")));
}

TEST_F(Usage, RefusesAnEndpointThatIsNoUnixSocket) {
  const Ran ran = run_bare({"--endpoint", "localhost:80", "host", "list"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err, HasSubstr("is not a Unix socket"));
}

TEST_F(Usage, TakesEndpointAndProjectFromTheEnvironment) {
  variables = {{"STELLWERK_ENDPOINT", daemon.endpoint()}, {"STELLWERK_PROJECT", "town-hall"}};
  EXPECT_EQ(run_bare({"instance", "list"}).code, 0);
  ASSERT_EQ(daemon.calls().size(), 1U);
  EXPECT_THAT(daemon.calls().front().request, HasSubstr("parent: \"projects/town-hall\""));
}

TEST_F(Usage, OptionsWinOverTheEnvironmentAndMayStandAtTheEnd) {
  variables = {{"STELLWERK_ENDPOINT", "unix:///nowhere"}, {"STELLWERK_PROJECT", "town-hall"}};
  EXPECT_EQ(run_bare({"instance", "list", "--project", "-", "--endpoint", daemon.endpoint()}).code,
            0);
  ASSERT_EQ(daemon.calls().size(), 1U);
  EXPECT_THAT(daemon.calls().front().request, HasSubstr("parent: \"projects/-\""));
}

}  // namespace
}  // namespace stellwerk::test
