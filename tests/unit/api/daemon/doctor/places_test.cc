#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/daemon/doctor/checks.h"
#include "fake_machine.h"

namespace stellwerk::daemon::doctor {
namespace {

using ::testing::HasSubstr;

class Places : public ::testing::Test {
 protected:
  Config config;
  FakeMachine machine;
};

TEST_F(Places, FolderThatIsNotThereYetIsFine) {
  machine.files.erase("/var/lib/stellwerk");
  EXPECT_EQ(check_state(config, machine).verdict, Verdict::kOk);
  EXPECT_THAT(check_state(config, machine).what, HasSubstr("the daemon makes it"));
}

TEST_F(Places, FolderThatCannotBeUsedFails) {
  machine.files["/var/lib/stellwerk"] = FileFacts{.directory = false, .mode = 0644};
  EXPECT_EQ(check_state(config, machine).verdict, Verdict::kFailed);
  EXPECT_THAT(check_state(config, machine).todo, HasSubstr("daemon.state_dir"));
  machine.writing = failed_precondition("Read-only file system");
  EXPECT_EQ(check_storage(config, machine).verdict, Verdict::kFailed);
  EXPECT_THAT(check_storage(config, machine).what, HasSubstr("Read-only file system"));
  machine.writing = permission_denied("Permission denied");
  EXPECT_EQ(check_storage(config, machine).verdict, Verdict::kUnknown);
}

TEST_F(Places, StorageThatIsNotMountedFails) {
  machine.files[config.daemon.state_dir + "/host-uid"] = FileFacts{};
  const Finding finding = check_storage(config, machine);
  EXPECT_EQ(finding.verdict, Verdict::kFailed);
  EXPECT_EQ(finding.todo, "mount the disk that " + config.storage.directory + " lies on");
  machine.files[config.storage.directory + "/images"] = FileFacts{.directory = true, .mode = 0711};
  EXPECT_EQ(check_storage(config, machine).verdict, Verdict::kOk);
}

TEST_F(Places, WhatThisUserMayNotSeeIsUnknown) {
  machine.files["/var/lib/stellwerk"] = permission_denied("Permission denied");
  EXPECT_EQ(check_state(config, machine).verdict, Verdict::kUnknown);
  EXPECT_EQ(check_passage(config, machine).verdict, Verdict::kUnknown);
  machine.links = permission_denied("Permission denied");
  EXPECT_EQ(check_subnet(config, machine).verdict, Verdict::kUnknown);
  machine.texts.erase("/proc/sys/net/ipv4/ip_forward");
  EXPECT_EQ(check_forwarding(config, machine).verdict, Verdict::kUnknown);
}

TEST_F(Places, StorageThatIsNotThereYetIsLookedAtWhereItWillBe) {
  machine.files.erase("/var/lib/stellwerk/storage");
  EXPECT_EQ(check_passage(config, machine).verdict, Verdict::kOk);
  EXPECT_THAT(check_space(config, machine).what, HasSubstr("free at /var/lib/stellwerk,"));
}

TEST_F(Places, PassageThatIsClosedToQemuFailsWithItsName) {
  machine.files["/var/lib"] = FileFacts{.directory = true, .mode = 0750};
  machine.files["/var/lib/stellwerk"] = FileFacts{.directory = true, .mode = 0700};
  const Finding finding = check_passage(config, machine);
  EXPECT_EQ(finding.verdict, Verdict::kFailed);
  EXPECT_EQ(finding.todo, "chmod o+x /var/lib /var/lib/stellwerk");
  machine.texts["/etc/libvirt/qemu.conf"] = "#user = \"libvirt-qemu\"\nuser = \"root\"\n";
  EXPECT_EQ(check_passage(config, machine).verdict, Verdict::kOk);
  machine.texts["/etc/libvirt/qemu.conf"] = "user = \"+0\"\n";
  EXPECT_EQ(check_passage(config, machine).verdict, Verdict::kOk);
  machine.texts["/etc/libvirt/qemu.conf"] = "user = \"root\"\nuser = \"qemu\"\n";
  EXPECT_EQ(check_passage(config, machine).verdict, Verdict::kFailed);
}

TEST_F(Places, SpaceBelowTheReserveFails) {
  machine.room = Space{.available = mebibytes(1500), .total = gibibytes(20)};
  EXPECT_EQ(check_space(config, machine).verdict, Verdict::kWarning);
  machine.room = Space{.available = mebibytes(1000), .total = gibibytes(20)};
  EXPECT_EQ(check_space(config, machine).verdict, Verdict::kFailed);
  EXPECT_THAT(check_space(config, machine).what, HasSubstr("1000 MiB of 20 GiB free"));
  machine.room = Space{.available = config.host.disk_reserve, .total = gibibytes(20)};
  EXPECT_EQ(check_space(config, machine).verdict, Verdict::kFailed);
  machine.room = Space{.available = gibibytes(4), .total = gibibytes(100)};
  EXPECT_EQ(check_space(config, machine).verdict, Verdict::kWarning) << "less than a twentieth";
  machine.room = failed_precondition("Input/output error");
  EXPECT_EQ(check_space(config, machine).verdict, Verdict::kUnknown);
}

TEST_F(Places, BridgeIsMissedOnlyWhereTheDaemonMayNotMakeIt) {
  machine.links->pop_back();
  EXPECT_EQ(check_bridge(config, machine).verdict, Verdict::kOk);
  config.network.create_bridge = false;
  EXPECT_EQ(check_bridge(config, machine).verdict, Verdict::kFailed);
  EXPECT_EQ(check_bridge(config, machine).todo,
            "ip link add stellwerk0 type bridge && ip link set stellwerk0 up");
}

TEST_F(Places, BridgeThatIsNoneOrDownIsTold) {
  machine.links->back().up = false;
  EXPECT_EQ(check_bridge(config, machine).verdict, Verdict::kWarning);
  EXPECT_EQ(check_bridge(config, machine).todo, "ip link set stellwerk0 up");
  machine.links->back().bridge = false;
  EXPECT_EQ(check_bridge(config, machine).verdict, Verdict::kFailed);
  machine.links = failed_precondition("no");
  EXPECT_EQ(check_bridge(config, machine).verdict, Verdict::kUnknown);
}

TEST_F(Places, SubnetThatAnotherInterfaceHasFails) {
  machine.links->push_back(
      {.name = "eth0", .bridge = false, .up = true, .addresses = {IpAddress::v4(0x0A4000FE)}});
  EXPECT_EQ(check_subnet(config, machine).verdict, Verdict::kFailed);
  EXPECT_THAT(check_subnet(config, machine).what, HasSubstr("10.64.0.254 of eth0"));
  machine.links->back().addresses = {IpAddress::v4(0x0A400101)};
  EXPECT_EQ(check_subnet(config, machine).verdict, Verdict::kOk);
  config.network.v6 = Subnet{.range = *IpPrefix::parse("fd00:64::/64"), .gateway = {}, .next = {}};
  EXPECT_EQ(check_subnet(config, machine).verdict, Verdict::kOk);
  machine.links->back().addresses = {*IpAddress::parse("fd00:64::fe")};
  EXPECT_EQ(check_subnet(config, machine).verdict, Verdict::kFailed);
  EXPECT_THAT(check_subnet(config, machine).what, HasSubstr("fd00:64::fe of eth0"));
}

TEST_F(Places, ForwardingIsToldAndFilteredBridgesAreAWarning) {
  EXPECT_THAT(check_forwarding(config, machine).what, HasSubstr("off"));
  machine.texts["/proc/sys/net/ipv4/ip_forward"] = "1\n";
  EXPECT_THAT(check_forwarding(config, machine).what, HasSubstr("on"));
  machine.texts["/proc/sys/net/bridge/bridge-nf-call-iptables"] = "0\n";
  EXPECT_EQ(check_forwarding(config, machine).verdict, Verdict::kOk);
  machine.texts["/proc/sys/net/bridge/bridge-nf-call-iptables"] = "1\n";
  EXPECT_EQ(check_forwarding(config, machine).verdict, Verdict::kWarning);
}

}  // namespace
}  // namespace stellwerk::daemon::doctor
