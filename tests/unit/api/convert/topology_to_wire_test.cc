// Sites, zones, racks, feeds and groups as they go over the wire.
#include <gtest/gtest.h>

#include "api/convert/to_wire.h"

namespace stellwerk::convert {
namespace {

TEST(TopologyToWire, WritesARackWithItsFeeds) {
  controller::RackView view{.rack = {.uid = {}, .zone = {}, .id = "dc1/a/r07"},
                            .feeds = {"dc1/f1", "dc1/f2"},
                            .hosts = 3};
  view.rack.changed_at = Sequence(7);
  v1::Rack wire = to_wire(view);
  EXPECT_EQ(wire.name(), "sites/dc1/zones/a/racks/r07");
  EXPECT_EQ(wire.etag(), etag_of(Sequence(7)));
  EXPECT_EQ(wire.feeds(1), "sites/dc1/feeds/f2");
  EXPECT_EQ(wire.host_count(), 3);
  EXPECT_FALSE(wire.has_power_limit_watts());
  view.rack.power_limit = watts(8'000);
  EXPECT_EQ(to_wire(view).power_limit_watts(), 8'000);
}

TEST(TopologyToWire, WritesSitesZonesAndFeeds) {
  const v1::Site site = to_wire(
      controller::SiteView{.site = {.id = "dc1"}, .zones = 1, .racks = 2, .hosts = 3, .feeds = 4});
  EXPECT_EQ(site.name(), "sites/dc1");
  EXPECT_EQ(site.zone_count(), 1);
  EXPECT_EQ(site.rack_count(), 2);
  EXPECT_EQ(site.host_count(), 3);
  EXPECT_EQ(site.feed_count(), 4);
  const v1::Zone zone =
      to_wire(controller::ZoneView{.zone = {.id = "dc1/a"}, .racks = 2, .hosts = 3});
  EXPECT_EQ(zone.name(), "sites/dc1/zones/a");
  EXPECT_EQ(zone.rack_count(), 2);
  EXPECT_EQ(zone.host_count(), 3);
  const v1::Feed feed =
      to_wire(controller::FeedView{.feed = {.id = "dc1/f1", .budget = watts(40'000)}, .racks = 2});
  EXPECT_EQ(feed.name(), "sites/dc1/feeds/f1");
  EXPECT_EQ(feed.budget_watts(), 40'000);
  EXPECT_EQ(feed.rack_count(), 2);
}

TEST(TopologyToWire, WritesAGroupWithItsMembers) {
  controller::GroupView view{.group = {.id = "web"}, .project_id = "p", .count = 1, .members = {}};
  view.group.rules = {{.level = DomainLevel::kZone, .hard = false, .most_per_domain = 2},
                      {.policy = GroupPolicy::kAffinity, .level = DomainLevel::kSite}};
  view.group.labels = {{"tier", "gold"}};
  view.members = {{.instance_id = "web-1", .host_id = "node1"}};
  const v1::Group wire = to_wire(view);
  EXPECT_EQ(wire.name(), "projects/p/groups/web");
  EXPECT_EQ(wire.rules(0).policy(), v1::Group::ANTI_AFFINITY);
  EXPECT_EQ(wire.rules(0).level(), v1::Group::ZONE);
  EXPECT_TRUE(wire.rules(0).soft());
  EXPECT_EQ(wire.rules(0).most_per_domain(), 2);
  EXPECT_EQ(wire.rules(1).policy(), v1::Group::AFFINITY);
  EXPECT_FALSE(wire.rules(1).soft());
  EXPECT_FALSE(wire.rules(1).has_most_per_domain());
  EXPECT_EQ(wire.labels().at("tier"), "gold");
  EXPECT_EQ(wire.member_count(), 1);
  EXPECT_EQ(wire.members(0).instance(), "projects/p/instances/web-1");
  EXPECT_EQ(wire.members(0).host(), "hosts/node1");
}

TEST(TopologyToWire, WritesWhatIsEnteredAndReportedOfAHost) {
  controller::HostView view;
  view.host.id = "node1";
  EXPECT_EQ(to_wire(view).site(), "");
  view.rack_id = "dc1/a/r07";
  view.host.labels = {{"gpu", "l40s"}};
  view.host.power = {.idle = watts(120), .peak = watts(600)};
  view.host.maintenance = true;
  view.host.changed_at = Sequence(7);
  view.host.facts.bandwidth = MegabitsPerSecond(25'000);
  view.host.facts.devices = {{"nvidia-l40s", 4}};
  view.host.facts.cpu_baselines = {"x86-64-v2"};
  view.host.facts.numa = {{.id = 0, .memory = {}, .cores = {}, .pages_2mib = 8, .pages_1gib = 2}};
  const v1::Host wire = to_wire(view);
  EXPECT_EQ(wire.rack(), "sites/dc1/zones/a/racks/r07");
  EXPECT_EQ(wire.zone(), "sites/dc1/zones/a");
  EXPECT_EQ(wire.site(), "sites/dc1");
  EXPECT_EQ(wire.labels().at("gpu"), "l40s");
  EXPECT_EQ(wire.idle_watts(), 120);
  EXPECT_EQ(wire.peak_watts(), 600);
  EXPECT_TRUE(wire.maintenance());
  EXPECT_EQ(wire.etag(), etag_of(Sequence(7)));
  EXPECT_EQ(wire.bandwidth_megabits_per_second(), 25'000);
  EXPECT_EQ(wire.devices(0).device_class(), "nvidia-l40s");
  EXPECT_EQ(wire.devices(0).count(), 4);
  EXPECT_EQ(wire.cpu_baselines(0), "x86-64-v2");
  EXPECT_EQ(wire.numa_nodes(0).pages_2mib(), 8);
  EXPECT_EQ(wire.numa_nodes(0).pages_1gib(), 2);
}

}  // namespace
}  // namespace stellwerk::convert
