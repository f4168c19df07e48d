#include <sys/stat.h>
#include <unistd.h>

#include "api/cli/spawn.h"
#include "harness.h"

namespace stellwerk::test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class Doctor : public CliTest {
 protected:
  Doctor() {
    v1::Host host;
    host.set_name("hosts/node-1");
    host.set_state(v1::Host::READY);
    host.set_accelerator("kvm");
    daemon.script().hosts = {host};
    stellwerkd_says = report(R"({"check":"kvm","verdict":"ok","what":"opens","todo":""})");
  }
  static std::string report(const std::string& findings, const std::string& accel = "auto",
                            const std::string& version = "0.1.0") {
    return fmt::format(R"({{"version":"{}","accel":"{}","findings":[{}]}})", version, accel,
                       findings);
  }
};

TEST_F(Doctor, SaysThatAllIsWellAndEndsWith0) {
  const Ran ran = run({"doctor"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out,
            "ok       kvm         opens\n"
            "ok       api         the daemon answers you\n"
            "ok       guests      host node-1 takes guests, under kvm\n");
  EXPECT_THAT(stellwerkd_arguments, ElementsAre("doctor"));
}

TEST_F(Doctor, SaysWhatToTypeAndEndsWith1WhenSomethingFails) {
  stellwerkd_says =
      report(R"({"check":"libvirt","verdict":"failed","what":"away","todo":"systemctl start x"})");
  const Ran ran = run({"doctor", "--config", "/etc/other.toml"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.out, HasSubstr("failed   libvirt     away\n"
                                 "                     -> systemctl start x\n"));
  EXPECT_EQ(ran.err, "error: 1 of 3 checks failed\n");
  EXPECT_THAT(stellwerkd_arguments, ElementsAre("doctor", "--config", "/etc/other.toml"));
}

TEST_F(Doctor, WarningsAndUnknownsDoNotFail) {
  stellwerkd_says = report(R"({"check":"clock","verdict":"warning","what":"w","todo":"t"},)"
                           R"({"check":"kvm","verdict":"unknown","what":"u","todo":"sudo"})");
  const Ran ran = run({"doctor"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out, AllOf(HasSubstr("warning  clock"), HasSubstr("unknown  kvm")));
}

TEST_F(Doctor, SaysThatTheMachineCouldNotBeLookedAt) {
  stellwerkd_says = absl::NotFoundError("there is no program stellwerkd");
  EXPECT_THAT(run({"doctor"}).out,
              HasSubstr("unknown  host        this machine could not be looked at: there is no "
                        "program stellwerkd\n"));
  for (const char* rubbish : {"", "rubbish", "[]", "{}"}) {
    stellwerkd_says = std::string(rubbish);
    EXPECT_THAT(run({"doctor"}).out, HasSubstr("unknown  host"));
  }
}

TEST_F(Doctor, FailsWhenTheDaemonDoesNotAnswerOrTakesNoGuests) {
  daemon.script().hosts[0].set_state(v1::Host::DISCONNECTED);
  EXPECT_THAT(run({"doctor"}).out, HasSubstr("failed   guests      host node-1 takes no guests"));
  daemon.script().hosts.clear();
  EXPECT_THAT(run({"doctor"}).out, HasSubstr("failed   guests      no host has reported yet"));
  daemon.stop();
  const Ran ran = run({"doctor"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.out, HasSubstr("failed   api"));
}

TEST_F(Doctor, LooksAtAllHosts) {
  v1::Host second = daemon.script().hosts.front();
  second.set_name("hosts/node-2");
  daemon.script().hosts.push_back(second);
  daemon.script().largest_page = 1;
  EXPECT_THAT(run({"doctor"}).out,
              AllOf(HasSubstr("host node-1 takes guests"), HasSubstr("host node-2 takes guests")));
}

TEST_F(Doctor, SaysToWhoMayNotUseTheSocketWhoMay) {
  // The effective user is what the kernel asks about. Root drops it for the call alone.
  ASSERT_EQ(chmod(daemon.directory().c_str(), 0711), 0);
  ASSERT_EQ(chmod(daemon.socket_path().c_str(), geteuid() == 0 ? 0600 : 0000), 0);
  const bool is_root = geteuid() == 0;
  if (is_root) {
    ASSERT_EQ(seteuid(65534), 0);
  }
  const Ran ran = run({"doctor"});
  if (is_root) {
    ASSERT_EQ(seteuid(0), 0);
  }
  EXPECT_THAT(ran.out, AllOf(HasSubstr("failed   api"), HasSubstr("permission denied"),
                             HasSubstr("-> become root, or a member of the group stellwerk\n"),
                             Not(HasSubstr("systemctl"))));
}

TEST_F(Doctor, WarnsWhenMachineAndApiAreOfTwoDaemons) {
  const auto at = [](const std::string& socket) {
    return R"({"version":"0.1.0","accel":"auto","socket":")" + socket + R"(","findings":[]})";
  };
  stellwerkd_says = at("/run/stellwerk/stellwerkd.sock");
  EXPECT_THAT(run({"doctor"}).out,
              AllOf(HasSubstr("warning  endpoint    the checks above are of the daemon at "
                              "/run/stellwerk/stellwerkd.sock, those below of the one at " +
                              daemon.socket_path() + "\n"),
                    HasSubstr("-> give --config")));
  stellwerkd_says = at(daemon.socket_path());
  EXPECT_THAT(run({"doctor"}).out, Not(HasSubstr("endpoint")));
}

TEST_F(Doctor, WarnsOfSlowGuestsUnlessTheyAreMeant) {
  daemon.script().hosts[0].set_accelerator("tcg");
  EXPECT_THAT(run({"doctor"}).out, HasSubstr("warning  guests"));
  stellwerkd_says = report("", "tcg");
  EXPECT_THAT(run({"doctor"}).out,
              HasSubstr("ok       guests      host node-1 takes guests, under"));
}

TEST_F(Doctor, WarnsOfTwoVersions) {
  stellwerkd_says = report("", "auto", "9.9.9");
  EXPECT_THAT(run({"doctor"}).out, HasSubstr("warning  versions"));
}

TEST_F(Doctor, PrintsJsonAndYaml) {
  EXPECT_THAT(run({"doctor", "-o", "json"}).out, HasSubstr("\"check\": \"guests\""));
  EXPECT_THAT(run({"doctor", "-o", "yaml"}).out, HasSubstr("- check: kvm\n  verdict: ok\n"));
}

TEST_F(Doctor, ShowsHostileTextsEscaped) {
  stellwerkd_says =
      report(R"({"check":"kvm","verdict":"ok","what":"a\u001b[2Jb\u202e","todo":"\u0007"})");
  for (const char* format : {"table", "json", "yaml"}) {
    EXPECT_THAT(run({"doctor", "-o", format}).out,
                AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("\u202e")), Not(HasSubstr("\x07"))));
  }
}

TEST(OutputOf, IsWhatTheProgramPrintsWhateverItsExitCode) {
  EXPECT_EQ(cli::output_of("sh", {"-c", "echo one; exit 3"}, std::chrono::seconds(20)).value(),
            "one\n");
}

TEST(OutputOf, RefusesProgramsThatAreNotThereOrDoNotEnd) {
  EXPECT_TRUE(absl::IsNotFound(
      cli::output_of("/nowhere/stellwerkd", {}, std::chrono::seconds(20)).status()));
  EXPECT_TRUE(
      absl::IsDeadlineExceeded(cli::output_of("cat", {"/dev/zero"}, Duration::zero()).status()));
  EXPECT_EQ(cli::output_of("cat", {"/dev/zero"}, std::chrono::seconds(20)).status().code(),
            absl::StatusCode::kInternal);
}

}  // namespace
}  // namespace stellwerk::test
