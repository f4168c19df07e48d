#include "drivers/network/bridge/bridge_network.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <linux/if_addr.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <functional>
#include <set>
#include <thread>

#include "../../../support/in_child.h"
#include "../../../support/status_assertions.h"
#include "core/failpoint.h"

namespace stellwerk::network {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr uint32_t kGateway = 0x0A400001;  // 10.64.0.1
const BridgeSpec kBridge{.name = "sw-test0", .addresses = {{IpAddress::v4(kGateway), 24}}};

// The kernel's older interface, so that the test does not see with the driver's own eyes.
class Interfaces {
 public:
  ~Interfaces() { ::close(socket_); }

  bool exists(const std::string& name) { return ::if_nametoindex(name.c_str()) != 0; }
  bool is_up(const std::string& name) { return (ask(SIOCGIFFLAGS, name).ifr_flags & IFF_UP) != 0; }
  uint32_t address(const std::string& name) { return ipv4(ask(SIOCGIFADDR, name).ifr_addr); }
  int mtu(const std::string& name) { return ask(SIOCGIFMTU, name).ifr_mtu; }
  // "fd000064000000000000000000000001/64" and so on, without the link-local one; as the kernel
  // writes them into /proc/net/if_inet6.
  std::vector<std::string> v6_addresses(const std::string& name) {
    std::ifstream file("/proc/thread-self/net/if_inet6");
    std::vector<std::string> found;
    std::string address, index, length, scope, flags, interface;
    while (file >> address >> index >> length >> scope >> flags >> interface) {
      if (interface != name || scope == "20") continue;
      EXPECT_EQ(std::stoi(flags, nullptr, 16) & IFA_F_TENTATIVE, 0) << "not usable yet";
      found.push_back(address + "/" + std::to_string(std::stoi(length, nullptr, 16)));
    }
    return found;
  }
  uint32_t netmask(const std::string& name) { return ipv4(ask(SIOCGIFNETMASK, name).ifr_addr); }
  std::string mac(const std::string& name) {
    const ifreq answer = ask(SIOCGIFHWADDR, name);
    return {answer.ifr_hwaddr.sa_data, 6};
  }
  void add_bridge(const std::string& name) {
    EXPECT_EQ(::ioctl(socket_, SIOCBRADDBR, name.c_str()), 0);
  }
  void set_down(const std::string& name) {
    ifreq request = ask(SIOCGIFFLAGS, name);
    request.ifr_flags = static_cast<short>(request.ifr_flags & ~IFF_UP);
    EXPECT_EQ(::ioctl(socket_, SIOCSIFFLAGS, &request), 0);
  }
  // A tap (or a tun) that outlives its descriptor, as one of a QEMU that was killed may.
  void add_tap(const std::string& name, short kind = IFF_TAP) {
    const int fd = ::open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    ifreq request = named(name);
    request.ifr_flags = static_cast<short>(kind | IFF_NO_PI);
    EXPECT_EQ(::ioctl(fd, TUNSETIFF, &request), 0);
    EXPECT_EQ(::ioctl(fd, TUNSETPERSIST, 1), 0);
    ::close(fd);
  }
  void set_address(const std::string& name, uint32_t address) {
    ifreq request = named(name);
    request.ifr_addr.sa_family = AF_INET;
    const uint32_t bytes = __builtin_bswap32(address);
    std::memcpy(request.ifr_addr.sa_data + 2, &bytes, sizeof bytes);
    EXPECT_EQ(::ioctl(socket_, SIOCSIFADDR, &request), 0);
  }
  void set_mac(const std::string& name, const std::string& mac) {
    ifreq request = ask(SIOCGIFHWADDR, name);
    std::memcpy(request.ifr_hwaddr.sa_data, mac.data(), 6);
    EXPECT_EQ(::ioctl(socket_, SIOCSIFHWADDR, &request), 0);
  }
  void attach(const std::string& port, const std::string& bridge) {
    ifreq request = named(bridge);
    request.ifr_ifindex = static_cast<int>(::if_nametoindex(port.c_str()));
    EXPECT_EQ(::ioctl(socket_, SIOCBRADDIF, &request), 0);
  }

 private:
  static ifreq named(const std::string& name) {
    ifreq request{};
    std::strncpy(request.ifr_name, name.c_str(), IFNAMSIZ - 1);
    return request;
  }
  static uint32_t ipv4(const sockaddr& address) {
    uint32_t bytes = 0;
    std::memcpy(&bytes, address.sa_data + 2, sizeof bytes);
    return __builtin_bswap32(bytes);
  }
  // Zeros if the kernel has no answer.
  ifreq ask(unsigned long what, const std::string& name) {
    ifreq request = named(name);
    if (::ioctl(socket_, what, &request) == 0) return request;
    return named(name);
  }

  int socket_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
};

// Every test runs in a network namespace of its own, which ends with its process.
class BridgeNetworkTest : public ::testing::Test {
 protected:
  static int in_namespace(const std::function<void(BridgeNetwork&, Interfaces&)>& body) {
    return testing::in_child([&] {
      ASSERT_EQ(::unshare(CLONE_NEWNET), 0) << "needs root";
      BridgeNetwork network;
      Interfaces interfaces;
      body(network, interfaces);
    });
  }
};

TEST_F(BridgeNetworkTest, MakesABridgeWithAddressAndSetsItUp) {
  EXPECT_EQ(in_namespace([](BridgeNetwork& network, Interfaces& interfaces) {
              ASSERT_FALSE(interfaces.exists("sw-test0"));
              ASSERT_OK(network.ensure_bridge(kBridge));
              EXPECT_TRUE(interfaces.is_up("sw-test0"));
              EXPECT_EQ(interfaces.address("sw-test0"), kGateway);
              EXPECT_EQ(interfaces.netmask("sw-test0"), 0xFFFFFF00u);
              EXPECT_OK(network.ensure_bridge(kBridge));
            }),
            0);
}

// The host would lose its own way there.
TEST_F(BridgeNetworkTest, TakesNoRangeThatTheHostIsIn) {
  EXPECT_EQ(in_namespace([](BridgeNetwork& network, Interfaces& interfaces) {
              ASSERT_OK(network.ensure_bridge(
                  {.name = "sw-lan",
                   .addresses = {*parse_range("10.64.0.9/16"), *parse_range("fd00:64::9/64")}}));
              const absl::Status refused = network.ensure_bridge(kBridge);
              EXPECT_TRUE(absl::IsFailedPrecondition(refused));
              EXPECT_THAT(std::string(message_of(refused)),
                          HasSubstr("10.64.0.0/24 overlaps 10.64.0.9/16, which this host has on "
                                    "sw-lan; Stellwerk made it for another network; if that is "
                                    "gone: ip link delete sw-lan"));
              EXPECT_FALSE(interfaces.exists("sw-test0")) << "nothing half-done";
              const absl::Status six = network.ensure_bridge(
                  {.name = "sw-test0", .addresses = {*parse_range("fd00:64::1/80")}});
              EXPECT_TRUE(absl::IsFailedPrecondition(six)) << describe(six);
              EXPECT_OK(network.ensure_bridge({.name = "sw-test0"})) << "an isolated one";
            }),
            0);
}

TEST_F(BridgeNetworkTest, WhatABridgeHasAlreadyIsNotJudgedAgain) {
  EXPECT_EQ(in_namespace([](BridgeNetwork& network, Interfaces& interfaces) {
              ASSERT_OK(network.ensure_bridge(kBridge));
              EXPECT_OK(network.ensure_bridge(
                  {.name = kBridge.name, .addresses = {{IpAddress::v4(kGateway), 25}}}))
                  << "its own range, narrower now";
              ASSERT_OK(network.ensure_bridge(kBridge));
              interfaces.add_bridge("lan0");
              interfaces.set_address("lan0", kGateway + 1);
              EXPECT_OK(network.ensure_bridge(kBridge));
              EXPECT_OK(network.remove_bridge(kBridge.name));
              const absl::Status refused = network.ensure_bridge(kBridge);
              EXPECT_THAT(std::string(message_of(refused)),
                          HasSubstr("which this host has on lan0; choose another range"));
            }),
            0);
}

TEST_F(BridgeNetworkTest, RequiresABridgeOfSomebodyElses) {
  EXPECT_EQ(in_namespace([](BridgeNetwork& network, Interfaces& interfaces) {
              interfaces.add_bridge("br0");
              EXPECT_OK(network.require_bridge("br0"));
              EXPECT_TRUE(absl::IsNotFound(network.require_bridge("eth0")));
              EXPECT_TRUE(absl::IsFailedPrecondition(network.require_bridge("lo")));
            }),
            0);
}

TEST_F(BridgeNetworkTest, MakesABridgeWithoutAddressWhenNoneIsWanted) {
  EXPECT_EQ(in_namespace([](BridgeNetwork& network, Interfaces& interfaces) {
              ASSERT_OK(network.ensure_bridge({.name = "sw-test0"}));
              EXPECT_TRUE(interfaces.is_up("sw-test0"));
              EXPECT_EQ(interfaces.address("sw-test0"), 0u);
            }),
            0);
}

TEST_F(BridgeNetworkTest, GivesBothFamiliesAndTheMtu) {
  EXPECT_EQ(in_namespace([](BridgeNetwork& network, Interfaces& interfaces) {
              BridgeSpec bridge = kBridge;
              bridge.addresses.push_back({*IpAddress::parse("fd00:64::1"), 64});
              bridge.mtu = 9000;
              ASSERT_OK(network.ensure_bridge(bridge));
              EXPECT_EQ(interfaces.address("sw-test0"), kGateway);
              EXPECT_THAT(interfaces.v6_addresses("sw-test0"),
                          ElementsAre("fd000064000000000000000000000001/64"));
              EXPECT_EQ(interfaces.mtu("sw-test0"), 9000);
              ASSERT_OK(network.ensure_bridge(bridge));
              EXPECT_THAT(interfaces.v6_addresses("sw-test0"),
                          ElementsAre("fd000064000000000000000000000001/64"));
              bridge.mtu = 1400;
              bridge.addresses.pop_back();
              ASSERT_OK(network.ensure_bridge(bridge));
              EXPECT_EQ(interfaces.mtu("sw-test0"), 1400);
              EXPECT_THAT(interfaces.v6_addresses("sw-test0"), IsEmpty());
            }),
            0);
}

TEST_F(BridgeNetworkTest, RemovesABridgeOfOursAndIsContentWithoutOne) {
  EXPECT_EQ(in_namespace([](BridgeNetwork& network, Interfaces& interfaces) {
              ASSERT_OK(network.ensure_bridge(kBridge));
              EXPECT_OK(network.remove_bridge("sw-test0"));
              EXPECT_FALSE(interfaces.exists("sw-test0"));
              EXPECT_OK(network.remove_bridge("sw-test0"));
            }),
            0);
}

TEST_F(BridgeNetworkTest, RemovesNoBridgeThatAnInterfaceHangsOn) {
  EXPECT_EQ(in_namespace([](BridgeNetwork& network, Interfaces& interfaces) {
              ASSERT_OK(network.ensure_bridge(kBridge));
              interfaces.add_tap("vnet0");
              interfaces.attach("vnet0", "sw-test0");
              const absl::Status status = network.remove_bridge("sw-test0");
              EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
              EXPECT_THAT(std::string(message_of(status)), HasSubstr("vnet0 hangs on the bridge"));
              EXPECT_TRUE(interfaces.exists("sw-test0"));
            }),
            0);
}

TEST_F(BridgeNetworkTest, RemovesNothingButBridgesOfOurs) {
  EXPECT_EQ(in_namespace([](BridgeNetwork& network, Interfaces& interfaces) {
              interfaces.add_bridge("theirs0");
              interfaces.add_tap("sw1");
              for (const char* name : {"theirs0", "sw1", "lo"}) {
                EXPECT_EQ(network.remove_bridge(name).code(), absl::StatusCode::kPermissionDenied);
                EXPECT_TRUE(interfaces.exists(name)) << name;
              }
            }),
            0);
}

TEST_F(BridgeNetworkTest, LeavesABridgeOfSomebodyElseAsItIs) {
  EXPECT_EQ(in_namespace([](BridgeNetwork& network, Interfaces& interfaces) {
              interfaces.add_bridge("sw-test0");
              EXPECT_OK(network.ensure_bridge(kBridge));
              EXPECT_FALSE(interfaces.is_up("sw-test0"));
              EXPECT_EQ(interfaces.address("sw-test0"), 0u);
            }),
            0);
}

// As a crash would leave it between the request that makes it and the next.
TEST_F(BridgeNetworkTest, FinishesABridgeOfOursThatIsHalfMade) {
  EXPECT_EQ(in_namespace([](BridgeNetwork& network, Interfaces& interfaces) {
              ASSERT_OK(network.ensure_bridge({.name = "sw-test0"}));
              interfaces.set_down("sw-test0");
              ASSERT_OK(network.ensure_bridge(kBridge));
              EXPECT_TRUE(interfaces.is_up("sw-test0"));
              EXPECT_EQ(interfaces.address("sw-test0"), kGateway);
            }),
            0);
}

TEST_F(BridgeNetworkTest, TakesAwayTheAddressThatIsNoLongerWanted) {
  EXPECT_EQ(in_namespace([](BridgeNetwork& network, Interfaces& interfaces) {
              ASSERT_OK(network.ensure_bridge(kBridge));
              BridgeSpec moved = kBridge;
              moved.addresses = {{*IpAddress::parse("10.65.0.1"), 24}};
              ASSERT_OK(network.ensure_bridge(moved));
              // The first one is what the older interface shows.
              EXPECT_EQ(interfaces.address("sw-test0"), 0x0A410001u);
              ASSERT_OK(network.ensure_bridge({.name = "sw-test0"}));
              EXPECT_EQ(interfaces.address("sw-test0"), 0u);
            }),
            0);
}

TEST_F(BridgeNetworkTest, ManyAtOnceMakeOneBridge) {
  EXPECT_EQ(in_namespace([](BridgeNetwork&, Interfaces& interfaces) {
              for (int round = 0; round < 20; ++round) {
                BridgeSpec bridge = kBridge;
                bridge.name = "sw-test" + std::to_string(round);
                const uint32_t gateway = kGateway + (static_cast<uint32_t>(round) << 8);
                bridge.addresses = {{IpAddress::v4(gateway), 24}};
                std::vector<std::thread> threads;
                for (int i = 0; i < 8; ++i) {
                  threads.emplace_back([&] { EXPECT_OK(BridgeNetwork().ensure_bridge(bridge)); });
                }
                for (std::thread& thread : threads) thread.join();
                EXPECT_EQ(interfaces.address(bridge.name), gateway);
              }
            }),
            0);
}

TEST_F(BridgeNetworkTest, RefusesANameThatAnotherKindOfInterfaceBears) {
  EXPECT_EQ(in_namespace([](BridgeNetwork& network, Interfaces& interfaces) {
              interfaces.add_tap("sw-test0");
              const absl::Status status = network.ensure_bridge(kBridge);
              EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
              EXPECT_THAT(std::string(message_of(status)), HasSubstr("sw-test0"));
              EXPECT_EQ(interfaces.address("sw-test0"), 0u);
            }),
            0);
}

TEST_F(BridgeNetworkTest, RefusesNamesThatCannotBe) {
  BridgeNetwork network;
  for (const char* name : {"", "sixteen-letters-", "a/b"}) {
    EXPECT_EQ(network.ensure_bridge({.name = name}).code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(network.remove_bridge(name).code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(network.remove_port(name).code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST_F(BridgeNetworkTest, KeepsTheGatewaysMacWhenPortsComeAndGo) {
  EXPECT_EQ(in_namespace([](BridgeNetwork& network, Interfaces& interfaces) {
              ASSERT_OK(network.ensure_bridge(kBridge));
              const std::string mac = interfaces.mac("sw-test0");
              interfaces.add_tap("swport1");
              interfaces.set_mac("swport1", std::string("\x02\0\0\0\0\1", 6));
              interfaces.attach("swport1", "sw-test0");
              EXPECT_EQ(interfaces.mac("sw-test0"), mac);
            }),
            0);
}

TEST_F(BridgeNetworkTest, ListsPortsOnBridgesByPrefixInOrder) {
  EXPECT_EQ(in_namespace([](BridgeNetwork& network, Interfaces& interfaces) {
              ASSERT_OK(network.ensure_bridge(kBridge));
              interfaces.add_bridge("other0");
              for (const char* tap : {"sw2", "sw1", "sw3", "vnet0", "sw4"}) {
                interfaces.add_tap(tap);
              }
              interfaces.attach("sw2", "sw-test0");
              interfaces.attach("sw1", "sw-test0");
              interfaces.attach("sw3", "other0");
              interfaces.attach("vnet0", "sw-test0");  // another prefix; sw4 is on no bridge
              const auto ports = network.ports("sw");
              ASSERT_OK(ports);
              EXPECT_THAT(*ports, ElementsAre(ObservedPort{"sw1", "sw-test0"},
                                              ObservedPort{"sw2", "sw-test0"},
                                              ObservedPort{"sw3", "other0"}));
            }),
            0);
}

TEST_F(BridgeNetworkTest, RemovesATapAndIsContentWithoutOne) {
  EXPECT_EQ(in_namespace([](BridgeNetwork& network, Interfaces& interfaces) {
              ASSERT_OK(network.ensure_bridge(kBridge));
              interfaces.add_tap("sw1");
              interfaces.attach("sw1", "sw-test0");
              EXPECT_OK(network.remove_port("sw1"));
              EXPECT_FALSE(interfaces.exists("sw1"));
              EXPECT_OK(network.remove_port("sw1"));
              EXPECT_THAT(*network.ports("sw"), IsEmpty());
            }),
            0);
}

TEST_F(BridgeNetworkTest, RemovesNothingButTaps) {
  EXPECT_EQ(in_namespace([](BridgeNetwork& network, Interfaces& interfaces) {
              ASSERT_OK(network.ensure_bridge(kBridge));
              interfaces.add_tap("sw-tun", IFF_TUN);
              for (const char* name : {"sw-test0", "sw-tun", "lo"}) {
                EXPECT_EQ(network.remove_port(name).code(), absl::StatusCode::kPermissionDenied);
                EXPECT_TRUE(interfaces.exists(name)) << name;
              }
            }),
            0);
}

TEST_F(BridgeNetworkTest, PassesItsFailpoints) {
  EXPECT_EQ(in_namespace([](BridgeNetwork& network, Interfaces&) {
              std::set<std::string> passed;
              set_failpoint_hook([&](std::string_view name) { passed.emplace(name); });
              ASSERT_OK(network.ensure_bridge(kBridge));
              ASSERT_OK(network.remove_port("sw1"));
              ASSERT_OK(network.remove_bridge("sw-test0"));
              set_failpoint_hook(nullptr);
              EXPECT_THAT(passed,
                          ElementsAre("network.ensure-bridge.after", "network.ensure-bridge.before",
                                      "network.remove-bridge.after", "network.remove-bridge.before",
                                      "network.remove-port.after", "network.remove-port.before"));
            }),
            0);
}

}  // namespace
}  // namespace stellwerk::network
