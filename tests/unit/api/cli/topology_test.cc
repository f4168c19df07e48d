// Sites, zones, racks and feeds, and what operators enter of hosts.
#include "harness.h"

namespace stellwerk::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Topology : public CliTest {
 protected:
  Topology() {
    v1::Site site;
    site.set_name("sites/dc1");
    site.set_zone_count(1);
    site.set_rack_count(2);
    site.set_host_count(3);
    site.set_feed_count(4);
    *site.mutable_create_time() = seconds_ago(7200);
    daemon.script().sites = {site};
    v1::Zone zone;
    zone.set_name("sites/dc1/zones/a");
    daemon.script().zones = {zone};
    v1::Feed feed;
    feed.set_name("sites/dc1/feeds/f1");
    feed.set_budget_watts(40'000);
    daemon.script().feeds = {feed};
    v1::Rack rack;
    rack.set_name("sites/dc1/zones/a/racks/r07");
    rack.add_feeds("sites/dc1/feeds/f1");
    rack.add_feeds("sites/dc1/feeds/f2");
    rack.set_power_limit_watts(8'000);
    rack.set_host_count(3);
    *rack.mutable_create_time() = seconds_ago(7200);
    daemon.script().racks = {rack};
    v1::Host host;
    host.set_name("hosts/node-1");
    host.set_etag("7");
    host.set_state(v1::Host::READY);
    host.set_rack("sites/dc1/zones/a/racks/r07");
    host.set_idle_watts(120);
    host.set_peak_watts(600);
    host.set_maintenance(true);
    (*host.mutable_labels())["gpu"] = "l40s";
    host.set_bandwidth_megabits_per_second(25'000);
    daemon.script().hosts = {host};
  }
  std::string request() { return daemon.calls().back().request; }
};

TEST_F(Topology, ListsAreTables) {
  EXPECT_EQ(run({"site", "list"}).out,
            "NAME   ZONES   RACKS   HOSTS   FEEDS   AGE\n"
            "dc1    1       2       3       4       2 h\n");
  EXPECT_EQ(run({"rack", "list"}).out,
            "NAME        FEEDS            POWER LIMIT   HOSTS   AGE\n"
            "dc1/a/r07   dc1/f1, dc1/f2   8 kW          3       2 h\n");
  EXPECT_THAT(request(), HasSubstr("parent: \"sites/-/zones/-\""));
  run({"rack", "list", "dc1"});
  EXPECT_THAT(request(), HasSubstr("parent: \"sites/dc1/zones/-\""));
  run({"rack", "list", "dc1/a"});
  EXPECT_THAT(request(), HasSubstr("parent: \"sites/dc1/zones/a\""));
  EXPECT_THAT(run({"feed", "list", "dc1"}).out, HasSubstr("dc1/f1   40 kW"));
  EXPECT_THAT(request(), HasSubstr("parent: \"sites/dc1\""));
  EXPECT_THAT(run({"zone", "list"}).out, HasSubstr("dc1/a"));
  EXPECT_THAT(request(), HasSubstr("parent: \"sites/-\""));
  EXPECT_THAT(run({"rack", "list", "-o", "json"}).out, HasSubstr("\"powerLimitWatts\": \"8000\""));
}

TEST_F(Topology, CreatesByPath) {
  EXPECT_EQ(run({"site", "create", "dc2"}).code, 0);
  EXPECT_THAT(request(), HasSubstr("site_id: \"dc2\""));
  EXPECT_EQ(run({"zone", "create", "dc1/b"}).code, 0);
  EXPECT_THAT(request(), HasSubstr("parent: \"sites/dc1\" zone_id: \"b\""));
  EXPECT_EQ(run({"feed", "create", "dc1/f1", "--budget", "40kW"}).code, 0);
  EXPECT_THAT(request(), HasSubstr("feed_id: \"f1\" feed { budget_watts: 40000 }"));
  EXPECT_EQ(run({"rack", "create", "dc1/a/r07", "--feed", "dc1/f1", "--feed", "dc1/f2",
                 "--power-limit", "8kW"})
                .code,
            0);
  EXPECT_THAT(request(), HasSubstr("parent: \"sites/dc1/zones/a\" rack_id: \"r07\" rack { "
                                   "feeds: \"sites/dc1/feeds/f1\" feeds: \"sites/dc1/feeds/f2\" "
                                   "power_limit_watts: 8000 }"));
}

TEST_F(Topology, RefusesWhatIsNoPathOrPowerBeforeItIsSent) {
  const Ran ran = run({"rack", "create", "r07"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_EQ(ran.err, "error: \"r07\" is not SITE/ZONE/RACK, such as dc1/a/r07\n");
  EXPECT_EQ(run({"feed", "create", "dc1/f1"}).code, 2);
  EXPECT_THAT(run({"feed", "create", "dc1/f1", "--budget", "40"}).err, HasSubstr("has no unit"));
  EXPECT_EQ(run({"rack", "update", "dc1/a/r07"}).code, 2);
  EXPECT_EQ(run({"rack", "update", "dc1/a/r07", "--no-feeds", "--feed", "dc1/f1"}).code, 2);
  EXPECT_TRUE(daemon.calls().empty());
}

TEST_F(Topology, UpdatesNameWhatTheyMean) {
  EXPECT_THAT(run({"rack", "update", "dc1/a/r07", "--power-limit", "none", "--etag", "7"}).out,
              HasSubstr("Power limit:   8 kW\n"));
  EXPECT_THAT(request(), HasSubstr("rack { name: \"sites/dc1/zones/a/racks/r07\" } "
                                   "update_mask { paths: \"power_limit_watts\" } etag: \"7\""));
  run({"rack", "update", "dc1/a/r07", "--no-feeds"});
  EXPECT_THAT(request(), HasSubstr("update_mask { paths: \"feeds\" }"));
  EXPECT_EQ(run({"feed", "update", "dc1/f1", "--budget", "30kW"}).code, 0);
  EXPECT_THAT(request(), HasSubstr("budget_watts: 30000 } update_mask { paths: \"budget_watts\""));
}

TEST_F(Topology, ShowsAndDeletesByPath) {
  EXPECT_THAT(run({"site", "show", "dc1"}).out, HasSubstr("Feeds:     4\n"));
  EXPECT_THAT(run({"zone", "show", "dc1/a"}).out, HasSubstr("Name:    dc1/a\n"));
  EXPECT_THAT(run({"feed", "show", "dc1/f1"}).out, HasSubstr("Budget:   40 kW\n"));
  EXPECT_THAT(run({"rack", "show", "sites/dc1/zones/a/racks/r07"}).out,
              HasSubstr("Feeds:         dc1/f1, dc1/f2\n"));
  EXPECT_EQ(run({"rack", "delete", "dc1/a/r07"}).out, "rack dc1/a/r07 is deleted\n");
  EXPECT_EQ(run({"feed", "delete", "dc1/f1"}).out, "feed dc1/f1 is deleted\n");
  EXPECT_EQ(run({"zone", "delete", "dc1/a"}).out, "zone dc1/a is deleted\n");
  EXPECT_EQ(run({"site", "delete", "dc1"}).out, "site dc1 is deleted\n");
  EXPECT_EQ(run({"site", "show", "dc9"}).code, 3);
}

TEST_F(Topology, HostsAreUpdated) {
  EXPECT_THAT(run({"host", "update", "node-1", "--label", "a=b", "--remove-label", "gpu", "--rack",
                   "dc1/a/r07", "--power", "idle=120W,peak=600W"})
                  .out,
              AllOf(HasSubstr(" READY, maintenance\n"), HasSubstr(" dc1/a/r07\n"),
                    HasSubstr(" 120 W idle, 600 W peak\n"), HasSubstr(" 25 Gbit/s\n")));
  EXPECT_THAT(request(),
              AllOf(HasSubstr("labels { key: \"a\" value: \"b\" }"), Not(HasSubstr("l40s")),
                    HasSubstr("idle_watts: 120"), HasSubstr("peak_watts: 600"),
                    HasSubstr("etag: \"7\""), HasSubstr("rack: \"sites/dc1/zones/a/racks/r07\"")));
  run({"host", "update", "node-1", "--rack", "none"});
  EXPECT_THAT(request(),
              HasSubstr("host { name: \"hosts/node-1\" } update_mask { paths: \"rack\""));
  for (const char* power : {"120W", "idle=x", "mean=1W", "idle"}) {
    EXPECT_EQ(run({"host", "update", "node-1", "--power", power}).code, 2) << power;
  }
  EXPECT_EQ(run({"host", "update", "node-1"}).code, 2);
}

TEST_F(Topology, MaintenanceIsOnOrOff) {
  EXPECT_EQ(run({"host", "maintenance", "on", "node-1"}).code, 0);
  EXPECT_THAT(request(), HasSubstr("maintenance: true } update_mask { paths: \"maintenance\""));
  EXPECT_EQ(run({"host", "maintenance", "off", "node-1"}).code, 0);
  EXPECT_THAT(request(), HasSubstr("host { name: \"hosts/node-1\" } update_mask"));
  EXPECT_EQ(run({"host", "maintenance", "maybe", "node-1"}).code, 2);
  EXPECT_THAT(run({"host", "list"}).out, HasSubstr("READY, maintenance"));
}

TEST_F(Topology, PathsAreCompleted) {
  const auto complete = [this](std::vector<std::string> words) {
    words.insert(words.begin(), "__complete");
    variables["STELLWERK_ENDPOINT"] = daemon.endpoint();
    return run_bare(words).out;
  };
  EXPECT_EQ(complete({"rack", "show", ""}), "dc1/a/r07\n");
  EXPECT_EQ(complete({"rack", "list", ""}), "dc1/a\n");
  EXPECT_EQ(complete({"zone", "list", ""}), "dc1\n");
  EXPECT_EQ(complete({"rack", "create", "x", "--feed", ""}), "dc1/f1\n");
  EXPECT_EQ(complete({"host", "update", "x", "--rack", ""}), "dc1/a/r07\n");
  EXPECT_EQ(complete({"host", "maintenance", ""}), "on\noff\n");
  EXPECT_EQ(complete({"host", "maintenance", "on", ""}), "node-1\n");
  EXPECT_EQ(complete({"site", "create", ""}), "");
}

}  // namespace
}  // namespace stellwerk::test
