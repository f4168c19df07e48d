// What stands in the way of a change to what feeds, racks and hosts give and draw. Host-1 stands in
// a rack of two feeds of 1 kW each.
#include "tests/unit/orchestrator/controller/cell_of_hosts.h"

namespace stellwerk::controller {
namespace {

class PowerChecks : public CellOfHosts {
 protected:
  PowerChecks() {
    make({UpdateHost{.id = "host-1", .labels = {}, .idle = watts(600), .peak = watts(800)}});
  }
  std::string refusal(MutationBody body) {
    const absl::Status status = cell_.run(std::move(body)).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << describe(status);
    EXPECT_EQ(reason_of(status), "POWER_EXCEEDED");
    return std::string(message_of(status));
  }
};

TEST_F(PowerChecks, ABudgetBelowWhatAFeedMayHaveToCarryIsRefused) {
  EXPECT_EQ(refusal(UpdateFeed{"dc1/f1", watts(500)}),
            "feed dc1/f1 would have to carry 600 W when another feed fails, and its budget is "
            "500 W: it feeds 1 rack: dc1/a/r01 (600 W); give it a budget of at least 600 W, or "
            "take 100 W from it first");
  EXPECT_EQ(cell_.state().feeds.size(), 2U);
  make({UpdateFeed{"dc1/f1", watts(600)}});
}

TEST_F(PowerChecks, ALimitBelowWhatARackDrawsIsRefused) {
  EXPECT_EQ(refusal(UpdateRack{"dc1/a/r01", {}, {{watts(500)}}}),
            "rack dc1/a/r01 would draw 600 W, and its limit is 500 W: what its hosts draw idle, "
            "their instances, and what they keep for failures; give it a limit of at least 600 W, "
            "or take 100 W from it first");
  make({UpdateRack{"dc1/a/r01", {}, {{watts(600)}}}});
}

TEST_F(PowerChecks, ARackHungOntoFeedsThatCannotCarryItIsRefused) {
  make({CreateFeed{"dc1", "small", watts(400)}});
  EXPECT_THAT(refusal(UpdateRack{"dc1/a/r01", {{"dc1/small"}}, {}}),
              testing::HasSubstr("feed dc1/small would have to carry 600 W, and its budget"));
  make({UpdateRack{"dc1/a/r01", {{"dc1/f2"}}, {}},
        UpdateRack{"dc1/a/r01", {std::vector<std::string>()}, {}}});
}

TEST_F(PowerChecks, AHostThatDrawsMoreThanIsLeftIsRefused) {
  refusal(UpdateHost{.id = "host-1", .labels = {}, .idle = watts(1001), .peak = watts(1200)});
  make({UpdateHost{.id = "host-1", .labels = {}, .idle = watts(1000), .peak = watts(1200)}});
}

TEST_F(PowerChecks, AHostIsNotMovedToWhereItsDrawIsTooMuch) {
  make({UpdateHost{.id = "host-2", .labels = {}, .idle = watts(500), .peak = watts(500)}});
  refusal(UpdateHost{.id = "host-2", .labels = {}, .rack = "dc1/a/r01"});
  make({UpdateHost{.id = "host-2", .labels = {}, .idle = watts(400), .peak = watts(500)},
        UpdateHost{.id = "host-2", .labels = {}, .rack = "dc1/a/r01"}});
}

TEST_F(PowerChecks, InstancesCountWithWhatTheyWereAdmittedFor) {
  CreateInstance create = plain();
  create.wishes.host = "host-1";
  const Instance instance = cell_.create(create);
  ASSERT_GT(instance.claim.power, Milliwatts());
  refusal(UpdateFeed{"dc1/f1", watts(600)});
  make({UpdateFeed{"dc1/f1", watts(600) + instance.claim.power}});
}

TEST_F(PowerChecks, AChangeThatMakesNothingWorseIsTakenAlsoWhereTooMuchIsDrawn) {
  CellState state = cell_.state();
  for (auto& [uid, feed] : state.feeds) feed.budget = watts(100);
  state.requests.clear();
  CellHarness over(CellHarness::default_config(), std::move(state), cell_.head());
  for (const MutationBody& body : std::vector<MutationBody>{
           UpdateFeed{"dc1/f1", watts(200)},
           UpdateHost{.id = "host-1", .labels = {}, .idle = watts(500)},
           UpdateRack{"dc1/a/r01", {}, {{watts(700)}}},
           UpdateHost{.id = "host-3", .labels = {}, .idle = watts(500), .peak = watts(900)},
           UpdateHost{.id = "host-1", .labels = {}, .rack = "dc1/b/r02"}}) {
    const auto answer = over.run(body);
    EXPECT_TRUE(answer.ok()) << describe(answer.status());
  }
}

}  // namespace
}  // namespace stellwerk::controller
