#include "placement/rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>

#include "fixtures.h"

namespace stellwerk::placement {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// In the terms of a fleet that has this host alone.
Ask ask_at(const Host& host, const Request& request) {
  return ask_of(Fleet({}, {}, {host}), request);
}

// "rule: words" of the first that fails; empty if the host fits.
std::string refused_for(const HostLoad& host, const Ask& ask) {
  const Rule* rule = first_failed(host, ask);
  EXPECT_EQ(rule == nullptr, fits(host, ask));
  return rule ? std::string(rule->name) + ": " + rule->words(host, ask) : "";
}
std::string refused_for(const HostLoad& host, const Request& request) {
  return refused_for(host, ask_for(request));
}
std::string refused_for(const Host& host, const Request& request) {
  return refused_for(load_of(host), ask_at(host, request));
}

TEST(Rules, AcceptAHostThatHasEverything) {
  EXPECT_EQ(refused_for(plain_load(), plain_request()), "");
}

TEST(Rules, RefuseAHostThatIsOutOfService) {
  HostLoad host = plain_load();
  host.accepting = false;
  EXPECT_EQ(refused_for(host, plain_request()), "accepting: its agent is not connected");
  host = plain_load();
  host.fenced = true;
  EXPECT_EQ(refused_for(host, plain_request()),
            "fenced: it is fenced; it comes back after a reboot");
  host = plain_load();
  host.maintenance = true;
  EXPECT_EQ(refused_for(host, plain_request()), "maintenance: it is in maintenance");
}

TEST(Rules, RefuseAHostWhenMemoryIsShort) {
  HostLoad host = plain_load();
  host.used.memory = gibibytes(13).count();
  EXPECT_EQ(refused_for(renewed(host), plain_request()),
            "memory: 4 GiB asked, 3 GiB free of 16 GiB");
  host.used.memory = gibibytes(12).count();
  EXPECT_EQ(refused_for(renewed(host), plain_request()), "");
}

TEST(Rules, RefuseAHostWhenItsReserveWouldBeTouched) {
  HostLoad host = plain_load();
  host.reserve.memory = gibibytes(12);
  EXPECT_EQ(refused_for(renewed(host), plain_request()), "");
  host.reserve.memory += Bytes(1);
  EXPECT_THAT(refused_for(renewed(host), plain_request()), StartsWith("memory: 4 GiB asked"));
}

TEST(Rules, RefuseAHostWhenVcpusAreShort) {
  HostLoad host = plain_load();
  host.used.vcpus[index_of(CpuClass::kShared)] = 19;
  EXPECT_EQ(refused_for(renewed(host), plain_request()),
            "cpu: 2 shared vCPUs asked, 1 more fit on 4 cores with 8 threads");
  host.used.vcpus[index_of(CpuClass::kShared)] = 18;
  EXPECT_EQ(refused_for(renewed(host), plain_request()), "");
}

TEST(Rules, RefuseAHostWhenDedicatedThreadsOrCoresAreShort) {
  Request request = plain_request();
  request.cpu_class = CpuClass::kDedicatedThread;
  request.vcpus = VcpuCount(7);
  EXPECT_EQ(refused_for(plain_load(), request), "");
  request.vcpus = VcpuCount(8);
  EXPECT_THAT(refused_for(plain_load(), request), HasSubstr("7 more fit"));
  request.cpu_class = CpuClass::kDedicatedCore;
  request.vcpus = VcpuCount(3);
  EXPECT_EQ(refused_for(plain_load(), request), "");
  request.vcpus = VcpuCount(4);
  EXPECT_THAT(refused_for(plain_load(), request), HasSubstr("3 more fit"));
}

TEST(Rules, RefuseWhatNeedsATopologyThatIsNotKnown) {
  Host host = plain_host(1);
  host.facts.numa.clear();
  Request request = plain_request();
  EXPECT_EQ(refused_for(host, request), "");
  for (const CpuClass cpu_class : {CpuClass::kDedicatedThread, CpuClass::kDedicatedCore}) {
    request.cpu_class = cpu_class;
    EXPECT_THAT(refused_for(host, request),
                AllOf(StartsWith("topology: dedicated-"),
                      HasSubstr("which cores and threads it has is not known")));
    EXPECT_EQ(refused_for(plain_load(), request), "");
  }
  request = plain_request();
  request.numa_nodes = 1;
  EXPECT_EQ(refused_for(host, request),
            "topology: NUMA nodes asked; which ones it has is not known");
}

TEST(Rules, RefuseAHostWhenDiskIsShort) {
  HostLoad host = plain_load();
  host.used.disk = gigabytes(81).count();
  EXPECT_EQ(refused_for(renewed(host), plain_request()),
            "disk: 18.6 GiB asked, 17.7 GiB free of 93.1 GiB");
  host.used.disk = gigabytes(80).count();
  EXPECT_EQ(refused_for(renewed(host), plain_request()), "");
}

TEST(Rules, RefuseAHostWithoutTheDiskTypeThatTheFlavorNames) {
  Request request = plain_request();
  request.disk_type = DiskType::kNvme;
  EXPECT_EQ(refused_for(plain_load(), request), "disk-type: nvme asked, its disk is declared ssd");
  request.disk_type = DiskType::kSsd;
  EXPECT_EQ(refused_for(plain_load(), request), "");
  request.disk_type = DiskType::kNetwork;
  EXPECT_THAT(refused_for(plain_load(), request), StartsWith("disk-type: network"));
}

TEST(Rules, RefuseAHostWithoutItsLabels) {
  Host host = plain_host(1);
  host.labels = {{"gen", "3"}, {"public", ""}};
  Request request = plain_request();
  const auto require = [&](const char* key, std::optional<std::string> value) {
    request.wishes.required_labels = {{key, std::move(value)}};
    return refused_for(host, request);
  };
  EXPECT_EQ(require("gen", "3"), "");
  EXPECT_EQ(require("gen", std::nullopt), "");
  EXPECT_EQ(require("public", ""), "");
  EXPECT_EQ(require("gen", "2"), "labels: it has no label gen=2");
  EXPECT_EQ(require("gpu", std::nullopt), "labels: it has no label gpu");
  request.wishes.required_labels.clear();
  const auto forbid = [&](const char* key, std::optional<std::string> value) {
    request.wishes.forbidden_labels = {{key, std::move(value)}};
    return refused_for(host, request);
  };
  EXPECT_EQ(forbid("gen", "2"), "");
  EXPECT_EQ(forbid("gpu", std::nullopt), "");
  EXPECT_EQ(forbid("gen", "3"), "labels: it has label gen=3");
  EXPECT_EQ(forbid("gen", std::nullopt), "labels: it has label gen");
}

TEST(Rules, RefuseAHostWithoutTheCpuBaseline) {
  Host host = plain_host(1);
  Request request = plain_request();
  request.wishes.cpu_baseline = "x86-64-v3";
  EXPECT_EQ(refused_for(host, request), "cpu-baseline: x86-64-v3 asked, it has none that is known");
  host.facts.cpu_baselines = {"x86-64-v1", "x86-64-v2"};
  EXPECT_EQ(refused_for(host, request),
            "cpu-baseline: x86-64-v3 asked, it has x86-64-v1, x86-64-v2");
  host.facts.cpu_baselines.push_back("x86-64-v3");
  EXPECT_EQ(refused_for(host, request), "");
}

TEST(Rules, RefuseAHostWhenBandwidthIsShort) {
  Host host = plain_host(1);
  Request request = plain_request();
  request.bandwidth = MegabitsPerSecond(1);
  EXPECT_EQ(refused_for(host, request), "bandwidth: 1 Mbit/s asked, 0 Mbit/s free of 0 Mbit/s");
  host.facts.bandwidth = MegabitsPerSecond(25'000);
  request.bandwidth = MegabitsPerSecond(25'000);
  EXPECT_EQ(refused_for(host, request), "");
  request.bandwidth += MegabitsPerSecond(1);
  EXPECT_EQ(refused_for(host, request),
            "bandwidth: 25.001 Gbit/s asked, 25 Gbit/s free of 25 Gbit/s");
}

TEST(Rules, RefuseAHostWhenHugePagesAreShort) {
  for (const PageSize size : {PageSize::k2MiB, PageSize::k1GiB}) {
    Host host = plain_host(1);
    host.facts.numa = topology(4, 8, 2);
    for (NumaNode& node : host.facts.numa) {
      (size == PageSize::k2MiB ? node.pages_2mib : node.pages_1gib) = 2;
    }
    Request request = plain_request();
    request.memory = mebibytes(200);
    request.page_size = size;
    request.pages = 4;
    EXPECT_EQ(refused_for(host, request), "");
    request.pages = 5;
    EXPECT_EQ(refused_for(host, request),
              "huge-pages: 5 pages of " + std::string(to_string(size)) + " asked, 4 free");
  }
}

TEST(Rules, RefuseAHostWhenDevicesAreShort) {
  Host host = plain_host(1);
  host.facts.devices = {{"gpu", 2}, {"nic", 1}};
  Request request = plain_request();
  request.devices = {{"nic", 1}, {"gpu", 2}};
  EXPECT_EQ(refused_for(host, request), "");
  request.devices = {{"nic", 2}, {"gpu", 2}};
  EXPECT_EQ(refused_for(host, request), "devices: 2 of nic asked, 1 free");
  request.devices = {{"nic", 1}, {"gpu", 3}};
  EXPECT_EQ(refused_for(host, request), "devices: 3 of gpu asked, 2 free");
  request.devices = {{"fpga", 1}, {"gpu", 1}};
  EXPECT_EQ(refused_for(host, request), "devices: no host has any fpga");
}

Host with_nodes(int64_t nodes, Bytes memory_each) {
  Host host = plain_host(1);
  host.facts.cores = 2 * nodes;
  host.facts.threads = 4 * nodes;
  host.facts.memory = gibibytes(64);
  host.facts.numa = topology(2 * nodes, 4 * nodes, 2);
  for (NumaNode& node : host.facts.numa) {
    node.memory = memory_each;
    node.pages_1gib = 1;
  }
  return host;
}

TEST(Rules, RefuseAHostWhenTooFewNodesHaveRoom) {
  for (const int32_t nodes : {1, 2, 4}) {
    Request request = plain_request();
    request.vcpus = VcpuCount(2 * nodes);
    request.memory = gibibytes(4) * nodes;
    request.numa_nodes = nodes;
    EXPECT_EQ(refused_for(with_nodes(nodes, gibibytes(5)), request), "");
    request.memory = request.memory + Bytes(1);
    EXPECT_THAT(refused_for(with_nodes(nodes, gibibytes(5)), request),
                AllOf(StartsWith("numa: " + std::to_string(nodes) + " NUMA nodes asked with 2 "),
                      HasSubstr(", 0 of its " + std::to_string(nodes) + " have room")));
  }
  Request request = plain_request();
  request.numa_nodes = 2;
  EXPECT_EQ(refused_for(with_nodes(1, gibibytes(9)), request),
            "numa: 2 NUMA nodes asked with 1 vCPUs and 2 GiB each, 1 of its 1 have room");
}

TEST(Rules, CountVcpusAndPagesByNode) {
  Request request = plain_request();
  request.numa_nodes = 2;
  request.memory = gibibytes(1);
  request.cpu_class = CpuClass::kDedicatedCore;
  request.vcpus = VcpuCount(4);  // a whole node's cores on each of two
  EXPECT_EQ(refused_for(with_nodes(4, gibibytes(5)), request), "");
  request.vcpus = VcpuCount(6);
  EXPECT_THAT(refused_for(with_nodes(4, gibibytes(5)), request), StartsWith("numa: "));
  request.vcpus = VcpuCount(2);
  request.page_size = PageSize::k1GiB;
  request.pages = 2;
  EXPECT_EQ(refused_for(with_nodes(4, gibibytes(5)), request), "");
  request.pages = 4;
  EXPECT_THAT(refused_for(with_nodes(4, gibibytes(5)), request), StartsWith("numa: "));
}

TEST(Rules, NameTheFirstThatFails) {
  HostLoad host = plain_load();
  host.used.memory = gibibytes(16).count();
  host.used.disk = gigabytes(100).count();
  EXPECT_THAT(refused_for(renewed(host), plain_request()), StartsWith("memory"));
  host.accepting = false;
  EXPECT_THAT(refused_for(renewed(host), plain_request()), StartsWith("accepting"));
}

TEST(Rules, EachCanRefuseOnItsOwn) {
  Host nothing = plain_host(1);
  nothing.facts = {};
  nothing.maintenance = true;
  HostLoad host = load_of(nothing);
  host.accepting = false;
  host.fenced = true;
  Request request = plain_request();
  request.cpu_class = CpuClass::kDedicatedThread;
  request.disk_type = DiskType::kSsd;
  request.page_size = PageSize::k2MiB;
  request.pages = 2;
  request.numa_nodes = 2;
  request.bandwidth = MegabitsPerSecond(1);
  request.devices = {{"gpu", 1}};
  request.wishes.required_labels = {{"a", std::nullopt}};
  request.wishes.cpu_baseline = "x86-64-v2";
  const Ask ask = ask_for(request);
  std::vector<std::string_view> names;
  for (const Rule& rule : rules()) {
    names.push_back(rule.name);
    EXPECT_FALSE(rule.holds(host, ask)) << rule.name;
    EXPECT_NE(rule.words(host, ask), "") << rule.name;
    EXPECT_NE(rule.advice, "") << rule.name;
    EXPECT_TRUE(rule.holds(plain_load(), ask_for(plain_request()))) << rule.name;
  }
  EXPECT_THAT(names, ElementsAre("accepting", "fenced", "maintenance", "labels", "cpu-baseline",
                                 "disk-type", "topology", "cpu", "memory", "disk", "bandwidth",
                                 "huge-pages", "devices", "numa"));
}

TEST(Rules, RefuseTheLargestRequestThatThereIs) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  Request request = plain_request();
  request.vcpus = VcpuCount(kMost);
  EXPECT_THAT(refused_for(plain_load(), request), StartsWith("cpu"));
  request = plain_request();
  request.memory = Bytes(kMost);
  EXPECT_THAT(refused_for(plain_load(), request), StartsWith("memory"));
  request = plain_request();
  request.disk = Bytes(kMost);
  EXPECT_THAT(refused_for(plain_load(), request), StartsWith("disk"));
}

TEST(Rules, SlotsAreHowManyFitBesideEachOther) {
  Request request = plain_request();  // 4 by memory, 5 by disk, 10 by vCPUs
  EXPECT_EQ(slots_of(plain_load(), ask_for(request)), 4);
  request.memory = gibibytes(1);
  EXPECT_EQ(slots_of(plain_load(), ask_for(request)), 5);
  request.disk = Bytes();
  EXPECT_EQ(slots_of(plain_load(), ask_for(request)), 10);
  request.vcpus = VcpuCount(21);
  EXPECT_EQ(slots_of(plain_load(), ask_for(request)), 0);
}

TEST(ChooseNodes, TakesThoseThatAreLeftWithTheLeast) {
  HostLoad host = load_of(with_nodes(4, gibibytes(5)));
  host.used.nodes.assign(4, {});
  host.used.nodes[2].memory = gibibytes(2).count();
  host.used.nodes[3].memory = gibibytes(4).count();
  host.used.nodes[1].vcpus[index_of(CpuClass::kShared)] = 1;
  host = renewed(host);
  Request request = plain_request();
  request.numa_nodes = 2;
  request.memory = gibibytes(4);
  const auto nodes = choose_nodes(host, ask_for(request));
  ASSERT_TRUE(nodes);
  EXPECT_THAT(*nodes, ElementsAre(1, 2));
  request.numa_nodes = 4;
  request.vcpus = VcpuCount(4);
  request.memory = gibibytes(1);
  EXPECT_FALSE(choose_nodes(host, ask_for(request)));  // nothing is left of node 3
}

RC_GTEST_PROP(Rules, MoreUseNeverMakesARequestFit, ()) {
  Dice dice = any_dice();
  const CpuLimits limits = any_limits(dice);
  HostLoad host = load_of(any_host(dice, 1), limits);
  Request request = plain_request();
  request.cpu_class = any_cpu_class(dice);
  request.vcpus = VcpuCount(dice.in(1, 12));
  request.memory = mebibytes(dice.in(64, 8192));
  const Ask ask = ask_for(request);
  RC_PRE(!fits(host, ask));
  host.used.vcpus[static_cast<size_t>(dice.in(0, 4))] += dice.in(0, 5);
  host.used.memory += mebibytes(dice.in(0, 4096)).count();
  host.used.disk += gigabytes(dice.in(0, 50)).count();
  RC_ASSERT(!fits(renewed(host, limits), ask));
}

RC_GTEST_PROP(Rules, OneMoreThanTheSlotsNeverFits, ()) {
  Dice dice = any_dice();
  HostLoad host = load_of(any_host(dice, 1));
  Request request = plain_request();
  request.cpu_class = dice.of({CpuClass::kShared, CpuClass::kLowPerformance});
  request.vcpus = VcpuCount(dice.in(1, 4));
  request.memory = mebibytes(dice.in(64, 4096));
  const Ask ask = ask_for(request);
  const int64_t slots = slots_of(host, ask);
  for (int64_t i = 0; i < slots; ++i) {
    RC_ASSERT(fits(host, ask));
    add(host.used, ask.amounts);
    host = renewed(host);
  }
  RC_ASSERT(!fits(host, ask));
}

}  // namespace
}  // namespace stellwerk::placement
