// What is shown of where instances may run, and of explanations.
#include <gmock/gmock.h>

#include "api/convert/to_wire.h"

namespace stellwerk::convert {
namespace {

TEST(BookingToWire, ShowsGroupWishesAndBackup) {
  controller::InstanceView view{.project_id = "default"};
  view.instance.wishes = {.within = "dc1/a",
                          .required_labels = {{"gpu", "l40s"}, {"ssd", std::nullopt}},
                          .forbidden_labels = {{"old", ""}},
                          .cpu_baseline = "x86-64-v3",
                          .preferred_site = "dc1"};
  view.instance.failover = true;
  view.instance.backup = Backup();
  view.group_id = "apart";
  view.wished_host_id = "node-1";
  view.backup_host_id = "node-2";
  const v1::Instance wire = to_wire(view);
  EXPECT_EQ(wire.group(), "projects/default/groups/apart");
  EXPECT_EQ(wire.wishes().within(), "sites/dc1/zones/a");
  EXPECT_EQ(wire.wishes().host(), "hosts/node-1");
  EXPECT_THAT(wire.wishes().required_labels(), testing::ElementsAre("gpu=l40s", "ssd"));
  EXPECT_THAT(wire.wishes().forbidden_labels(), testing::ElementsAre("old="));
  EXPECT_EQ(wire.wishes().cpu_baseline(), "x86-64-v3");
  EXPECT_EQ(wire.wishes().preferred_site(), "sites/dc1");
  EXPECT_TRUE(wire.failover_protected());
  EXPECT_TRUE(wire.backup().protected_());
  EXPECT_EQ(wire.backup().host(), "hosts/node-2");
}

TEST(BookingToWire, SaysWhenProtectionIsLostAndNothingWhereNoneWasAsked) {
  controller::InstanceView view{.project_id = "default"};
  EXPECT_FALSE(to_wire(view).has_backup());
  EXPECT_FALSE(to_wire(view).has_wishes());
  view.instance.failover = true;
  EXPECT_TRUE(to_wire(view).has_backup());
  EXPECT_FALSE(to_wire(view).backup().protected_());
}

TEST(BookingToWire, NamesOfAnInstanceThatIsGoneOnlyItself) {
  controller::InstanceView view{.project_id = "default"};
  view.instance.id = "web-1";
  view.instance.desired = DesiredState::kDeleted;
  const v1::CreateInstancesResponse wire = to_wire(controller::InstancesView{{view}});
  ASSERT_EQ(wire.instances_size(), 1);
  EXPECT_EQ(wire.instances(0).name(), "projects/default/instances/web-1");
  EXPECT_EQ(wire.instances(0).desired_state(), v1::Instance::DELETED);
  EXPECT_EQ(wire.instances(0).flavor(), "");
  EXPECT_EQ(wire.instances(0).image(), "");
}

TEST(BookingToWire, ShowsAnExplanation) {
  controller::PlacementView view;
  view.explanation.summary = "no host has room";
  view.explanation.smallest_change = "less of it";
  view.explanation.hosts = 2;
  view.explanation.refusals = {{.rule = "memory", .hosts = 2, .words = "all of it"}};
  view.explanation.nearest = {{.id = "node-1", .rack = "dc1/a/r07", .lacks = {"4 GiB"}},
                              {.id = "node-2"}};
  const v1::ExplainPlacementResponse wire = to_wire(view);
  EXPECT_FALSE(wire.fits());
  EXPECT_EQ(wire.summary(), "no host has room");
  EXPECT_EQ(wire.smallest_change(), "less of it");
  EXPECT_EQ(wire.refusals(0).words(), "all of it");
  EXPECT_EQ(wire.nearest(0).host(), "hosts/node-1");
  EXPECT_EQ(wire.nearest(0).rack(), "sites/dc1/zones/a/racks/r07");
  EXPECT_EQ(wire.nearest(1).rack(), "");
}

}  // namespace
}  // namespace stellwerk::convert
