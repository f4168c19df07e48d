#include "core/resource_names.h"

#include <gtest/gtest.h>

namespace stellwerk {
namespace {

TEST(ResourceNames, AreWrittenAfterTheirPatterns) {
  EXPECT_EQ(project_name("p"), "projects/p");
  EXPECT_EQ(instance_name("p", "web-1"), "projects/p/instances/web-1");
  EXPECT_EQ(image_name("p", "i"), "projects/p/images/i");
  EXPECT_EQ(network_name("p", "flat"), "projects/p/networks/flat");
  EXPECT_EQ(flavor_name("SCS-2V-8"), "flavors/SCS-2V-8");
  EXPECT_EQ(host_name("node1.example.org"), "hosts/node1.example.org");
  EXPECT_EQ(group_name("p", "web"), "projects/p/groups/web");
  EXPECT_EQ(site_name("dc1"), "sites/dc1");
  EXPECT_EQ(zone_name("dc1/a"), "sites/dc1/zones/a");
  EXPECT_EQ(rack_name("dc1/a/r07"), "sites/dc1/zones/a/racks/r07");
  EXPECT_EQ(feed_name("dc1/f1"), "sites/dc1/feeds/f1");
}

TEST(ResourceNames, OfPathsThatAreNoneAreStillNames) {
  EXPECT_EQ(zone_name(""), "sites//zones/");
  EXPECT_EQ(rack_name("dc1"), "sites/dc1/zones//racks/");
  EXPECT_EQ(rack_name("a/b/c/d"), "sites/a/zones/b/racks/c/d");
}

}  // namespace
}  // namespace stellwerk
