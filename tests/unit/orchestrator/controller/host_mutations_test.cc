// What operators enter of a host, and that the host's own reports leave it alone.
#include <gmock/gmock.h>

#include "tests/unit/orchestrator/controller/cell_harness.h"

namespace stellwerk::controller {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class Hosts : public ::testing::Test {
 protected:
  void SetUp() override {
    cell_.connect_host();
    for (const MutationBody& body : std::vector<MutationBody>{
             CreateSite{"dc1"}, CreateZone{"dc1", "a"}, CreateRack{"dc1/a", "r06", {}, {}},
             CreateRack{"dc1/a", "r07", {}, {}}}) {
      ASSERT_TRUE(cell_.run(body).ok());
    }
  }
  HostView host() { return std::get<HostView>(*cell_.read(GetHost{"host-1"})); }
  HostView update(UpdateHost update) {
    update.id = "host-1";
    const auto answer = cell_.run(std::move(update));
    EXPECT_TRUE(answer.ok()) << describe(answer.status());
    return answer.ok() ? std::get<HostView>(*answer) : HostView{};
  }

  CellHarness cell_;
};

const UpdateHost kEverything{.id = "host-1",
                             .labels = Labels{{"gpu", "l40s"}},
                             .rack = "dc1/a/r07",
                             .idle = watts(120),
                             .peak = watts(600),
                             .maintenance = true};

TEST_F(Hosts, AnUpdateChangesWhatItNamesAndTellsIt) {
  const HostView view = update(kEverything);
  EXPECT_EQ(view.rack_id, "dc1/a/r07");
  EXPECT_EQ(view.host.labels, (Labels{{"gpu", "l40s"}}));
  EXPECT_EQ(view.host.power, (HostPower{watts(120), watts(600)}));
  EXPECT_TRUE(view.host.maintenance);
  const Event event = cell_.log().back().events.back();
  EXPECT_EQ(event.type, "HostUpdated");
  EXPECT_EQ(event.resource, "hosts/host-1");
  EXPECT_EQ(event.message,
            "labels; rack dc1/a/r07 (was none); power 120 W idle, 600 W peak; maintenance on");
  EXPECT_EQ(cell_.log().back().audit.back().method, "UpdateHost");
  update({.maintenance = false});
  EXPECT_EQ(cell_.log().back().events.back().message, "maintenance off");
  EXPECT_EQ(host().rack_id, "dc1/a/r07");
  EXPECT_EQ(host().host.power.peak, watts(600));
  const size_t events = cell_.event_types().size();
  update({.labels = Labels{{"gpu", "l40s"}}, .rack = "dc1/a/r07"});
  EXPECT_THAT(cell_.event_types(), SizeIs(events)) << "nothing changed";
}

TEST_F(Hosts, WhatAnOperatorEnteredOutlivesTheHostsReportsAndTheDaemon) {
  update(kEverything);
  cell_.connect_host("host-1", gibibytes(32));
  EXPECT_EQ(host().host.facts.memory, gibibytes(32));
  EXPECT_EQ(host().rack_id, "dc1/a/r07");
  EXPECT_EQ(host().host.labels, (Labels{{"gpu", "l40s"}}));
  EXPECT_TRUE(host().host.maintenance);
  CellHarness after(CellHarness::default_config(), cell_.state(), cell_.head());
  const auto view = std::get<HostView>(*after.read(GetHost{"host-1"}));
  EXPECT_EQ(view.host.power, (HostPower{watts(120), watts(600)}));
  EXPECT_EQ(std::get<RackView>(*after.read(GetRack{"dc1/a/r07"})).hosts, 1);
}

TEST_F(Hosts, OneWithInstancesIsMovedToAnotherRack) {
  cell_.import_image();
  cell_.create(CellHarness::web());
  update({.rack = "dc1/a/r06"});
  EXPECT_EQ(update({.rack = "dc1/a/r07"}).rack_id, "dc1/a/r07");
  EXPECT_EQ(cell_.log().back().events.back().message, "rack dc1/a/r07 (was dc1/a/r06)");
  EXPECT_EQ(std::get<RackView>(*cell_.read(GetRack{"dc1/a/r06"})).hosts, 0);
  EXPECT_EQ(std::get<RackView>(*cell_.read(GetRack{"dc1/a/r07"})).hosts, 1);
  EXPECT_EQ(host().instances, 1);
}

TEST_F(Hosts, AllThatIsWrongIsToldAtOnce) {
  EXPECT_EQ(cell_.mistakes(UpdateHost{.id = "host-1",
                                      .labels = {},
                                      .rack = "dc1/a/r99",
                                      .idle = watts(700),
                                      .peak = watts(2'000'000)}),
            "host.rack: rack \"dc1/a/r99\" does not exist; create it first\n"
            "host.peak_watts: 2000 kW is out of range; give 0 W to 1000 kW\n");
  EXPECT_THAT(cell_.mistakes(UpdateHost{.id = "host-1", .labels = {}, .idle = watts(-1)}),
              HasSubstr("host.idle_watts: -1 W is out of range"));
  EXPECT_EQ(cell_.mistakes(UpdateHost{.id = "host-1", .labels = {}, .idle = watts(120)}),
            "host.peak_watts: 0 W is less than the 120 W that it draws idle\n");
  EXPECT_TRUE(absl::IsNotFound(cell_.run(UpdateHost{.id = "host-9", .rack = ""}).status()));
}

TEST_F(Hosts, AnOldEtagIsRefusedAndARepetitionAnsweredAlike) {
  const std::string old = etag_of(host().host.changed_at);
  ASSERT_TRUE(cell_.answer(cell_.submit(kEverything, "once", old)).ok());
  EXPECT_EQ(reason_of(cell_.answer(cell_.submit(kEverything, "twice", old)).status()),
            "ETAG_MISMATCH");
  const auto again = cell_.answer(cell_.submit(kEverything, "once", old));
  ASSERT_TRUE(again.ok()) << describe(again.status());
  EXPECT_EQ(std::get<HostView>(*again).rack_id, "dc1/a/r07");
}

}  // namespace
}  // namespace stellwerk::controller
