#include "placement/simulate/bounds.h"

#include "fixtures.h"

namespace stellwerk::placement::simulate {
namespace {

TEST(VolumeBound, IsTheLargerOfBothResources) {
  const VolumeBound bound({{4, 8192}, {4, 8192}, {4, 8192}});
  EXPECT_EQ(bound.hosts_for({0, 0}), 0);
  EXPECT_EQ(bound.hosts_for({4, 1}), 1);
  EXPECT_EQ(bound.hosts_for({5, 1}), 2);
  EXPECT_EQ(bound.hosts_for({1, 16385}), 3);
}

TEST(VolumeBound, TakesTheLargestHostsFirst) {
  const VolumeBound bound({{4, 100}, {16, 10}, {8, 50}});
  EXPECT_EQ(bound.hosts_for({16, 0}), 1);
  EXPECT_EQ(bound.hosts_for({17, 0}), 2);
  EXPECT_EQ(bound.hosts_for({0, 150}), 2);
}

TEST(VolumeBound, GoesOnBeyondTheFleet) {
  const VolumeBound bound({{4, 8}, {2, 8}});
  EXPECT_EQ(bound.hosts_for({6, 0}), 2);
  EXPECT_EQ(bound.hosts_for({7, 0}), 3);
  EXPECT_EQ(bound.hosts_for({11, 0}), 4);
}

TEST(Window, ReachesFromTheFirstArrivalToTheLast) {
  EXPECT_EQ(window_of(trace_of({"3,9,a,p,1,1,0", "5,900,b,p,1,1,0"}).rows()), (Window{3, 5}));
  EXPECT_EQ(window_of(trace_of({"3,9,a,p,1,1,0", "3,,b,p,1,1,0"}).rows()), (Window{3, 9}));
  EXPECT_EQ(window_of(trace_of({"3,,a,p,1,1,0"}).rows()), (Window{3, 4}));
}

TEST(Window, KnowsWhatLiesInIt) {
  const Window window{10, 20};
  EXPECT_EQ(window.overlap(0, 30), 10);
  EXPECT_EQ(window.overlap(12, kNever), 8);
  EXPECT_EQ(window.overlap(0, 5), 0);
  EXPECT_EQ(window.overlap(20, 25), 0);
}

TEST(DemandBound, CountsEverythingThatIsAsked) {
  // 6 vCPUs until 50, then 2 until 100, then 9.
  const Trace trace =
      trace_of({"0,100,a,p,2,1,0", "0,50,b,p,4,1,0", "40,40,zero,p,99,1,0", "100,200,c,p,9,1,0"});
  const VolumeBound bound({{4, 8192}, {4, 8192}});
  const DemandBound demand = bound_of_demand(trace.rows(), bound, window_of(trace.rows()));
  EXPECT_DOUBLE_EQ(demand.time_average, 1.5);
  EXPECT_EQ(demand.peak, 3);
}

}  // namespace
}  // namespace stellwerk::placement::simulate
