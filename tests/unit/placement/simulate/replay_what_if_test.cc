#include <gmock/gmock.h>

#include "fixtures.h"

namespace stellwerk::placement::simulate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ReplaySettings what_if(std::initializer_list<std::string_view> texts,
                       std::optional<DomainLevel> guarantee = std::nullopt) {
  ReplaySettings settings = first_fit();
  settings.cell.guarantee = guarantee;
  for (const std::string_view text : texts) {
    auto parsed = parse_what_if(text);
    EXPECT_TRUE(parsed.ok()) << describe(parsed.status());
    if (parsed.ok()) settings.what_ifs.push_back(*std::move(parsed));
  }
  return settings;
}

const Trace& two_guests() {
  static const Trace trace = trace_of(
      {"0,100,a,p,2,4096,0", "0,100,b,p,2,4096,1", "0,100,c,p,2,4096,0", "200,,d,p,1,1,0"});
  return trace;
}

TEST(ReplayWhatIf, GuestsOfALostDomainArePlacedAnewOrLost) {
  // a and b are on the first host, c on the second, which has room for one more: the urgent one.
  const Report report =
      replayed(two_guests(), small_fleet(2), what_if({"lose rack dc1/a/r01 at 40"}));
  ASSERT_EQ(report.what_ifs.size(), 1u);
  const WhatIfResult& result = report.what_ifs[0];
  ASSERT_TRUE(result.loss.has_value());
  EXPECT_EQ(result.time, 40);
  EXPECT_EQ(result.loss->hosts, 1);
  EXPECT_EQ(result.loss->guests, 2);
  EXPECT_EQ(result.loss->placed_anew, 1);
  EXPECT_EQ(result.loss->by_backup, 0);
  EXPECT_EQ(result.loss->lost.size(), 1u);
  EXPECT_THAT(result.lost, ElementsAre("a"));
  EXPECT_DOUBLE_EQ(result.lost_vcpu_seconds, 2 * 60);
  EXPECT_EQ(report.placed, 4);  // d comes when the others are gone, to the host that is left
  EXPECT_EQ(report.rejected, 0);
}

TEST(ReplayWhatIf, LostHostsTakeNobody) {
  const Trace trace = trace_of({"0,,a,p,4,1,0", "50,,b,p,4,1,0", "60,,c,p,4,1,0"});
  const Report report = replayed(trace, small_fleet(2), what_if({"lose host host-02 at 10"}));
  EXPECT_EQ(report.placed, 1);
  EXPECT_EQ(report.what_ifs[0].loss->guests, 0);
}

TEST(ReplayWhatIf, TheGuaranteeSavesEverybodyByTheirBackups) {
  // Two of the three hosts' halves are kept for each other's guests.
  const Trace trace = trace_of({"0,,a,p,2,4096,0", "1,,b,p,2,4096,0", "200,,z,p,1,1,0"});
  const Report report =
      replayed(trace, small_fleet(2), what_if({"lose rack dc1/a/r01 at 40"}, DomainLevel::kRack));
  const Loss& loss = *report.what_ifs[0].loss;
  EXPECT_EQ(loss.guests, 2);
  EXPECT_EQ(loss.by_backup, 2);
  EXPECT_EQ(loss.placed_anew, 0);
  EXPECT_TRUE(loss.lost.empty());
  EXPECT_EQ(loss.broken_backups, 0);
  EXPECT_EQ(loss.unprotected, 2);  // there is no third rack
}

TEST(ReplayWhatIf, BackupsAreRenewedWhereThereIsRoom) {
  const Trace trace = trace_of({"0,,a,p,2,4096,0", "1,,b,p,2,4096,0", "200,,z,p,1,1,0"});
  const Report report =
      replayed(trace, small_fleet(3), what_if({"lose rack dc1/a/r01 at 40"}, DomainLevel::kRack));
  EXPECT_EQ(report.what_ifs[0].loss->by_backup, 2);
  EXPECT_EQ(report.what_ifs[0].loss->unprotected, 0);
}

TEST(ReplayWhatIf, AGuaranteeOfHostsDoesNotHoldForARack) {
  auto plan =
      generate_fleet({.hosts = 4, .host_vcpus = 4, .host_memory_mib = 8192, .hosts_per_rack = 2});
  const Trace trace = trace_of({"0,,a,p,2,4096,0", "1,,b,p,2,4096,0", "200,,z,p,1,1,0"});
  const Report report =
      replayed(trace, *plan, what_if({"lose rack dc1/a/r01 at 40"}, DomainLevel::kHost));
  EXPECT_EQ(report.what_ifs[0].loss->by_backup, 0);
  EXPECT_EQ(report.what_ifs[0].loss->placed_anew, 2);
}

TEST(ReplayWhatIf, WithoutRoomForANewBackupAGuestRunsWithoutOne) {
  auto plan = generate_fleet(
      {.hosts = 2, .host_vcpus = 4, .host_memory_mib = 8192, .hosts_per_rack = 1, .sites = 2});
  const Trace trace = trace_of({"0,,a,p,4,4096,0", "200,,z,p,4,1,0"});
  const Report report =
      replayed(trace, *plan, what_if({"lose site dc1 at 40"}, DomainLevel::kHost));
  EXPECT_EQ(report.what_ifs[0].loss->placed_anew, 1);
  EXPECT_EQ(report.what_ifs[0].loss->unprotected, 1);
}

TEST(ReplayWhatIf, AddedHostsTakeGuestsFromTheirTimeOn) {
  const Trace trace = trace_of({"0,,a,p,4,1,0", "10,,b,p,4,1,0", "20,,c,p,4,1,0"});
  const auto placed = [&](std::string_view text) {
    return replayed(trace, small_fleet(1), what_if({text})).placed;
  };
  EXPECT_EQ(placed("add 1 host to rack dc1/a/r01"), 2);
  EXPECT_EQ(placed("add 2 hosts to rack dc1/a/r01"), 3);
  EXPECT_EQ(placed("add 2 hosts to rack dc1/a/r01 at 20"), 2);
  EXPECT_EQ(placed("add 2 hosts to rack dc1/a/r01 at 21"), 1);
}

TEST(ReplayWhatIf, WhoWaitsIsPlacedOnAddedHosts) {
  const Trace trace = trace_of({"0,,a,p,4,1,0", "10,,b,p,4,1,0"});
  ReplaySettings settings = what_if({"add 1 host to rack dc1/a/r01 at 50"});
  settings.on_full = OnFull::kWait;
  const Report report = replayed(trace, small_fleet(1), settings);
  EXPECT_EQ(report.placed, 2);
  EXPECT_EQ(report.total_wait_s, 40);
  EXPECT_EQ(report.what_ifs[0].hosts_added, 1);
}

TEST(ReplayWhatIf, TheyHappenInTheOrderOfTime) {
  const Report report =
      replayed(two_guests(), small_fleet(2),
               what_if({"lose rack dc1/a/r02 at 60", "add 1 host to rack dc1/a/r02 at 10",
                        "lose rack dc1/a/r01 at 40"}));
  EXPECT_EQ(report.what_ifs[0].loss->hosts, 2);
  EXPECT_EQ(report.what_ifs[0].loss->lost.size(), 3u);
  EXPECT_EQ(report.what_ifs[2].loss->lost.size(), 0u);
}

TEST(ReplayWhatIf, RefusesWhatIsNotThere) {
  const auto report = Replay::run(two_guests(), small_fleet(2), what_if({"lose site dc7 at 1"}),
                                  ticking(), nullptr);
  EXPECT_THAT(describe(report.status()), HasSubstr("no site \"dc7\""));
}

}  // namespace
}  // namespace stellwerk::placement::simulate
