#include "placement/simulate/cell.h"

#include "fixtures.h"

namespace stellwerk::placement::simulate {
namespace {

TEST(Cell, StartsAndEndsGuests) {
  const Trace trace = trace_of({"0,,a,p,3,1,0", "0,,b,p,3,1,0"});
  const FleetPlan plan = small_fleet(1);
  Cell cell(trace, plan, 1, {}, ticking());
  EXPECT_TRUE(*cell.start(0));
  EXPECT_TRUE(cell.runs(0));
  EXPECT_FALSE(*cell.start(1));
  EXPECT_FALSE(cell.runs(1));
  EXPECT_EQ(cell.running(), 1);
  EXPECT_EQ(cell.reason_of(1), Reason::kVcpus);
  EXPECT_TRUE(cell.could_run(1));
  cell.end(0);
  EXPECT_EQ(cell.running(), 0);
  EXPECT_EQ(cell.usage().hosts_used(), 0);
  EXPECT_TRUE(*cell.start(1));
  EXPECT_EQ(cell.latency().count(), 3);
}

TEST(Cell, HostsThatAreNotYetThereTakeNobodyAndDrawNothing) {
  const Trace trace = trace_of({"0,,a,p,3,1,0", "0,,b,p,3,1,0"});
  FleetPlan plan = small_fleet(2);
  plan.hosts[1].power = {watts(100), watts(200)};
  Cell cell(trace, plan, 1, {}, ticking());
  EXPECT_TRUE(*cell.start(0));
  EXPECT_FALSE(*cell.start(1));
  EXPECT_EQ(cell.engine().fleet().racks()[1].draw, Milliwatts());
  cell.add(plan, 1, 2);
  EXPECT_EQ(cell.engine().fleet().racks()[1].draw, watts(100));
  EXPECT_TRUE(*cell.start(1));
}

TEST(Cell, TellsTheEngineTheLifetime) {
  const Trace trace = trace_of({"0,,a,p,3,1,0,60"}, std::string(kColumns) + ",lifetime_hint_s");
  const FleetPlan plan = small_fleet(1);
  Cell cell(trace, plan, 1, {}, ticking());
  EXPECT_TRUE(*cell.start(0));
}

}  // namespace
}  // namespace stellwerk::placement::simulate
