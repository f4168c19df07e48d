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
}

}  // namespace
}  // namespace stellwerk
