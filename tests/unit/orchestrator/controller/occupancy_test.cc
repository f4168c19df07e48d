#include "orchestrator/controller/occupancy.h"

#include <gtest/gtest.h>

#include "tests/unit/orchestrator/controller/cell_harness.h"

namespace stellwerk::controller {
namespace {

// What agents report is in no record, and is not told again when the fleet changes shape.
TEST(Occupancy, KeepsWhatAgentsReportedWhenItIsBuiltAnew) {
  const HostUid uid(test_uuid("node1"));
  Host host{.uid = uid, .id = "node1"};
  host.facts = {.cores = 2,
                .threads = 2,
                .memory = gibibytes(16),
                .disk = gibibytes(100),
                .numa = {{.id = 0, .memory = gibibytes(16), .cores = {{{0}}, {{1}}}}}};
  CellState state;
  state.hosts[uid] = host;
  Occupancy occupancy({});
  occupancy.rebuild(state);
  occupancy.set_accepting(uid, true);
  occupancy.set_foreign(uid, {.domains = 1, .vcpus = VcpuCount(2), .memory = gibibytes(3)});
  occupancy.set_orphans_cpus(uid, {1});
  occupancy.set_images(gibibytes(7));
  const placement::HostLoad before = *occupancy.engine().fleet().find(uid);
  EXPECT_TRUE(before.dedicated.contains(1));
  occupancy.rebuild(state);
  const placement::HostLoad& after = *occupancy.engine().fleet().find(uid);
  EXPECT_TRUE(after.accepting);
  EXPECT_EQ(after.foreign, before.foreign);
  EXPECT_EQ(after.dedicated, before.dedicated);
  EXPECT_EQ(after.images, gibibytes(7));
  EXPECT_TRUE(placement::same_load(before, after));
  occupancy.set_orphans_cpus(uid, {});
  EXPECT_TRUE(after.dedicated.empty());
}

}  // namespace
}  // namespace stellwerk::controller
