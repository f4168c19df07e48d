// Sites, racks, feeds and groups in the ledger and in the store under it.
#include <gtest/gtest.h>

#include "drivers/store/memory/memory_store.h"
#include "orchestrator/controller/ledger.h"
#include "tests/unit/orchestrator/controller/cell_harness.h"

namespace stellwerk::controller {
namespace {

class LedgerTopology : public ::testing::Test {
 protected:
  void SetUp() override {
    ledger_.put(project_);
    ledger_.put(site_);
    ledger_.put(zone_);
    ledger_.put(feed_);
    ledger_.put(rack_);
    ledger_.put(group_);
    ledger_.put(host_);
  }
  void expect_all(const Ledger& ledger) {
    ASSERT_NE(ledger.site("dc1"), nullptr);
    ASSERT_NE(ledger.zone("dc1/a"), nullptr);
    ASSERT_NE(ledger.feed("dc1/f1"), nullptr);
    ASSERT_NE(ledger.rack("dc1/a/r07"), nullptr);
    ASSERT_NE(ledger.group("town", "web"), nullptr);
    ASSERT_NE(ledger.host("node1"), nullptr);
    EXPECT_EQ(ledger.zone("dc1/a")->site, site_.uid);
    EXPECT_EQ(ledger.feed("dc1/f1")->budget, watts(40'000));
    EXPECT_EQ(ledger.rack("dc1/a/r07")->feeds, std::vector{feed_.uid});
    EXPECT_EQ(ledger.group("town", "web")->rules, group_.rules);
    EXPECT_EQ(ledger.host("node1")->rack, rack_.uid);
    EXPECT_EQ(ledger.host("node1")->changed_at, Sequence(2)) << "the etag is the commit's";
    EXPECT_EQ(ledger.rack("dc1/a/r07")->changed_at, Sequence(2));
  }
  // What another controller finds in the store.
  Ledger load(store::MemoryStore& store, const store::Head& head) {
    auto state = load_cell(store, head);
    EXPECT_TRUE(state.ok()) << describe(state.status());
    return Ledger(*std::move(state), {}, head.sequence, 100);
  }

  const Project project_{.uid = ProjectUid(test_uuid("town")), .id = "town"};
  const Site site_{.uid = SiteUid(test_uuid("dc1")), .id = "dc1"};
  const Zone zone_{.uid = ZoneUid(test_uuid("a")), .site = site_.uid, .id = "dc1/a"};
  const Feed feed_{
      .uid = FeedUid(test_uuid("f1")), .site = site_.uid, .id = "dc1/f1", .budget = watts(40'000)};
  const Rack rack_{.uid = RackUid(test_uuid("r07")),
                   .zone = zone_.uid,
                   .id = "dc1/a/r07",
                   .feeds = {feed_.uid},
                   .power_limit = watts(8'000)};
  const Group group_{.uid = GroupUid(test_uuid("web")),
                     .project = project_.uid,
                     .id = "web",
                     .rules = {{.level = DomainLevel::kRack}}};
  const Host host_{.uid = HostUid(test_uuid("node1")), .id = "node1", .rack = rack_.uid};
  store::MemoryStore store_;
  Ledger ledger_{CellState(), {}, Sequence(1), 100};
};

TEST_F(LedgerTopology, FindsByPathWhatWasPut) {
  expect_all(ledger_);
  EXPECT_EQ(ledger_.site("dc2"), nullptr);
  EXPECT_EQ(ledger_.zone("a"), nullptr);
  EXPECT_EQ(ledger_.rack("dc1/a"), nullptr);
  EXPECT_EQ(ledger_.feed("f1"), nullptr);
  EXPECT_EQ(ledger_.group("default", "web"), nullptr);
}

TEST_F(LedgerTopology, FindsTheSameAfterANewStart) {
  const store::Head head =
      *store_.commit(*store_.take_over(std::nullopt, Uuid()), ledger_.take_batch());
  const Ledger after = load(store_, head);
  EXPECT_TRUE(after.state().invalid.empty());
  expect_all(after);
}

TEST_F(LedgerTopology, ForgetsWhatIsErasedHereAndInTheStore) {
  const store::Head head =
      *store_.commit(*store_.take_over(std::nullopt, Uuid()), ledger_.take_batch());
  ledger_.erase(group_.uid);
  ledger_.erase(rack_.uid);
  ledger_.erase(feed_.uid);
  ledger_.erase(zone_.uid);
  ledger_.erase(site_.uid);
  const store::Head next = *store_.commit(head, ledger_.take_batch());
  const Ledger after = load(store_, next);
  for (const Ledger* ledger : {&std::as_const(ledger_), &after}) {
    EXPECT_EQ(ledger->site("dc1"), nullptr);
    EXPECT_EQ(ledger->zone("dc1/a"), nullptr);
    EXPECT_EQ(ledger->feed("dc1/f1"), nullptr);
    EXPECT_EQ(ledger->rack("dc1/a/r07"), nullptr);
    EXPECT_EQ(ledger->group("town", "web"), nullptr);
    EXPECT_TRUE(ledger->state().sites.empty() && ledger->state().zones.empty() &&
                ledger->state().feeds.empty() && ledger->state().racks.empty() &&
                ledger->state().groups.empty());
  }
}

TEST_F(LedgerTopology, LeavesAloneWhatCannotBeRead) {
  const store::Head head = *store_.commit(*store_.take_over(std::nullopt, Uuid()),
                                          {.puts = {{"rack/broken", "no record"}}, .deletes = {}});
  const Ledger after = load(store_, head);
  EXPECT_TRUE(after.state().has_invalid(records::kRackPrefix));
}

}  // namespace
}  // namespace stellwerk::controller
