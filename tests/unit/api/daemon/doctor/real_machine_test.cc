#include "api/daemon/doctor/real_machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../../../../support/in_child.h"
#include "../../../../support/status_assertions.h"
#include "../../../../support/temporary_directory.h"
#include "drivers/firewall/nftables/generation.h"

namespace stellwerk::daemon::doctor {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class RealMachineTest : public ::testing::Test {
 protected:
  testing::TemporaryDirectory folder_;
  RealMachine machine_;
};

TEST_F(RealMachineTest, ReadsFilesAndLinksOfTheKernel) {
  EXPECT_THAT(machine_.read("/proc/meminfo").value(), HasSubstr("MemTotal:"));
  EXPECT_THAT(machine_.read("/proc/self/exe").value(), EndsWith("doctor_test"));
  EXPECT_TRUE(absl::IsNotFound(machine_.read(folder_ / "nothing").status()));
}

TEST_F(RealMachineTest, LooksAtFoldersAndLeavesNothingInThem) {
  std::filesystem::permissions(folder_.path(), std::filesystem::perms(0751));
  EXPECT_TRUE(machine_.look(folder_.path())->directory);
  EXPECT_EQ(machine_.look(folder_.path())->mode, 0751u);
  EXPECT_OK(machine_.try_writing(folder_.path()));
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
  EXPECT_TRUE(absl::IsNotFound(machine_.try_writing(folder_ / "nothing")));
  EXPECT_GT(machine_.space(folder_.path())->total, Bytes(0));
}

TEST_F(RealMachineTest, KnowsLoopbackAndTheGroupOfRoot) {
  const auto all = machine_.interfaces().value();
  const auto loopback =
      std::ranges::find_if(all, [](const Interface& one) { return one.name == "lo"; });
  ASSERT_NE(loopback, all.end());
  EXPECT_FALSE(loopback->bridge);
  EXPECT_TRUE(machine_.group_exists("root"));
  EXPECT_FALSE(machine_.group_exists("nobody-has-this-group"));
}

TEST_F(RealMachineTest, SeesThatAnInterfaceIsUpAndItsAddresses) {
  EXPECT_EQ(stellwerk::testing::in_child([&] {
              ASSERT_EQ(::unshare(CLONE_NEWNET), 0) << "needs root";
              EXPECT_FALSE(machine_.interfaces()->at(0).up);
              EXPECT_THAT(machine_.interfaces()->at(0).addresses, IsEmpty());
              ASSERT_EQ(std::system("ip link set lo up"), 0);
              EXPECT_TRUE(machine_.interfaces()->at(0).up);
              EXPECT_THAT(machine_.interfaces()->at(0).addresses,
                          UnorderedElementsAre(IpAddress::parse("127.0.0.1").value(),
                                               IpAddress::parse("::1").value()));
            }),
            0);
}

TEST_F(RealMachineTest, OpensDevicesOrSaysWhyNot) {
  EXPECT_OK(machine_.open_device("/dev/null"));
  EXPECT_TRUE(absl::IsNotFound(machine_.open_device(folder_ / "nothing")));
}

TEST_F(RealMachineTest, AsksTheKernelForAFirewallAndLeavesNone) {
  EXPECT_EQ(stellwerk::testing::in_child([&] {
              ASSERT_EQ(::unshare(CLONE_NEWNET), 0) << "needs root";
              const uint32_t before = firewall::ruleset_generation().value();
              EXPECT_OK(machine_.firewall());
              EXPECT_EQ(firewall::ruleset_generation().value(), before);
              ASSERT_EQ(::setuid(65534), 0);
              EXPECT_TRUE(absl::IsPermissionDenied(machine_.firewall()));
            }),
            0);
}

TEST_F(RealMachineTest, KnowsWhoListens) {
  const std::string path = folder_ / "socket";
  EXPECT_TRUE(absl::IsNotFound(machine_.listener_of(path).status()));
  const int listener = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(listener, 1), 0);
  EXPECT_EQ(machine_.listener_of(path).value(), ::getpid());
  ::close(listener);
  EXPECT_FALSE(machine_.listener_of(path).ok());
}

}  // namespace
}  // namespace stellwerk::daemon::doctor
