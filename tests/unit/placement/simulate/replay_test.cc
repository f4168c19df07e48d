#include "placement/simulate/replay.h"

#include <gmock/gmock.h>

#include "fixtures.h"

namespace stellwerk::placement::simulate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

ReplaySettings waiting() {
  ReplaySettings settings = first_fit();
  settings.on_full = OnFull::kWait;
  return settings;
}

TEST(Replay, AveragesOverTheWindow) {
  // Two hosts until 50, one until 100; both are needed at first.
  const Report report = replayed(
      trace_of({"0,100,a,p,2,2048,0", "0,50,b,p,4,4096,0", "100,,c,p,1,1024,0"}), small_fleet(3));
  EXPECT_EQ(report.placed, 3);
  EXPECT_EQ(report.rejected, 0);
  EXPECT_EQ(report.hosts, 3);
  EXPECT_EQ(report.rows, 3);
  EXPECT_EQ(report.window, (Window{0, 100}));
  EXPECT_DOUBLE_EQ(report.time_avg_hosts_used, 1.5);
  EXPECT_EQ(report.peak_hosts_used, 2);
  EXPECT_DOUBLE_EQ(report.bound_time_avg_hosts, 1.5);
  EXPECT_EQ(report.bound_peak_hosts, 2);
  EXPECT_DOUBLE_EQ(report.time_avg_vcpu_load, (6 * 0.5 + 2 * 0.5) / 12);
  EXPECT_DOUBLE_EQ(report.time_avg_memory_load, (6144 * 0.5 + 2048 * 0.5) / (3 * 8192));
  EXPECT_DOUBLE_EQ(report.asked_vcpu_seconds, 200 + 200);
}

TEST(Replay, DeparturesComeBeforeArrivalsOfTheSameSecond) {
  const Report report = replayed(
      trace_of({"0,10,a,p,4,8192,0", "10,20,b,p,4,8192,0", "20,20,c,p,4,1,0", "20,30,d,p,4,1,0"}),
      small_fleet(1));
  EXPECT_EQ(report.placed, 4);
  EXPECT_EQ(report.peak_hosts_used, 1);
}

TEST(Replay, RejectsWhatFitsNowhereAndSaysWhy) {
  const Report report = replayed(
      trace_of({"0,100,a,p,4,1024,0", "10,60,b,p,2,1024,0", "20,30,c,p,5,1,0", "100,,d,p,1,1,0"}),
      small_fleet(1));
  EXPECT_EQ(report.placed, 2);
  EXPECT_EQ(report.rejected, 2);
  EXPECT_THAT(report.rejections, ElementsAre(Pair(Reason::kTooLarge, 1), Pair(Reason::kVcpus, 1)));
  EXPECT_DOUBLE_EQ(report.rejected_vcpu_seconds, 2 * 50 + 5 * 10);
  EXPECT_DOUBLE_EQ(report.rejected_vcpu_fraction(), 150.0 / 550);
  EXPECT_DOUBLE_EQ(report.bound_of_demand.time_average,
                   (10 + 10 * 2 + 10 * 3 + 30 * 2 + 40) / 100.);
  EXPECT_EQ(report.bound_of_demand.peak, 3);
}

TEST(Replay, CountsRejectedTimeWithinTheWindowAlone) {
  const Report report =
      replayed(trace_of({"0,,a,p,4,1024,0", "10,,b,p,2,1024,0", "20,,c,p,1,1,0"}), small_fleet(1));
  EXPECT_DOUBLE_EQ(report.rejected_vcpu_seconds, 2 * 10 + 0);
  EXPECT_DOUBLE_EQ(report.asked_vcpu_seconds, 4 * 20 + 2 * 10);
}

TEST(Replay, WhoWaitsKeepsItsLifetime) {
  const Trace trace = trace_of({"0,100,a,p,4,1,0", "10,60,b,p,4,1,0", "20,30,c,p,4,1,0"});
  const Report report = replayed(trace, small_fleet(1), waiting());
  EXPECT_EQ(report.placed, 3);
  EXPECT_EQ(report.rejected, 0);
  EXPECT_EQ(report.waited, 2);
  EXPECT_EQ(report.total_wait_s, 90 + 130);
  EXPECT_EQ(report.longest_wait_s, 130);
}

TEST(Replay, NobodyOvertakesInTheQueue) {
  const Trace trace = trace_of({"0,100,a,p,3,1,0", "10,20,b,p,4,1,0", "20,30,c,p,1,1,0"});
  const Report report = replayed(trace, small_fleet(1), waiting());
  EXPECT_EQ(report.total_wait_s, 90 + 90);  // c would have fitted at once
}

TEST(Replay, PriorityDecidesAmongThoseWhoCameTogether) {
  const auto wait = [](std::string_view second, std::string_view third) {
    return replayed(trace_of({"0,100,a,p,4,1,0", second, third}), small_fleet(1), waiting())
        .total_wait_s;
  };
  EXPECT_EQ(wait("10,60,b,p,4,1,0", "10,20,c,p,4,1,0"), 90 + 140);
  EXPECT_EQ(wait("10,60,b,p,4,1,0", "10,20,c,p,4,1,5"), 90 + 100);
  EXPECT_EQ(wait("10,60,b,p,4,1,0", "11,21,c,p,4,1,5"), 90 + 139);  // it came later
}

TEST(Replay, WhatCouldNeverRunKeepsNobodyWaiting) {
  const Trace trace = trace_of({"0,100,a,p,4,1,0", "10,20,b,p,5,1,0", "20,30,c,p,1,1,0"});
  const Report report = replayed(trace, small_fleet(1), waiting());
  EXPECT_THAT(report.rejections, ElementsAre(Pair(Reason::kTooLarge, 1)));
  EXPECT_EQ(report.total_wait_s, 80);
}

TEST(Replay, WhoStillWaitsAtTheEndIsRejected) {
  const Report report = replayed(trace_of({"0,,a,p,4,1,0", "10,20,b,p,4,1,0", "15,16,c,p,4,1,0"}),
                                 small_fleet(1), waiting());
  EXPECT_EQ(report.placed, 1);
  EXPECT_EQ(report.total_wait_s, 0);
  EXPECT_THAT(report.rejections, ElementsAre(Pair(Reason::kStillWaiting, 2)));
}

TEST(Replay, MeasuresStrandedCapacity) {
  // The memory of one host is full: its two free vCPUs are lost to everybody from 50 to 100.
  const Report report = replayed(
      trace_of({"0,50,z,p,4,8192,0", "50,,a,p,2,8192,0", "100,,c,p,4,1024,0"}), small_fleet(1));
  EXPECT_EQ(report.smallest_common_size, (Volume{2, 8192}));
  EXPECT_DOUBLE_EQ(report.stranded_vcpu_fraction, 0.25);
  EXPECT_DOUBLE_EQ(report.stranded_memory_fraction, 0);
}

TEST(Replay, KeepsGroups) {
  const auto placed = [](std::string_view policy) {
    TraceParser parser("t");
    EXPECT_TRUE(parser.take(std::string(kColumns) + ",group,group_policy,group_level").ok());
    for (int i = 0; i < 3; ++i) {
      EXPECT_TRUE(parser.take(fmt::format("0,,a{},p,1,1,0,g,{},rack", i, policy)).ok());
    }
    return replayed(*parser.finish(), small_fleet(2));
  };
  const Report hard = placed("anti-affinity");
  EXPECT_EQ(hard.placed, 2);
  EXPECT_EQ(hard.peak_hosts_used, 2);
  EXPECT_THAT(hard.rejections, ElementsAre(Pair(Reason::kGroup, 1)));
  const Report soft = placed("soft-anti-affinity");
  EXPECT_EQ(soft.placed, 3);
  EXPECT_EQ(soft.peak_hosts_used, 2);
  EXPECT_EQ(placed("affinity").peak_hosts_used, 1);
}

TEST(Replay, AGroupCountsItsMembersOnlyWhileTheyRun) {
  const Trace trace =
      trace_of({"0,10,a,p,1,1,0,g,anti-affinity", "10,20,b,p,1,1,0,g,anti-affinity"},
               std::string(kColumns) + ",group,group_policy");
  EXPECT_EQ(replayed(trace, small_fleet(1)).placed, 2);
}

TEST(Replay, KeepsNodesAndDevices) {
  const auto fleet = generate_fleet(
      {.hosts = 1, .host_vcpus = 4, .host_memory_mib = 8192, .host_numa_nodes = 2, .host_gpus = 1});
  const std::string columns = std::string(kColumns) + ",numa_nodes,gpus";
  const Report report = replayed(
      trace_of({"0,,a,p,2,4096,0,1,1", "1,,b,p,1,1,0,,1", "2,,c,p,2,2,0,2,"}, columns), *fleet);
  EXPECT_EQ(report.placed, 1);
  EXPECT_THAT(report.rejections, ElementsAre(Pair(Reason::kNuma, 1), Pair(Reason::kDevices, 1)));
}

TEST(Replay, FailoverKeepsRoomOnAnotherHost) {
  ReplaySettings settings = first_fit();
  settings.cell.guarantee = DomainLevel::kRack;
  const Trace trace = trace_of({"0,,a,p,2,4096,0", "1,,b,p,2,4096,0", "2,,c,p,1,1,0"});
  const Report report = replayed(trace, small_fleet(2), settings);
  EXPECT_EQ(report.placed, 2);
  EXPECT_EQ(replayed(trace, small_fleet(2)).placed, 3);
  EXPECT_THAT(replayed(trace, small_fleet(1), settings).rejections,
              ElementsAre(Pair(Reason::kFailover, 3)));
}

TEST(Replay, MeasuresDecisionsWithTheGivenStopwatch) {
  const Report report =
      replayed(trace_of({"0,,a,p,4,1,0", "1,,b,p,4,1,0", "2,,c,p,1,1,0"}), small_fleet(1));
  EXPECT_EQ(report.decisions, 3);
  EXPECT_DOUBLE_EQ(report.decisions_per_second, 1e6);
  EXPECT_GE(report.latency.p50, 1000);
  EXPECT_LE(report.latency.p999, 1032);
}

TEST(Replay, ChoosesByPolicy) {
  const Trace trace = trace_of({"0,,a,p,1,1,0", "1,,b,p,1,1,0"});
  ReplaySettings settings = first_fit();
  EXPECT_EQ(replayed(trace, small_fleet(2), settings).peak_hosts_used, 1);
  settings.cell.policy = Policy::kWorstFit;
  EXPECT_EQ(replayed(trace, small_fleet(2), settings).peak_hosts_used, 2);
}

TEST(Replay, TellsHowFarItIs) {
  std::vector<size_t> told;
  const auto report = Replay::run(trace_of({"0,,a,p,1,1,0"}), small_fleet(1), first_fit(),
                                  ticking(), [&](size_t rows) { told.push_back(rows); });
  EXPECT_THAT(told, ElementsAre(0));
}

TEST(Replay, RefusesAFleetWithoutHosts) {
  const auto report =
      Replay::run(trace_of({"0,,a,p,1,1,0"}), FleetPlan(), first_fit(), ticking(), nullptr);
  EXPECT_THAT(describe(report.status()), HasSubstr("the fleet has no host"));
}

}  // namespace
}  // namespace stellwerk::placement::simulate
