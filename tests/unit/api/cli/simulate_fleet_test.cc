#include "api/cli/simulate_fleet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/cli/exit_code.h"

namespace stellwerk::cli {
namespace {

using placement::simulate::FleetPlan;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kPlaces = R"([[site]]
name = "dc1"
[[zone]]
name = "dc1/a"
[[feed]]
name = "dc1/f1"
budget_watts = 5000
[[rack]]
name = "dc1/a/r01"
)";

FleetPlan parsed(std::string_view text) {
  auto plan = parse_fleet(text, "f.toml");
  EXPECT_TRUE(plan.ok()) << describe(plan.status());
  return plan.ok() ? *std::move(plan) : FleetPlan();
}

std::string why(std::string_view text) {
  const auto plan = parse_fleet(text, "f.toml");
  EXPECT_EQ(exit_code_of(plan.status()), ExitCode::kUsage);
  return describe(plan.status());
}

// The mistake of a host in the rack that there is.
std::string why_host(std::string_view keys) {
  return why(std::string(kPlaces) + "[[host]]\nname = \"h\"\nrack = \"dc1/a/r01\"\n" +
             std::string(keys));
}

TEST(FleetFile, ListsWhereHostsStandAndWhatTheyAre) {
  const FleetPlan plan = parsed(R"(
oversubscription = 3
[[site]]
name = "dc1"
[[zone]]
name = "dc1/a"
[[feed]]
name = "dc1/f1"
budget_watts = 5000
[[feed]]
name = "dc1/f2"
budget_watts = 6000
[[rack]]
name = "dc1/a/r01"
feeds = ["dc1/f2", "dc1/f1"]
limit_watts = 4000
[[host]]
name = "h"
count = 2
rack = "dc1/a/r01"
cores = 8
threads = 16
memory_mib = 65536
disk_gib = 100
numa_nodes = 2
gpus = 4
idle_watts = 120
peak_watts = 450
labels = { cpu = "amd", age = "new" }
[[host]]
name = "k"
rack = "dc1/a/r01"
vcpus = 4
memory_mib = 1024
)");
  EXPECT_EQ(plan.oversubscription, 3);
  ASSERT_EQ(plan.topology.feeds.size(), 2u);
  EXPECT_EQ(plan.topology.feeds[1].budget, watts(6000));
  const Rack& rack = plan.topology.racks[0];
  EXPECT_THAT(rack.feeds, ElementsAre(plan.topology.feeds[1].uid, plan.topology.feeds[0].uid));
  EXPECT_EQ(rack.power_limit, watts(4000));
  EXPECT_EQ(rack.zone, plan.topology.zones[0].uid);
  EXPECT_EQ(plan.topology.zones[0].site, plan.topology.sites[0].uid);
  ASSERT_EQ(plan.hosts.size(), 3u);
  const Host& host = plan.hosts[1];
  EXPECT_EQ(host.id, "h-2");
  EXPECT_EQ(host.rack, rack.uid);
  EXPECT_EQ(host.facts.cores, 8);
  EXPECT_EQ(host.facts.threads, 16);
  EXPECT_EQ(host.facts.memory, mebibytes(65536));
  EXPECT_EQ(host.facts.disk, gibibytes(100));
  EXPECT_EQ(host.facts.numa.size(), 2u);
  EXPECT_THAT(host.facts.devices, ElementsAre(DeviceCount{"gpu", 4}));
  EXPECT_EQ(host.power, (HostPower{watts(120), watts(450)}));
  EXPECT_EQ(host.labels, (Labels{{"age", "new"}, {"cpu", "amd"}}));
  EXPECT_EQ(plan.hosts[2].facts.cores, 4);
  EXPECT_EQ(plan.hosts[2].facts.threads, 4);
}

TEST(FleetFile, GeneratesHosts) {
  const FleetPlan plan = parsed(
      "[generate]\nhosts = 5\nhost_vcpus = 64\nhost_memory_mib = 1024\nhosts_per_rack = 2\n"
      "sites = 2\nhost_numa_nodes = 2\nhost_gpus = 1\noversubscription = 4\n");
  EXPECT_EQ(plan.hosts.size(), 5u);
  EXPECT_EQ(plan.topology.racks.size(), 3u);
  EXPECT_EQ(plan.topology.sites.size(), 2u);
  EXPECT_EQ(plan.hosts[0].facts.numa.size(), 2u);
  EXPECT_EQ(plan.hosts[0].facts.devices.size(), 1u);
  EXPECT_EQ(plan.oversubscription, 4);
}

TEST(FleetFile, NamesTheLineOfWhatIsNoToml) {
  EXPECT_THAT(why("a = 1\nb = \n"), HasSubstr("f.toml:2: "));
}

TEST(FleetFile, KnowsItsKeys) {
  EXPECT_THAT(why_host("vcpus = 4\nmemory_mb = 4\n"), HasSubstr("f.toml:10: host.memory_mib: is "
                                                                "missing (and 1 more)"));
  EXPECT_THAT(why_host("vcpus = 4\nmemory_mib = 4\nmemory_mb = 4\n"),
              HasSubstr("f.toml:15: host: \"memory_mb\" is no key of it; did you mean "
                        "\"memory_mib\"?"));
  EXPECT_THAT(why("[[hots]]\nname = \"h\"\n"),
              HasSubstr("f.toml:1: fleet: \"hots\" is no key of it; did you mean \"host\"?"));
  EXPECT_THAT(why("[[site]]\nname = \"dc1\"\nid = 3\n"), HasSubstr("f.toml:3: site: \"id\""));
  EXPECT_THAT(why("host = 3\n"), HasSubstr("write [[host]] for each"));
  EXPECT_THAT(why("generate = 3\n"), HasSubstr("is no table; write [generate]"));
}

TEST(FleetFile, HasAHost) {
  EXPECT_THAT(why(kPlaces), HasSubstr("there is no host; write [[host]] or [generate]"));
  EXPECT_THAT(why(""), HasSubstr("there is no host"));
}

TEST(FleetFile, NamesEverythingOnce) {
  EXPECT_THAT(why("[[site]]\nname = \"dc1\"\n[[site]]\nname = \"dc1\"\n"),
              HasSubstr("f.toml:4: site.name: \"dc1\" is there already"));
  EXPECT_THAT(why_host("vcpus = 1\nmemory_mib = 1\n[[host]]\nname = \"h\"\nrack = \"dc1/a/r01\"\n"
                       "vcpus = 1\nmemory_mib = 1\n"),
              HasSubstr("f.toml:16: host.name: \"h\" is there already"));
  EXPECT_THAT(why_host("vcpus = 1\nmemory_mib = 1\n[[host]]\nname = \"h-1\"\nvcpus = 1\n"
                       "rack = \"dc1/a/r01\"\nmemory_mib = 1\n[[host]]\nname = \"h\"\nvcpus = 1\n"
                       "rack = \"dc1/a/r01\"\nmemory_mib = 1\ncount = 2\n"),
              HasSubstr("host.name: \"h-1\" is there already"));
}

TEST(FleetFile, KnowsWhatIsNamed) {
  EXPECT_THAT(why("[[zone]]\nname = \"dc1/a\"\n"),
              HasSubstr("f.toml:2: zone.name: \"dc1/a\" begins with no site of this file"));
  EXPECT_THAT(why("[[site]]\nname = \"dc1\"\n[[rack]]\nname = \"dc1/a/r01\"\n"),
              HasSubstr("f.toml:4: rack.name: \"dc1/a/r01\" begins with no zone"));
  EXPECT_THAT(why("[[site]]\nname = \"a/b\"\n"), HasSubstr("has a slash"));
  EXPECT_THAT(
      why(std::string(kPlaces) + "feeds = [\"dc1/f9\"]\n[[host]]\nname = \"h\"\nrack = \"r\"\n"),
      HasSubstr("f.toml:10: rack.feeds: there is no feed \"dc1/f9\""));
  EXPECT_THAT(why(std::string(kPlaces) +
                  "[[host]]\nname = \"h\"\nrack = \"dc1/a/r02\"\nvcpus = 1\nmemory_mib = 1\n"),
              HasSubstr("f.toml:12: host.rack: there is no rack \"dc1/a/r02\" in this file"));
  EXPECT_THAT(why(std::string(kPlaces) + "feeds = [\"dc1/f1\", \"dc1/f1\"]\n"),
              HasSubstr("is named twice"));
  EXPECT_THAT(why(std::string(kPlaces) + "feeds = [\"dc1/f1\", \"dc1/f1\", \"dc1/f1\"]\n"),
              HasSubstr("a rack has at most two"));
  EXPECT_THAT(why("[[site]]\nname = \"dc1\"\n[[site]]\nname = \"dc2\"\n[[zone]]\n"
                  "name = \"dc2/a\"\n[[feed]]\nname = \"dc1/f1\"\nbudget_watts = 1\n[[rack]]\n"
                  "name = \"dc2/a/r\"\nfeeds = [\"dc1/f1\"]\n"),
              HasSubstr("f.toml:12: rack.feeds: \"dc1/f1\" is of another site"));
}

TEST(FleetFile, ChecksEveryNumber) {
  EXPECT_THAT(why_host("vcpus = 0\nmemory_mib = 1\n"),
              HasSubstr("f.toml:13: host.vcpus: is 0; give a whole number from 1 to 65536"));
  EXPECT_THAT(why_host("vcpus = 1.5\nmemory_mib = 1\n"), HasSubstr("is no whole number"));
  EXPECT_THAT(why_host("vcpus = 1\nmemory_mib = 67108865\n"), HasSubstr("host.memory_mib: is"));
  EXPECT_THAT(why_host("memory_mib = 1\n"), HasSubstr("give either vcpus, or cores"));
  EXPECT_THAT(why_host("vcpus = 1\ncores = 1\nmemory_mib = 1\n"), HasSubstr("give either vcpus"));
  EXPECT_THAT(why_host("vcpus = 1\nthreads = 1\nmemory_mib = 1\n"), HasSubstr("goes with cores"));
  EXPECT_THAT(why_host("cores = 4\nthreads = 2\nmemory_mib = 1\n"),
              HasSubstr("host.threads: is 2, less than the 4 cores"));
  EXPECT_THAT(why_host("vcpus = 1\nmemory_mib = 1\nnuma_nodes = 2\n"),
              HasSubstr("more than the 1 cores"));
  EXPECT_THAT(why_host("vcpus = 1\nmemory_mib = 1\nidle_watts = 9\npeak_watts = 8\n"),
              HasSubstr("8 W at peak is less than 9 W idle"));
  EXPECT_THAT(why_host("vcpus = 1\nmemory_mib = 1\nlabels = { a = 1 }\n"),
              HasSubstr("\"a\" has no string as its value"));
  EXPECT_THAT(why_host("vcpus = 1\nmemory_mib = 1\ncount = 100001\n"), HasSubstr("host.count: is"));
  EXPECT_THAT(why("oversubscription = 0\n"), HasSubstr("fleet.oversubscription: is 0"));
  EXPECT_THAT(why("[[site]]\nname = \"a b\"\n"), HasSubstr("printable characters without spaces"));
}

TEST(FleetFile, IsListedOrGenerated) {
  EXPECT_THAT(
      why(std::string(kPlaces) + "[generate]\nhosts = 1\nhost_vcpus = 1\nhost_memory_mib = 1\n"),
      HasSubstr("a fleet is listed or generated, not both"));
  EXPECT_THAT(why("[generate]\nhosts = 1\n"), HasSubstr("generate.host_vcpus: is missing"));
  EXPECT_THAT(why("[generate]\nhosts = 1\nhost_vcpus = 1\nhost_memory_mib = 1\nrow = 1\n"),
              HasSubstr("f.toml:5: generate: \"row\" is no key"));
  EXPECT_THAT(why("[generate]\nhosts = 1\nhost_vcpus = 1\nhost_memory_mib = 1\n"
                  "host_numa_nodes = 2\n"),
              HasSubstr("host-numa-nodes: 2 asked"));
}

TEST(FleetFile, CannotBeAbsent) {
  EXPECT_THAT(describe(read_fleet("/nowhere/f.toml").status()), HasSubstr("No such file"));
  EXPECT_THAT(describe(read_fleet("/tmp").status()), HasSubstr("it is a directory"));
}

}  // namespace
}  // namespace stellwerk::cli
