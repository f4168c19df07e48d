// What the driver does to the kernel's rules; what the rules do to frames is
// tests/e2e/firewall_test.py's. Each test has a network namespace of its own.
#include "drivers/firewall/nftables/nftables_firewall.h"

#include <gmock/gmock.h>
#include <nftables/libnftables.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "../../support/in_child.h"
#include "../../support/status_assertions.h"
#include "core/time.h"

namespace stellwerk::firewall {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// What an operator would type. The answer as text, with handles: a rule that was removed and put
// back is seen.
std::string nft(const std::string& command) {
  nft_ctx* context = nft_ctx_new(NFT_CTX_DEFAULT);
  nft_ctx_output_set_flags(context, NFT_CTX_OUTPUT_HANDLE);
  nft_ctx_buffer_output(context);
  nft_ctx_buffer_error(context);
  const bool failed = nft_run_cmd_from_buffer(context, command.c_str()) != 0;
  std::string answer =
      failed ? nft_ctx_get_error_buffer(context) : nft_ctx_get_output_buffer(context);
  nft_ctx_free(context);
  return answer;
}

GuardedPort port(int number) {
  return {.interface_name = fmt::format("sw{:012x}", number),
          .mac = 0x020000000000 + static_cast<uint64_t>(number),
          .addresses = {IpAddress::v4(0x0A000000 + static_cast<uint32_t>(number))},
          .network = "office"};
}

Ruleset ports(int count) {
  Ruleset ruleset{.port_prefix = "sw", .networks = {{.key = "office"}}};
  for (int i = 1; i <= count; ++i) ruleset.ports.push_back(port(i));
  return ruleset;
}

class NftablesFirewallTest : public ::testing::Test {
 protected:
  // In a child, so that the test process keeps its namespace.
  static void in_namespace(const std::function<void(NftablesFirewall&)>& body) {
    EXPECT_EQ(stellwerk::testing::in_child([&] {
                ASSERT_EQ(::unshare(CLONE_NEWNET), 0) << "needs root";
                NftablesFirewall firewall;
                body(firewall);
              }),
              0);
  }
  static void expect(NftablesFirewall& firewall, const Ruleset& ruleset, Outcome wanted) {
    const auto outcome = firewall.apply(ruleset);
    ASSERT_TRUE(outcome.ok()) << describe(outcome.status());
    EXPECT_EQ(*outcome, wanted);
  }
};

TEST_F(NftablesFirewallTest, AppliesOnceAndThenChangesNothing) {
  in_namespace([](NftablesFirewall& firewall) {
    expect(firewall, ports(3), Outcome::kApplied);
    const std::string after = nft("list ruleset");
    EXPECT_THAT(after, HasSubstr("in4_sw000000000003"));
    expect(firewall, ports(3), Outcome::kUnchanged);
    EXPECT_EQ(nft("list ruleset"), after);
  });
}

TEST_F(NftablesFirewallTest, NeverTouchesAnybodyElsesRules) {
  in_namespace([](NftablesFirewall& firewall) {
    ASSERT_EQ(nft("table bridge filter {\n chain forward {\n type filter hook forward priority 0;\n"
                  "ether type ip counter accept\n }\n }\n"
                  "table inet stellwerk {\n chain input {\n tcp dport 22 accept\n }\n }\n"
                  "table ip nat {\n set s {\n type ipv4_addr\n elements = { 10.0.0.1 }\n }\n }\n"),
              "");
    const std::string before = nft("list ruleset");
    ASSERT_THAT(before, HasSubstr("10.0.0.1"));
    const auto others = [] {
      return nft("list table bridge filter") + nft("list table inet stellwerk") +
             nft("list table ip nat");
    };
    const std::string theirs = others();
    expect(firewall, ports(2), Outcome::kApplied);
    EXPECT_EQ(others(), theirs);
    expect(firewall, ports(1), Outcome::kApplied);
    EXPECT_EQ(others(), theirs);
    ASSERT_TRUE(firewall.clear().ok());
    EXPECT_EQ(nft("list ruleset"), before);
  });
}

TEST_F(NftablesFirewallTest, ChangeOfAnotherTableIsNoneOfOurs) {
  in_namespace([](NftablesFirewall& firewall) {
    expect(firewall, ports(2), Outcome::kApplied);
    expect(firewall, ports(2), Outcome::kUnchanged);
    const std::string ours = nft("list table bridge stellwerk");
    ASSERT_EQ(nft("add table bridge other"), "");
    expect(firewall, ports(2), Outcome::kUnchanged);
    EXPECT_EQ(nft("list table bridge stellwerk"), ours);
  });
}

TEST_F(NftablesFirewallTest, MendsWhatSomebodyElseDidToOurTable) {
  for (const bool looked_before : {false, true})
    for (const char* harm :
         {"delete table bridge stellwerk", "flush ruleset",
          "flush chain bridge stellwerk from_guest",
          "insert rule bridge stellwerk prerouting accept", "flush table bridge stellwerk",
          "add chain bridge stellwerk mine { type filter hook forward priority 0; }",
          "add set bridge stellwerk mine { type ifname; }"}) {
      in_namespace([&](NftablesFirewall& firewall) {
        SCOPED_TRACE(harm);
        expect(firewall, ports(2), Outcome::kApplied);
        if (looked_before) expect(firewall, ports(2), Outcome::kUnchanged);
        ASSERT_EQ(nft(harm), "");
        expect(firewall, ports(2), Outcome::kMended);
        EXPECT_THAT(nft("list ruleset"), Not(HasSubstr("mine")));
        EXPECT_THAT(nft("list chain bridge stellwerk prerouting"), Not(HasSubstr("accept #")));
        EXPECT_THAT(nft("list chain bridge stellwerk from_guest"), HasSubstr("drop"));
        expect(firewall, ports(2), Outcome::kUnchanged);
      });
    }
}

TEST_F(NftablesFirewallTest, MakesTableAnewThatCannotBeKept) {
  in_namespace([](NftablesFirewall& firewall) {
    ASSERT_EQ(nft("table bridge stellwerk {\n"
                  "set flow4_sw000000000001 {\n type ipv4_addr\n }\n"
                  "map m {\n type ipv4_addr : verdict\n }\n"
                  "chain prerouting {\n type filter hook output priority 7;\n }\n }\n"),
              "");
    expect(firewall, ports(1), Outcome::kApplied);
    EXPECT_THAT(nft("list chain bridge stellwerk prerouting"), HasSubstr("hook prerouting"));
    EXPECT_THAT(nft("list ruleset"), Not(HasSubstr("map m")));
  });
}

TEST_F(NftablesFirewallTest, TakesOverTheTableOfTheProcessBefore) {
  in_namespace([](NftablesFirewall& before) {
    expect(before, ports(3), Outcome::kApplied);
    NftablesFirewall firewall;
    expect(firewall, ports(2), Outcome::kApplied);
    EXPECT_THAT(nft("list ruleset"), Not(HasSubstr("sw000000000003")));
    expect(firewall, ports(2), Outcome::kUnchanged);
    expect(before, ports(3), Outcome::kMended);
  });
}

TEST_F(NftablesFirewallTest, KeepsConversationsOfPortsThatStay) {
  in_namespace([](NftablesFirewall& firewall) {
    expect(firewall, ports(2), Outcome::kApplied);
    for (int number : {1, 2}) {
      ASSERT_EQ(nft(fmt::format("add element bridge stellwerk flow4_sw{:012x} {{ 192.0.2.7 . tcp . "
                                "40000 . 443 timeout 1h }}",
                                number)),
                "");
    }
    expect(firewall, ports(3), Outcome::kApplied);
    EXPECT_THAT(nft("list set bridge stellwerk flow4_sw000000000002"), HasSubstr("192.0.2.7"));
    NftablesFirewall restarted;
    expect(restarted, ports(1), Outcome::kApplied);
    EXPECT_THAT(nft("list set bridge stellwerk flow4_sw000000000001"), HasSubstr("192.0.2.7"));
    EXPECT_THAT(nft("list ruleset"), Not(HasSubstr("sw000000000002")));
  });
}

// The first so many changes fail, as while somebody else changes rules.
Conversation failing(int changes) {
  return [left = std::make_shared<int>(changes)](std::string_view action,
                                                 const std::string& commands) {
    if (action == "change" && (*left)-- > 0) {
      return absl::StatusOr<std::string>(internal_error("Device or resource busy"));
    }
    return converse(action, commands);
  };
}

TEST_F(NftablesFirewallTest, TriesAChangeAgainBeforeItGivesConversationsUp) {
  for (const int failures : {0, 1, 2}) {
    in_namespace([failures](NftablesFirewall& before) {
      SCOPED_TRACE(failures);
      expect(before, ports(1), Outcome::kApplied);
      ASSERT_EQ(nft("add element bridge stellwerk flow4_sw000000000001 { 192.0.2.7 . tcp . 40000 . "
                    "443 timeout 1h }"),
                "");
      NftablesFirewall firewall(failing(failures));
      expect(firewall, ports(2), Outcome::kApplied);
      const std::string kept = nft("list set bridge stellwerk flow4_sw000000000001");
      EXPECT_EQ(kept.find("192.0.2.7") != kept.npos, failures < 2);
      EXPECT_THAT(nft("list ruleset"), HasSubstr("sw000000000002"));
    });
  }
}

TEST_F(NftablesFirewallTest, WhatItWritesInStepsIsWhatItWritesAtOnce) {
  in_namespace([](NftablesFirewall& firewall) {
    Ruleset grown = ports(1);
    expect(firewall, grown, Outcome::kApplied);
    grown = ports(4);
    grown.ports[2].ingress = {
        {.protocol = IpProtocol::kTcp, .ports = {22, 22}, .from = *IpPrefix::parse("0.0.0.0/0")}};
    grown.networks[0].neighbours = {*IpPrefix::parse("10.0.0.254/32")};
    expect(firewall, grown, Outcome::kApplied);
    grown.ports.erase(grown.ports.begin());
    expect(firewall, grown, Outcome::kApplied);
    const auto rules = [] {
      std::string text = nft("list ruleset");
      std::vector<std::string> chains;
      for (size_t at = text.find("\tchain "); at != text.npos;) {
        const size_t next = text.find("\tchain ", at + 1);
        std::string chain = text.substr(at, next - at), plain;
        for (size_t i = 0; i < chain.size(); ++i) {
          if (chain[i] == '#') i = chain.find('\n', i);
          plain += chain[i];
        }
        chains.push_back(plain.substr(0, plain.rfind("\t}")));
        at = next;
      }
      std::ranges::sort(chains);
      return chains;
    };
    const auto in_steps = rules();
    ASSERT_TRUE(firewall.clear().ok());
    expect(firewall, grown, Outcome::kApplied);
    EXPECT_EQ(rules(), in_steps);
    EXPECT_GT(in_steps.size(), 15u);
  });
}

TEST_F(NftablesFirewallTest, TakesStrangersInAndOut) {
  in_namespace([](NftablesFirewall& firewall) {
    expect(firewall, ports(1), Outcome::kApplied);
    Ruleset ruleset = ports(1);
    ruleset.strangers = {"swp1", "swp2"};
    expect(firewall, ruleset, Outcome::kApplied);
    EXPECT_THAT(nft("list chain bridge stellwerk prerouting"), HasSubstr("\"swp1\", \"swp2\""));
    expect(firewall, ports(1), Outcome::kApplied);
    EXPECT_THAT(nft("list ruleset"), Not(HasSubstr("swp")));
  });
}

TEST_F(NftablesFirewallTest, KeepsWhatIsInForceWhenRulesetIsUnsound) {
  in_namespace([](NftablesFirewall& firewall) {
    expect(firewall, ports(2), Outcome::kApplied);
    const std::string before = nft("list ruleset");
    Ruleset unsound = ports(3);
    unsound.ports[2].network = "attic";
    EXPECT_EQ(firewall.apply(unsound).status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(nft("list ruleset"), before);
  });
}

TEST_F(NftablesFirewallTest, ClearsTwice) {
  in_namespace([](NftablesFirewall& firewall) {
    expect(firewall, ports(2), Outcome::kApplied);
    EXPECT_TRUE(firewall.clear().ok());
    EXPECT_TRUE(firewall.clear().ok());
    EXPECT_EQ(nft("list ruleset"), "");
    expect(firewall, ports(2), Outcome::kApplied);
  });
}

TEST_F(NftablesFirewallTest, SaysThatItNeedsRights) {
  in_namespace([](NftablesFirewall& firewall) {
    ASSERT_EQ(::setuid(65534), 0);
    const absl::Status status = firewall.apply(ports(1)).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << describe(status);
    EXPECT_THAT(std::string(message_of(status)), HasSubstr("CAP_NET_ADMIN"));
  });
}

// No frame may pass between two states: whoever looks sees one or the other, whole.
TEST_F(NftablesFirewallTest, NobodyEverSeesTheTableMissingOrOpen) {
  in_namespace([](NftablesFirewall& firewall) {
    expect(firewall, ports(1), Outcome::kApplied);
    std::atomic<bool> over = false;
    std::atomic<int> looks = 0;
    std::vector<std::string> open;
    std::thread watcher([&] {
      while (!over) {
        const std::string seen = nft("list chain bridge stellwerk from_guest");
        if (seen.find("ether saddr != {") == seen.npos) open.push_back(seen);
        ++looks;
      }
    });
    for (int i = 0; i < 30; ++i) {
      NftablesFirewall restarted;
      ASSERT_TRUE(restarted.apply(ports(2 + i % 3)).ok());
    }
    over = true;
    watcher.join();
    EXPECT_THAT(open, ::testing::IsEmpty());
    EXPECT_GT(looks, 5);
  });
}

// With a wide margin; docs/firewall.md has the figures.
TEST_F(NftablesFirewallTest, GuardsTwoHundredPortsInNoTime) {
  in_namespace([](NftablesFirewall& firewall) {
    const SystemClock clock;
    const MonotonicTime began = clock.now().monotonic;
    expect(firewall, ports(200), Outcome::kApplied);
    expect(firewall, ports(201), Outcome::kApplied);
    EXPECT_LT(clock.now().monotonic - began, std::chrono::seconds(10));
  });
}

}  // namespace
}  // namespace stellwerk::firewall
