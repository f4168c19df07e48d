#include "placement/fits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>

#include "fixtures.h"

namespace stellwerk::placement {
namespace {

constexpr CpuLimits kStandard;

std::string refused_for(const HostLoad& host, const Request& request) {
  const std::optional<Refusal> refusal = first_refusal(host, request, kStandard);
  return refusal ? refusal->rule + ": " + refusal->detail : "";
}

TEST(Fits, AcceptsHostThatHasEverything) {
  EXPECT_EQ(first_refusal(plain_host(1), plain_request(), kStandard), std::nullopt);
}

TEST(Fits, RefusesHostWhoseAgentIsNotConnected) {
  HostLoad host = plain_host(1);
  host.accepting = false;
  EXPECT_EQ(refused_for(host, plain_request()), "accepting: its agent is not connected");
}

TEST(Fits, RefusesHostWhenMemoryIsShort) {
  HostLoad host = plain_host(1);
  host.memory_used = gibibytes(13);
  EXPECT_EQ(refused_for(host, plain_request()), "memory: 4 GiB asked, 3 GiB free of 16 GiB");
  host.memory_used = gibibytes(12);
  EXPECT_EQ(refused_for(host, plain_request()), "");
}

TEST(Fits, RefusesHostWhenItsReserveWouldBeTouched) {
  HostLoad host = plain_host(1);
  host.reserve.memory = gibibytes(12) + Bytes(1);
  EXPECT_THAT(refused_for(host, plain_request()), testing::StartsWith("memory: 4 GiB asked"));
}

TEST(Fits, RefusesHostWhenVcpusAreShort) {
  HostLoad host = plain_host(1);
  host.vcpus_used[CpuClass::kShared] = VcpuCount(19);
  EXPECT_EQ(refused_for(host, plain_request()),
            "cpu: 2 shared vCPUs asked, 1 more fit on 4 cores with 8 threads");
  host.vcpus_used[CpuClass::kShared] = VcpuCount(18);
  EXPECT_EQ(refused_for(host, plain_request()), "");
}

TEST(Fits, RefusesHostWhenDedicatedThreadsOrCoresAreShort) {
  Request request = plain_request();
  request.cpu_class = CpuClass::kDedicatedThread;
  request.vcpus = VcpuCount(9);
  EXPECT_THAT(refused_for(plain_host(1), request), testing::HasSubstr("7 more fit"));
  request.cpu_class = CpuClass::kDedicatedCore;
  request.vcpus = VcpuCount(5);
  EXPECT_THAT(refused_for(plain_host(1), request), testing::HasSubstr("3 more fit"));
}

TEST(Fits, RefusesDedicatedVcpusWhereTheTopologyIsNotKnown) {
  HostLoad host = plain_host(1);
  host.facts.numa.clear();
  Request request = plain_request();
  EXPECT_EQ(refused_for(host, request), "");
  for (const CpuClass cpu_class : {CpuClass::kDedicatedThread, CpuClass::kDedicatedCore}) {
    request.cpu_class = cpu_class;
    EXPECT_THAT(refused_for(host, request),
                testing::AllOf(testing::StartsWith("topology: dedicated-"),
                               testing::HasSubstr("which cores and threads it has is not known")));
    EXPECT_EQ(refused_for(plain_host(1), request), "");
  }
}

TEST(Fits, RefusesHostWhenDiskIsShort) {
  HostLoad host = plain_host(1);
  host.disk_used = gigabytes(81);
  EXPECT_EQ(refused_for(host, plain_request()), "disk: 18.6 GiB asked, 17.7 GiB free of 93.1 GiB");
  host.disk_used = gigabytes(80);
  EXPECT_EQ(refused_for(host, plain_request()), "");
}

TEST(Fits, RefusesHostWithoutTheDiskTypeThatTheFlavorNames) {
  Request request = plain_request();
  request.disk_type = DiskType::kNvme;
  EXPECT_EQ(refused_for(plain_host(1), request), "disk-type: nvme asked, its disk is declared ssd");
  request.disk_type = DiskType::kSsd;
  EXPECT_EQ(refused_for(plain_host(1), request), "");
  request.disk_type = DiskType::kNetwork;
  EXPECT_THAT(refused_for(plain_host(1), request), testing::StartsWith("disk-type: network"));
}

TEST(Fits, NamesTheHostAndTheFirstRuleThatItFails) {
  HostLoad host = plain_host(7);
  host.memory_used = gibibytes(16);
  host.disk_used = gigabytes(100);
  const std::optional<Refusal> refusal = first_refusal(host, plain_request(), kStandard);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->host, host_uid(7));
  EXPECT_EQ(refusal->rule, "memory");
}

TEST(Fits, EveryRuleCanRefuseOnItsOwn) {
  HostLoad host = plain_host(1);
  host.accepting = false;
  host.facts.disk_type = DiskType::kUnspecified;
  host.vcpus_used[CpuClass::kDedicatedCore] = VcpuCount(4);
  host.memory_used = gibibytes(16);
  host.disk_used = gigabytes(100);
  Request request = plain_request();
  request.disk_type = DiskType::kSsd;
  request.cpu_class = CpuClass::kDedicatedThread;
  host.facts.numa.clear();
  std::vector<std::string_view> names;
  for (const Rule& rule : rules()) {
    names.push_back(rule.name);
    EXPECT_TRUE(rule.check(host, request, kStandard)) << rule.name;
    EXPECT_FALSE(rule.check(plain_host(1), request, kStandard)) << rule.name;
  }
  EXPECT_THAT(names,
              testing::ElementsAre("accepting", "disk-type", "topology", "cpu", "memory", "disk"));
}

TEST(Fits, RefusesTheLargestRequestThatThereIs) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  Request request = plain_request();
  request.vcpus = VcpuCount(kMost);
  EXPECT_THAT(refused_for(plain_host(1), request), testing::StartsWith("cpu"));
  request = plain_request();
  request.memory = Bytes(kMost);
  EXPECT_THAT(refused_for(plain_host(1), request), testing::StartsWith("memory"));
  request = plain_request();
  request.disk = Bytes(kMost);
  EXPECT_THAT(refused_for(plain_host(1), request), testing::StartsWith("disk"));
}

RC_GTEST_PROP(Fits, MoreUseNeverMakesARequestFit, ()) {
  const CpuLimits limits = any_limits();
  HostLoad host = any_host(1);
  const Request request = any_request();
  RC_PRE(first_refusal(host, request, limits).has_value());
  const Request other = any_request();
  host.vcpus_used[other.cpu_class] += other.vcpus;
  host.memory_used += other.memory;
  host.disk_used += other.disk;
  RC_ASSERT(first_refusal(host, request, limits).has_value());
}

}  // namespace
}  // namespace stellwerk::placement
