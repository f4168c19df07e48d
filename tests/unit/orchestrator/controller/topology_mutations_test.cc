// Sites, zones, feeds and racks: what is refused, what is told, and what keeps one from going.
#include <gmock/gmock.h>

#include "tests/unit/orchestrator/controller/cell_harness.h"

namespace stellwerk::controller {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class Topology : public ::testing::Test {
 protected:
  void SetUp() override {
    expect_ok(CreateSite{"dc1"});
    expect_ok(CreateSite{"dc2"});
    expect_ok(CreateZone{"dc1", "a"});
    expect_ok(CreateFeed{"dc1", "f1", watts(40'000)});
    expect_ok(CreateFeed{"dc1", "f2", watts(40'000)});
    expect_ok(CreateFeed{"dc2", "f1", watts(40'000)});
    expect_ok(CreateRack{"dc1/a", "r07", {"dc1/f1", "dc1/f2"}, watts(8'000)});
  }
  void expect_ok(MutationBody body) {
    const auto answer = cell_.run(std::move(body));
    EXPECT_TRUE(answer.ok()) << describe(answer.status());
  }
  void expect_refused(MutationBody body, const std::string& reason, const std::string& message) {
    const absl::Status status = cell_.run(std::move(body)).status();
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << describe(status);
    EXPECT_EQ(reason_of(status), reason);
    EXPECT_EQ(message_of(status), message);
  }
  RackView rack(std::string id) { return std::get<RackView>(*cell_.read(GetRack{std::move(id)})); }
  template <class View, class List>
  std::vector<std::string> paths(List list, auto id) {
    std::vector<std::string> found;
    const absl::StatusOr<Answer> answer = cell_.read(std::move(list));
    for (const View& view : std::get<Page<View>>(*answer).items) {
      found.push_back(id(view));
    }
    return found;
  }
  std::vector<std::string> racks(std::string within) {
    return paths<RackView>(ListRacks{std::move(within), {}},
                           [](const RackView& view) { return view.rack.id; });
  }

  CellHarness cell_;
};

TEST_F(Topology, IsShownWithWhatStandsOnIt) {
  expect_ok(UpdateHost{.id = (cell_.connect_host(), "host-1"), .rack = "dc1/a/r07"});
  const auto site = std::get<SiteView>(*cell_.read(GetSite{"dc1"}));
  EXPECT_EQ(site.zones, 1);
  EXPECT_EQ(site.racks, 1);
  EXPECT_EQ(site.hosts, 1);
  EXPECT_EQ(site.feeds, 2);
  const auto zone = std::get<ZoneView>(*cell_.read(GetZone{"dc1/a"}));
  EXPECT_EQ(zone.racks, 1);
  EXPECT_EQ(zone.hosts, 1);
  EXPECT_EQ(std::get<FeedView>(*cell_.read(GetFeed{"dc1/f2"})).racks, 1);
  EXPECT_EQ(std::get<FeedView>(*cell_.read(GetFeed{"dc2/f1"})).racks, 0);
  EXPECT_THAT(rack("dc1/a/r07").feeds, ElementsAre("dc1/f1", "dc1/f2"));
  EXPECT_EQ(rack("dc1/a/r07").rack.power_limit, watts(8'000));
  EXPECT_EQ(rack("dc1/a/r07").hosts, 1);
}

TEST_F(Topology, IsListedWithinAPlaceAndNotBesideIt) {
  expect_ok(CreateZone{"dc1", "b"});
  expect_ok(CreateRack{"dc1/b", "r01", {}, {}});
  expect_ok(CreateSite{"dc10"});
  expect_ok(CreateZone{"dc10", "a"});
  expect_ok(CreateRack{"dc10/a", "r01", {}, {}});
  EXPECT_THAT(racks(""), ElementsAre("dc1/a/r07", "dc1/b/r01", "dc10/a/r01"));
  EXPECT_THAT(racks("dc1"), ElementsAre("dc1/a/r07", "dc1/b/r01"));
  EXPECT_THAT(racks("dc1/b"), ElementsAre("dc1/b/r01"));
  EXPECT_THAT(paths<ZoneView>(ListZones{"dc1", {}}, [](const auto& v) { return v.zone.id; }),
              ElementsAre("dc1/a", "dc1/b"));
  EXPECT_THAT(paths<FeedView>(ListFeeds{"dc2", {}}, [](const auto& v) { return v.feed.id; }),
              ElementsAre("dc2/f1"));
  EXPECT_THAT(paths<SiteView>(ListSites{}, [](const auto& v) { return v.site.id; }),
              ElementsAre("dc1", "dc10", "dc2"));
  EXPECT_TRUE(absl::IsNotFound(cell_.read(ListRacks{"dc9", {}}).status()));
}

TEST_F(Topology, ListsArePaged) {
  expect_ok(CreateRack{"dc1/a", "r08", {}, {}});
  auto page = std::get<Page<RackView>>(*cell_.read(ListRacks{"dc1", {.size = 1}}));
  ASSERT_THAT(page.items, SizeIs(1));
  page = std::get<Page<RackView>>(
      *cell_.read(ListRacks{"dc1", {.size = 1, .token = page.next_token}}));
  ASSERT_THAT(page.items, SizeIs(1));
  EXPECT_EQ(page.items[0].rack.id, "dc1/a/r08");
  EXPECT_EQ(page.next_token, "");
}

TEST_F(Topology, AllThatIsWrongWithARackIsToldAtOnce) {
  EXPECT_EQ(cell_.mistakes(CreateRack{"dc1/z", "R7", {"dc1/f9"}, watts(0)}),
            "rack_id: \"R7\" is not a DNS label; use 1 to 63 of a-z, 0-9 and '-', beginning and "
            "ending with a letter or digit\n"
            "parent: zone \"dc1/z\" does not exist; create it first\n"
            "rack.feeds[0]: feed \"dc1/f9\" does not exist; create it first\n"
            "rack.power_limit_watts: 0 W is out of range; give 1 W to 100000 kW\n");
  EXPECT_EQ(cell_.mistakes(CreateRack{"dc1/a", "r1", {"dc1/f1", "dc1/f1", "dc2/f1"}, {}}),
            "rack.feeds: 3 given; a rack hangs on at most 2\n"
            "rack.feeds[1]: feed dc1/f1 is named twice\n"
            "rack.feeds[2]: feed dc2/f1 is of another site; name one of the rack's own\n");
  EXPECT_EQ(cell_.mistakes(UpdateRack{.id = "dc1/a/r07",
                                      .feeds = std::vector<std::string>{"dc2/f1"},
                                      .power_limit = std::optional(watts(-1))}),
            "rack.feeds[0]: feed dc2/f1 is of another site; name one of the rack's own\n"
            "rack.power_limit_watts: -1 W is out of range; give 1 W to 100000 kW\n");
}

TEST_F(Topology, AllThatIsWrongWithZonesAndFeedsIsToldAtOnce) {
  EXPECT_THAT(cell_.mistakes(CreateSite{"DC"}), HasSubstr("site_id: \"DC\" is not a DNS label"));
  const std::string zone = cell_.mistakes(CreateZone{"dc9", "A"});
  EXPECT_THAT(zone, HasSubstr("zone_id: \"A\""));
  EXPECT_THAT(zone, HasSubstr("parent: site \"dc9\" does not exist; create it first"));
  const std::string feed = cell_.mistakes(CreateFeed{"dc9", "", Milliwatts()});
  EXPECT_THAT(feed, HasSubstr("feed_id: is missing"));
  EXPECT_THAT(feed, HasSubstr("parent: site \"dc9\""));
  EXPECT_THAT(feed, HasSubstr("feed.budget_watts: 0 W is out of range"));
  for (const int64_t absurd : {int64_t{-1}, int64_t{0}, int64_t{100'000'001}}) {
    EXPECT_THAT(cell_.mistakes(UpdateFeed{"dc1/f1", watts(absurd)}),
                HasSubstr("feed.budget_watts"));
  }
}

TEST_F(Topology, ANameIsTakenOnce) {
  for (const MutationBody& body : std::vector<MutationBody>{
           CreateSite{"dc1"}, CreateZone{"dc1", "a"}, CreateFeed{"dc1", "f1", watts(1)},
           CreateRack{"dc1/a", "r07", {}, {}}}) {
    EXPECT_EQ(reason_of(cell_.run(body).status()), "NAME_TAKEN");
  }
  EXPECT_EQ(message_of(cell_.run(CreateZone{"dc1", "a"}).status()),
            "zone dc1/a exists; choose another id");
}

TEST_F(Topology, AnUpdateChangesWhatItNamesAndTellsIt) {
  expect_ok(UpdateRack{.id = "dc1/a/r07", .power_limit = std::optional<Milliwatts>()});
  EXPECT_EQ(rack("dc1/a/r07").rack.power_limit, std::nullopt);
  EXPECT_THAT(rack("dc1/a/r07").feeds, SizeIs(2)) << "they were not named";
  EXPECT_EQ(cell_.log().back().events.back().message, "power limit none (was 8 kW)");
  expect_ok(UpdateRack{.id = "dc1/a/r07", .feeds = std::vector<std::string>{"dc1/f2"}});
  EXPECT_EQ(cell_.log().back().events.back().message, "feeds dc1/f2");
  expect_ok(UpdateFeed{"dc1/f1", watts(30'500)});
  const Event event = cell_.log().back().events.back();
  EXPECT_EQ(event.type, "FeedUpdated");
  EXPECT_EQ(event.resource, "sites/dc1/feeds/f1");
  EXPECT_EQ(event.message, "budget 30.5 kW (was 40 kW)");
  EXPECT_EQ(event.caller, "root");
  const AuditEntry audit = cell_.log().back().audit.back();
  EXPECT_EQ(audit.method, "UpdateFeed");
  EXPECT_EQ(audit.resource, "sites/dc1/feeds/f1");
}

TEST_F(Topology, AnUpdateThatChangesNothingIsNoEvent) {
  const size_t before = cell_.event_types().size();
  expect_ok(UpdateFeed{"dc1/f1", watts(40'000)});
  expect_ok(UpdateRack{.id = "dc1/a/r07", .power_limit = std::optional(watts(8'000))});
  EXPECT_THAT(cell_.event_types(), SizeIs(before));
}

TEST_F(Topology, AnOldEtagIsRefusedAndARepetitionAnsweredAlike) {
  const std::string old = etag_of(rack("dc1/a/r07").rack.changed_at);
  const UpdateRack update{.id = "dc1/a/r07", .feeds = std::vector<std::string>{}};
  const auto first = cell_.answer(cell_.submit(update, "once", old));
  ASSERT_TRUE(first.ok()) << describe(first.status());
  EXPECT_EQ(reason_of(cell_.answer(cell_.submit(update, "twice", old)).status()), "ETAG_MISMATCH");
  const auto again = cell_.answer(cell_.submit(update, "once", old));
  ASSERT_TRUE(again.ok()) << describe(again.status());
  EXPECT_EQ(std::get<RackView>(*again).rack.changed_at, std::get<RackView>(*first).rack.changed_at);
  for (const MutationBody& body : std::vector<MutationBody>{
           CreateSite{"dc3"}, CreateZone{"dc2", "b"}, CreateFeed{"dc2", "f2", watts(1)},
           CreateRack{"dc1/a", "r9", {"dc1/f1"}, {}}}) {
    const std::string id = "request " + std::to_string(body.index());
    ASSERT_TRUE(cell_.answer(cell_.submit(body, id)).ok());
    const auto repeated = cell_.answer(cell_.submit(body, id));
    EXPECT_TRUE(repeated.ok()) << describe(repeated.status());
    EXPECT_EQ(repeated->index(), cell_.answer(cell_.submit(body, id))->index());
  }
}

TEST_F(Topology, GoesInTheRightOrderAlone) {
  expect_ok(UpdateHost{.id = (cell_.connect_host(), "host-1"), .rack = "dc1/a/r07"});
  expect_refused(DeleteRack{"dc1/a/r07"}, "RACK_IN_USE", "rack dc1/a/r07 has 1 host: host-1");
  expect_refused(DeleteFeed{"dc1/f1"}, "FEED_IN_USE", "feed dc1/f1 has 1 rack: dc1/a/r07");
  expect_refused(DeleteZone{"dc1/a"}, "ZONE_IN_USE", "zone dc1/a has 1 rack: dc1/a/r07");
  expect_refused(DeleteSite{"dc1"}, "SITE_IN_USE",
                 "site dc1 has 1 zone: dc1/a; 2 feeds: dc1/f1, dc1/f2");
  expect_ok(UpdateHost{.id = "host-1", .rack = ""});
  expect_ok(DeleteRack{"dc1/a/r07"});
  expect_ok(DeleteFeed{"dc1/f1"});
  expect_ok(DeleteFeed{"dc1/f2"});
  expect_ok(DeleteZone{"dc1/a"});
  expect_ok(DeleteSite{"dc1"});
  EXPECT_TRUE(absl::IsNotFound(cell_.read(GetSite{"dc1"}).status()));
  EXPECT_TRUE(absl::IsNotFound(cell_.run(DeleteSite{"dc1"}).status()));
  EXPECT_EQ(cell_.event_types().back(), "SiteDeleted");
}

TEST_F(Topology, OfManyUsersThreeAreNamed) {
  for (const char* id : {"r1", "r2", "r3", "r4"}) expect_ok(CreateRack{"dc1/a", id, {}, {}});
  expect_refused(DeleteZone{"dc1/a"}, "ZONE_IN_USE",
                 "zone dc1/a has 5 racks: dc1/a/r07, dc1/a/r1, dc1/a/r2 and 2 more");
}

TEST_F(Topology, NothingGoesOnWhichAnUnreadableRecordMayStand) {
  CellState state = cell_.state();
  for (const char* key : {"zone/x", "rack/x", "host/x"}) {
    state.invalid.emplace(key, data_loss("not a record"));
  }
  CellHarness damaged(CellHarness::default_config(), std::move(state), cell_.head());
  for (const MutationBody& body : std::vector<MutationBody>{
           DeleteSite{"dc2"}, DeleteFeed{"dc2/f1"}, DeleteZone{"dc1/a"}, DeleteRack{"dc1/a/r07"}}) {
    EXPECT_EQ(reason_of(damaged.run(body).status()), "RECORD_UNREADABLE");
  }
}

}  // namespace
}  // namespace stellwerk::controller
