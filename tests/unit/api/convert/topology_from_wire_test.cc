// Sites, zones, feeds and racks, and what operators enter of hosts, as they come over the wire.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/convert/from_wire.h"

namespace stellwerk::convert {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

template <class Body, class Request>
Body body_of(const Request& request) {
  const controller::Mutation mutation = to_mutation(request, {.caller = "root", .fresh = {}});
  EXPECT_THAT(mutation.context.violations, IsEmpty());
  return std::get<Body>(mutation.body);
}

// What is wrong, one line a field.
template <class Request>
std::string mistakes(const Request& request) {
  std::string lines;
  for (const FieldViolation& violation : to_mutation(request, {}).context.violations) {
    lines += violation.field + ": " + violation.description + "\n";
  }
  return lines;
}

TEST(TopologyFromWire, ReadsWhatIsCreated) {
  v1::CreateSiteRequest site;
  site.set_site_id("dc1");
  EXPECT_EQ(body_of<controller::CreateSite>(site).id, "dc1");
  v1::CreateZoneRequest zone;
  zone.set_parent("sites/dc1");
  zone.set_zone_id("a");
  EXPECT_EQ(body_of<controller::CreateZone>(zone).site, "dc1");
  EXPECT_EQ(body_of<controller::CreateZone>(zone).id, "a");
  v1::CreateFeedRequest feed;
  feed.set_parent("sites/dc1");
  feed.set_feed_id("f1");
  feed.mutable_feed()->set_budget_watts(40'000);
  EXPECT_EQ(body_of<controller::CreateFeed>(feed).budget, watts(40'000));
  v1::CreateRackRequest rack;
  rack.set_parent("sites/dc1/zones/a");
  rack.set_rack_id("r07");
  EXPECT_EQ(body_of<controller::CreateRack>(rack).power_limit, std::nullopt);
  rack.mutable_rack()->add_feeds("sites/dc1/feeds/f1");
  rack.mutable_rack()->set_power_limit_watts(8'000);
  const auto create = body_of<controller::CreateRack>(rack);
  EXPECT_EQ(create.zone, "dc1/a");
  EXPECT_EQ(create.id, "r07");
  EXPECT_THAT(create.feeds, ElementsAre("dc1/f1"));
  EXPECT_EQ(create.power_limit, watts(8'000));
}

TEST(TopologyFromWire, TellsEveryMistakeWithItsField) {
  v1::CreateRackRequest rack;
  rack.set_parent("sites/dc1");
  rack.set_rack_id("R");
  rack.mutable_rack()->add_feeds("dc1/f1");
  rack.mutable_rack()->set_power_limit_watts(INT64_MAX);
  EXPECT_EQ(mistakes(rack),
            "parent: \"sites/dc1\" is not the name of a zone; write sites/{site}/zones/{zone}\n"
            "rack_id: \"R\" is not a DNS label; use 1 to 63 of a-z, 0-9 and '-', beginning and "
            "ending with a letter or digit\n"
            "rack.feeds[0]: \"dc1/f1\" is not the name of a feed; write sites/{site}/feeds/{feed}\n"
            "rack.power_limit_watts: 9223372036854775807 is out of range; give 0 to 100000000\n");
  v1::CreateFeedRequest feed;
  feed.mutable_feed()->set_budget_watts(INT64_MIN);
  EXPECT_THAT(mistakes(feed), HasSubstr("feed.budget_watts: -9223372036854775808"));
  for (int i = 0; i < 17; ++i) rack.mutable_rack()->add_feeds("sites/dc1/feeds/f1");
  EXPECT_THAT(mistakes(rack), HasSubstr("rack.feeds: has 18; a rack hangs on at most 2"));
}

TEST(TopologyFromWire, AnUpdateMeansWhatItsMaskNames) {
  v1::UpdateRackRequest rack;
  rack.mutable_rack()->set_name("sites/dc1/zones/a/racks/r07");
  rack.mutable_rack()->add_feeds("sites/dc1/feeds/f1");
  auto update = body_of<controller::UpdateRack>(rack);
  EXPECT_EQ(update.id, "dc1/a/r07");
  EXPECT_EQ(update.feeds, std::vector<std::string>{"dc1/f1"});
  EXPECT_EQ(update.power_limit, std::nullopt) << "it was not set";
  rack.mutable_update_mask()->add_paths("power_limit_watts");
  update = body_of<controller::UpdateRack>(rack);
  EXPECT_EQ(update.feeds, std::nullopt);
  ASSERT_TRUE(update.power_limit.has_value());
  EXPECT_EQ(*update.power_limit, std::nullopt) << "it is lifted";
  rack.mutable_update_mask()->add_paths("host_count");
  EXPECT_THAT(mistakes(rack), HasSubstr("update_mask: \"host_count\" cannot be changed; "
                                        "changeable are: feeds, power_limit_watts"));
  v1::UpdateFeedRequest feed;
  feed.mutable_feed()->set_name("sites/dc1/feeds/f1");
  EXPECT_THAT(mistakes(feed), HasSubstr("update_mask: names nothing"));
  feed.mutable_feed()->set_budget_watts(7);
  EXPECT_EQ(body_of<controller::UpdateFeed>(feed).budget, watts(7));
}

TEST(TopologyFromWire, AHostIsUpdatedInWhatOperatorsEnter) {
  v1::UpdateHostRequest request;
  v1::Host& host = *request.mutable_host();
  host.set_name("hosts/node1");
  host.set_rack("sites/dc1/zones/a/racks/r07");
  host.set_idle_watts(120);
  host.set_peak_watts(600);
  host.set_maintenance(true);
  (*host.mutable_labels())["gpu"] = "l40s";
  host.set_cpu_model("another");  // output only
  auto update = body_of<controller::UpdateHost>(request);
  EXPECT_EQ(update.id, "node1");
  EXPECT_EQ(update.rack, "dc1/a/r07");
  EXPECT_EQ(update.idle, watts(120));
  EXPECT_EQ(update.peak, watts(600));
  EXPECT_EQ(update.maintenance, true);
  EXPECT_EQ(update.labels, (Labels{{"gpu", "l40s"}}));
  request.mutable_update_mask()->add_paths("rack");
  host.clear_rack();
  update = body_of<controller::UpdateHost>(request);
  EXPECT_EQ(update.rack, "") << "named and empty: in none";
  EXPECT_EQ(update.labels, std::nullopt);
  EXPECT_EQ(update.maintenance, std::nullopt);
  host.set_rack("r07");
  EXPECT_THAT(mistakes(request), HasSubstr("host.rack: \"r07\" is not the name of a rack"));
  request.mutable_update_mask()->add_paths("cpu_model");
  EXPECT_THAT(mistakes(request), HasSubstr("\"cpu_model\" cannot be changed"));
}

std::string within(std::string_view parent) {
  v1::ListRacksRequest request;
  request.set_parent(std::string(parent));
  const auto query = to_query(request);
  if (!query.ok()) return std::string(message_of(query.status()));
  return std::get<controller::ListRacks>(*query).within;
}

TEST(TopologyFromWire, RacksAreListedInAZoneASiteOrEverywhere) {
  EXPECT_EQ(within("sites/dc1/zones/a"), "dc1/a");
  EXPECT_EQ(within("sites/dc1/zones/-"), "dc1");
  EXPECT_EQ(within("sites/-/zones/-"), "");
  EXPECT_THAT(within("sites/dc1"), HasSubstr("is not the name of a zone"));
  EXPECT_THAT(within("sites/-/zones/a"), HasSubstr("DNS label"));
  EXPECT_THAT(within(""), HasSubstr("is missing"));
  v1::ListFeedsRequest feeds;
  feeds.set_parent("sites/-");
  EXPECT_EQ(std::get<controller::ListFeeds>(*to_query(feeds)).within, "");
  v1::ListZonesRequest zones;
  zones.set_parent("sites/dc1");
  EXPECT_EQ(std::get<controller::ListZones>(*to_query(zones)).within, "dc1");
}

TEST(TopologyFromWire, ReadsWhatIsAskedForAndDeleted) {
  v1::GetRackRequest get;
  get.set_name("sites/dc1/zones/a/racks/r07");
  EXPECT_EQ(std::get<controller::GetRack>(*to_query(get)).id, "dc1/a/r07");
  get.set_name("sites/dc1/feeds/f1");
  EXPECT_FALSE(to_query(get).ok());
  v1::DeleteFeedRequest deletion;
  deletion.set_name("sites/dc1/feeds/f1");
  EXPECT_EQ(body_of<controller::DeleteFeed>(deletion).id, "dc1/f1");
}

}  // namespace
}  // namespace stellwerk::convert
