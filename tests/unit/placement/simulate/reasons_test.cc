#include "placement/simulate/reasons.h"

#include <set>

#include "fixtures.h"

namespace stellwerk::placement::simulate {
namespace {

// Why the last row finds no place after all others have found one.
Reason reason(std::initializer_list<std::string_view> rows, const FleetPlan& plan,
              std::string_view columns = kColumns) {
  const Trace trace = trace_of(rows, columns);
  Cell cell(trace, plan, plan.hosts.size(), {.policy = Policy::kFirstFit}, ticking());
  const auto last = static_cast<uint32_t>(rows.size() - 1);
  for (uint32_t row = 0; row < last; ++row) EXPECT_TRUE(*cell.start(row)) << row;
  EXPECT_FALSE(*cell.start(last));
  return cell.reason_of(last);
}

TEST(Reason, NamesTheResource) {
  EXPECT_EQ(reason({"0,,a,p,3,1,0", "0,,b,p,2,1,0"}, small_fleet(1)), Reason::kVcpus);
  EXPECT_EQ(reason({"0,,a,p,1,8000,0", "0,,b,p,1,193,0"}, small_fleet(1)), Reason::kMemory);
  EXPECT_EQ(reason({"0,,a,p,3,8000,0", "0,,b,p,2,193,0"}, small_fleet(1)), Reason::kVcpusAndMemory);
}

TEST(Reason, IsFragmentationWhereNoHostHasBoth) {
  EXPECT_EQ(reason({"0,,a,p,3,1,0", "0,,b,p,2,8000,0", "0,,c,p,2,2000,0"}, small_fleet(2)),
            Reason::kFragmented);
}

TEST(Reason, IsTheSizeWhereNoHostIsSoLarge) {
  EXPECT_EQ(reason({"0,,b,p,5,1,0"}, small_fleet(1)), Reason::kTooLarge);
  EXPECT_EQ(reason({"0,,b,p,1,8193,0"}, small_fleet(1)), Reason::kTooLarge);
  EXPECT_EQ(reason({"0,,b,p,1,1,0,1"}, small_fleet(1), std::string(kColumns) + ",gpus"),
            Reason::kTooLarge);
  EXPECT_EQ(reason({"0,,b,p,1,1,0,1"}, small_fleet(1), std::string(kColumns) + ",numa_nodes"),
            Reason::kTooLarge);
}

TEST(Reason, IsPowerWhereABudgetIsUsedUp) {
  FleetPlan plan = small_fleet(1);
  plan.hosts[0].power = {watts(100), watts(500)};
  plan.topology.racks[0].power_limit = watts(300);
  EXPECT_EQ(reason({"0,,a,p,2,1,0", "0,,b,p,1,1,0"}, plan), Reason::kPower);
}

TEST(Reason, IsTheGroupWhereItAloneForbids) {
  EXPECT_EQ(reason({"0,,a,p,1,1,0,g,anti-affinity", "0,,b,p,1,1,0,g,anti-affinity"}, small_fleet(1),
                   std::string(kColumns) + ",group,group_policy"),
            Reason::kGroup);
}

TEST(Reason, HasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (const Reason one : kReasons) names.insert(to_string(one));
  EXPECT_EQ(names.size(), kReasons.size());
  EXPECT_FALSE(names.contains(""));
  for (size_t i = 0; i < kReasons.size(); ++i) EXPECT_EQ(static_cast<size_t>(kReasons[i]), i);
}

}  // namespace
}  // namespace stellwerk::placement::simulate
