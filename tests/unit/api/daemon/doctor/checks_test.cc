#include "api/daemon/doctor/checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "fake_machine.h"

namespace stellwerk::daemon::doctor {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Checks : public ::testing::Test {
 protected:
  Config config;
  FakeMachine machine;
};

TEST_F(Checks, FindNothingOnAHostInOrder) {
  std::set<std::string> names;
  for (const Finding& finding : examine(config, machine)) {
    EXPECT_EQ(finding.verdict, Verdict::kOk) << finding.check << ": " << finding.what;
    EXPECT_THAT(finding.todo, IsEmpty()) << finding.check;
    names.insert(finding.check);
  }
  EXPECT_EQ(names.size(), 15u);
}

TEST_F(Checks, KvmIsNeededOnlyWhereItIsConfigured) {
  machine.device = not_found("No such file or directory");
  EXPECT_EQ(check_kvm(config, machine).verdict, Verdict::kWarning);
  EXPECT_THAT(check_kvm(config, machine).todo, HasSubstr("modprobe kvm_intel"));
  config.hypervisor.accel = hypervisor::AcceleratorMode::kKvm;
  EXPECT_EQ(check_kvm(config, machine).verdict, Verdict::kFailed);
  config.hypervisor.accel = hypervisor::AcceleratorMode::kTcg;
  EXPECT_EQ(check_kvm(config, machine).verdict, Verdict::kOk);
  EXPECT_THAT(check_kvm(config, machine).what, HasSubstr("not needed"));
}

TEST_F(Checks, KvmThatThisUserMayNotOpenIsUnknown) {
  machine.device = permission_denied("Permission denied");
  EXPECT_EQ(check_kvm(config, machine).verdict, Verdict::kUnknown);
}

TEST_F(Checks, LibvirtThatDoesNotAnswerFails) {
  machine.libvirt = unavailable("libvirt at qemu:///system cannot be reached");
  const Finding finding = check_libvirt(config, machine);
  EXPECT_EQ(finding.verdict, Verdict::kFailed);
  EXPECT_THAT(finding.what, HasSubstr("cannot be reached"));
  EXPECT_THAT(finding.todo, HasSubstr("systemctl enable --now libvirtd"));
}

TEST_F(Checks, FirewallThatTheKernelDoesNotTakeFails) {
  machine.filter = failed_precondition("the kernel must have nftables for bridges");
  const Finding finding = check_firewall(config, machine);
  EXPECT_EQ(finding.verdict, Verdict::kFailed);
  EXPECT_THAT(finding.what, HasSubstr("nftables for bridges; no guest is started"));
  EXPECT_THAT(finding.what, HasSubstr("WaitingForFirewall"));
  EXPECT_THAT(finding.todo, HasSubstr("modprobe"));
  machine.filter = permission_denied("Operation not permitted");
  EXPECT_EQ(check_firewall(config, machine).verdict, Verdict::kUnknown);
  EXPECT_EQ(check_firewall(config, machine).todo, "sudo stellwerk doctor");
}

TEST_F(Checks, MemoryThatIsPromisedButNotThereFails) {
  config.host.memory = gibibytes(17);
  EXPECT_EQ(check_memory(config, machine).verdict, Verdict::kFailed);
  EXPECT_EQ(check_memory(config, machine).todo, "lower host.memory_mib to 16384 or less");
  config.host.memory = std::nullopt;
  config.host.memory_reserve = gibibytes(16);
  EXPECT_THAT(check_memory(config, machine).what, HasSubstr("nothing is left for guests"));
  machine.texts["/proc/meminfo"] = "MemFree: 1 kB\n";
  EXPECT_EQ(check_memory(config, machine).verdict, Verdict::kUnknown);
  machine.texts.erase("/proc/meminfo");
  EXPECT_EQ(check_memory(config, machine).verdict, Verdict::kUnknown);
}

TEST_F(Checks, ClockThatRunsFreeIsAWarning) {
  machine.synchronised = false;
  EXPECT_EQ(check_clock(config, machine).verdict, Verdict::kWarning);
  EXPECT_THAT(check_clock(config, machine).todo, HasSubstr("chrony"));
  machine.synchronised = permission_denied("no");
  EXPECT_EQ(check_clock(config, machine).verdict, Verdict::kUnknown);
}

TEST_F(Checks, FewDescriptorsAreAWarning) {
  machine.texts["/proc/42/limits"] = "Max open files            1024   4096   files\n";
  EXPECT_EQ(check_limits(config, machine).verdict, Verdict::kWarning);
  EXPECT_THAT(check_limits(config, machine).what, HasSubstr("the daemon may open 1024 files"));
  machine.texts["/proc/42/limits"] = "Max open files            8191   8191   files\n";
  EXPECT_EQ(check_limits(config, machine).verdict, Verdict::kWarning);
  machine.texts["/proc/42/limits"] = "Max open files            8192   8192   files\n";
  EXPECT_EQ(check_limits(config, machine).verdict, Verdict::kOk);
  machine.texts.erase("/proc/42/limits");
  EXPECT_EQ(check_limits(config, machine).verdict, Verdict::kUnknown);
  machine.daemon = not_found("no");
  machine.texts["/proc/self/limits"] = "Max open files            unlimited   unlimited   files\n";
  EXPECT_EQ(check_limits(config, machine).verdict, Verdict::kOk);
}

TEST_F(Checks, DaemonThatIsAwayFailsAndAReplacedOneIsAWarning) {
  machine.texts["/proc/42/exe"] = "/usr/local/bin/stellwerkd (deleted)";
  EXPECT_EQ(check_daemon(config, machine).verdict, Verdict::kWarning);
  EXPECT_THAT(check_daemon(config, machine).todo, HasSubstr("systemctl restart stellwerkd"));
  machine.daemon = not_found("No such file or directory");
  EXPECT_EQ(check_daemon(config, machine).verdict, Verdict::kFailed);
  machine.daemon = permission_denied("Permission denied");
  EXPECT_EQ(check_daemon(config, machine).verdict, Verdict::kUnknown);
  EXPECT_THAT(check_daemon(config, machine).todo, HasSubstr("usermod -aG stellwerk"));
}

TEST_F(Checks, OperatorsWithoutTheirGroupAreAWarning) {
  machine.group = false;
  EXPECT_EQ(check_operators(config, machine).verdict, Verdict::kWarning);
  config.daemon.operator_group = "";
  EXPECT_EQ(check_operators(config, machine).verdict, Verdict::kOk);
}

}  // namespace
}  // namespace stellwerk::daemon::doctor
