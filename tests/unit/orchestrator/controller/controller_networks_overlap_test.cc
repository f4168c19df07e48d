// Which networks may have ranges that overlap, and in which words the others are refused.
#include <gmock/gmock.h>

#include "tests/unit/orchestrator/controller/networks_harness.h"

namespace stellwerk::controller {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

class NetworkOverlap : public ControllerNetworks {};

TEST_F(NetworkOverlap, RefusesRangesThatOverlapAnotherOfTheProjectOrTheCells) {
  make(back());
  EXPECT_EQ(mistakes(back("more", "10.8.0.128/25")),
            "network.ipv4_subnet: 10.8.0.128/25 overlaps 10.8.0.0/24 of network back; choose "
            "another range\n");
  EXPECT_THAT(mistakes(back("more", "10.0.0.0/16")), HasSubstr("of network flat"));
  CreateNetwork isolated = back("more", "10.8.0.0/24");
  isolated.isolated = true;
  EXPECT_THAT(mistakes(isolated), HasSubstr("overlaps"))
      << "a guest with a port on both could not tell them apart";
  isolated.v4 = range("10.0.0.0/24");
  EXPECT_THAT(mistakes(isolated), HasSubstr("of network flat"));
}

TEST_F(NetworkOverlap, RefusesIpv6RangesThatOverlap) {
  CreateNetwork request = back();
  request.v6 = range("fd00:8::/48");
  make(request);
  request = back("more", "10.9.0.0/24");
  request.v6 = range("fd00:8:0:7::/64");
  EXPECT_THAT(mistakes(request),
              HasSubstr("network.ipv6_subnet: fd00:8:0:7::/64 overlaps fd00:8::/48 of network"));
}

TEST_F(NetworkOverlap, LetsProjectsOverlapOnlyWhereTheHostIsNotOnBoth) {
  make_project("town");
  make(back());
  CreateNetwork theirs = back();
  theirs.project = "town";
  const std::string wrong = mistakes(theirs);
  EXPECT_THAT(wrong,
              HasSubstr("overlaps a range in use on the host; choose another range, or make the "
                        "network isolated"));
  EXPECT_THAT(wrong, Not(HasSubstr("network back"))) << "the names of others are theirs";
  theirs.isolated = true;
  make(theirs);
  EXPECT_THAT(listed(), SizeIs(2));
  EXPECT_THAT(listed("town"), SizeIs(2));
  EXPECT_THAT(listed("-"), SizeIs(3));
}

TEST_F(NetworkOverlap, LetsAProjectOverlapAnIsolatedOneOfAnother) {
  make_project("town");
  CreateNetwork theirs = back();
  theirs.project = "town";
  theirs.isolated = true;
  make(theirs);
  make(back());
}

TEST_F(NetworkOverlap, LetsProjectsOverlapOnABridgeWhereTheHostHasNoAddress) {
  make_project("town");
  make(back());
  CreateNetwork theirs = back();
  theirs.project = "town";
  theirs.bridge = "br-town";
  make(theirs);
}

TEST_F(NetworkOverlap, RefusesIpv6OfAnotherProjectWhereTheHostIsOnBoth) {
  make_project("town");
  CreateNetwork request = back();
  request.v4.reset();
  request.v6 = range("fd00:8::/64");
  make(request);
  request.project = "town";
  EXPECT_THAT(mistakes(request),
              HasSubstr("network.ipv6_subnet: fd00:8::/64 overlaps a range in use on the host"));
}

}  // namespace
}  // namespace stellwerk::controller
