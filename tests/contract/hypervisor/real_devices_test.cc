// What a guest is given: ports, firmware, seed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>

#include "../../support/eventually.h"
#include "drivers/hypervisor/libvirt/domain_xml.h"
#include "guests.h"
#include "real_fixture.h"

namespace stellwerk::hypervisor {
namespace {

using ::testing::HasSubstr;

TEST_F(LibvirtReal, HangsAPortOnItsBridgeAndTakesItAway) {
  const int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(ioctl(control, SIOCBRADDBR, "swtest0"), 0);
  spec_.ports = {{0x525400000001, "swtest0", "swaaaaaaaabbbb"}};
  EXPECT_TRUE(driver_->start(spec_).ok());
  EXPECT_TRUE(std::filesystem::exists("/sys/class/net/swtest0/brif/swaaaaaaaabbbb"));
  EXPECT_TRUE(driver_->destroy(me()).ok());
  EXPECT_FALSE(std::filesystem::exists("/sys/class/net/swaaaaaaaabbbb"));
  EXPECT_EQ(ioctl(control, SIOCBRDELBR, "swtest0"), 0);
  close(control);
}

TEST_F(LibvirtReal, LeavesNothingWhenADomainCannotBeMade) {
  spec_.ports = {{0x525400000001, "no-such-bridge", "swaaaaaaaabbbb"}};
  const absl::Status started = driver_->start(spec_);
  EXPECT_FALSE(started.ok());
  EXPECT_THAT(std::string(message_of(started)), HasSubstr("no-such-bridge"));
  EXPECT_TRUE(listed().empty());
  EXPECT_TRUE(processes().empty());
  EXPECT_FALSE(std::filesystem::exists("/sys/class/net/swaaaaaaaabbbb"));
}

TEST_F(LibvirtReal, StartsAUefiGuestWithItsVariablesBesideTheDisk) {
  spec_.firmware = Firmware::kUefi;
  spec_.memory = mebibytes(128);
  const absl::Status started = driver_->start(spec_);
  EXPECT_TRUE(started.ok()) << describe(started) << " (is the package ovmf installed?)";
  EXPECT_TRUE(std::filesystem::exists(nvram_path(spec_.boot_disk.path)));
  EXPECT_EQ(state(), DomainState::kRunning);
}

TEST_F(LibvirtReal, PausesAGuestWhoseDiskIsFullUntilThereIsRoomAgain) {
  const std::string small = directory_ + "/small";
  ASSERT_TRUE(std::filesystem::create_directory(small));
  ASSERT_EQ(mount("tmpfs", small.c_str(), "tmpfs", 0, "size=1m"), 0);
  spec_.boot_disk.path = small + "/disk.raw";
  write_disk(spec_.boot_disk.path, writing_guest());
  ASSERT_TRUE(driver_->start(spec_).ok());
  EXPECT_TRUE(testing::eventually([this] { return state() == DomainState::kPausedOnError; }));
  ASSERT_EQ(mount("tmpfs", small.c_str(), "tmpfs", MS_REMOUNT, "size=256m"), 0);
  EXPECT_TRUE(driver_->resume(me()).ok());
  EXPECT_EQ(state(), DomainState::kRunning);
  EXPECT_TRUE(driver_->destroy(me()).ok());
  EXPECT_EQ(umount(small.c_str()), 0);
}

TEST_F(LibvirtReal, TakesASeedAsAReadOnlyDrive) {
  spec_.seed_path = directory_ + "/seed.iso";
  write_disk(spec_.seed_path, std::string(2048, '\0'));
  start_and_wait_for_greeting();
}

}  // namespace
}  // namespace stellwerk::hypervisor
