#include "drivers/network/bridge/link_local.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>

#include <fstream>

#include "../../../support/in_child.h"
#include "../../../support/status_assertions.h"
#include "drivers/network/bridge/bridge_network.h"

namespace stellwerk::network {
namespace {

// Run in a child, with a view of its own on the network namespace's devices.
void enter_namespaces() {
  ASSERT_EQ(::unshare(CLONE_NEWNET | CLONE_NEWNS), 0) << "needs root";
  ASSERT_EQ(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
  ASSERT_EQ(::mount("sysfs", "/sys", "sysfs", 0, nullptr), 0);
}

int no_linklocal_learn(const std::string& bridge) {
  int value = -1;
  std::ifstream("/sys/class/net/" + bridge + "/bridge/no_linklocal_learn") >> value;
  return value;
}

TEST(LinkLocal, OurBridgeDoesNotLearnFromLinkProtocols) {
  EXPECT_EQ(testing::in_child([] {
              enter_namespaces();
              BridgeNetwork network;
              ASSERT_OK(network.ensure_bridge({.name = "sw-test0"}));
              EXPECT_EQ(no_linklocal_learn("sw-test0"), 1);
            }),
            0);
}

TEST(LinkLocal, SaysWhichBridgeIsNotThere) {
  nl_sock* socket = nl_socket_alloc();
  ASSERT_EQ(nl_connect(socket, NETLINK_ROUTE), 0);
  const absl::Status status = ignore_senders_of_link_protocols(socket, 1 << 30, "sw-gone");
  EXPECT_NE(std::string(message_of(status)).find("sw-gone"), std::string::npos);
  nl_socket_free(socket);
}

}  // namespace
}  // namespace stellwerk::network
