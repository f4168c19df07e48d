// Projects: updates, and what keeps one from going.
#include <gmock/gmock.h>

#include "tests/unit/orchestrator/controller/cell_harness.h"

namespace stellwerk::controller {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Projects : public ::testing::Test {
 protected:
  void SetUp() override {
    cell_.connect_host();
    ASSERT_TRUE(
        cell_
            .run(CreateProject{
                .id = "town", .labels = {{"owner", "registry"}}, .limits = {.instances = 5}})
            .ok());
  }
  ProjectView town() { return std::get<ProjectView>(*cell_.read(GetProject{"town"})); }
  absl::Status remove() { return cell_.run(DeleteProject{"town"}).status(); }

  CellHarness cell_;
};

TEST_F(Projects, AnUpdateChangesTheLimitsItNamesAndNoOthers) {
  UpdateProject update{.id = "town", .limits = {Limit::kMemory}};
  update.values.memory = gibibytes(8);
  update.values.instances = 99;  // not named
  ASSERT_TRUE(cell_.run(update).ok());
  EXPECT_EQ(town().project.limits, (ProjectLimits{.instances = 5, .memory = gibibytes(8)}));
  EXPECT_EQ(town().project.labels, (Labels{{"owner", "registry"}}));
  update = {.id = "town", .labels = Labels{}, .limits = {Limit::kInstances}};
  ASSERT_TRUE(cell_.run(update).ok());
  EXPECT_EQ(town().project.limits, (ProjectLimits{.memory = gibibytes(8)}));
  EXPECT_EQ(town().project.labels, Labels());
  const Event event = cell_.log().back().events.back();
  EXPECT_EQ(event.type, "ProjectUpdated");
  EXPECT_EQ(event.caller, "root");
  EXPECT_EQ(event.message, "instances no limit, labels");
}

TEST_F(Projects, AnUpdateIsRefusedUnderAnOldEtagAndAnsweredAlikeWhenRepeated) {
  const std::string old = etag_of(town().project.changed_at);
  const UpdateProject update{.id = "town", .labels = Labels{{"a", "b"}}};
  ASSERT_TRUE(cell_.answer(cell_.submit(update, "once", old)).ok());
  EXPECT_EQ(reason_of(cell_.answer(cell_.submit(update, "twice", old)).status()), "ETAG_MISMATCH");
  EXPECT_TRUE(cell_.answer(cell_.submit(update, "once", old)).ok());
  EXPECT_TRUE(absl::IsNotFound(cell_.run(UpdateProject{.id = "none"}).status()));
}

TEST_F(Projects, OneThatIsUsedStaysAndNamesItsUsers) {
  cell_.import_image("debian", gibibytes(2), "town");
  CreateInstance create = CellHarness::web();
  create.project = "town";
  cell_.create(create);
  const auto refused = remove();
  EXPECT_EQ(reason_of(refused), "PROJECT_IN_USE");
  EXPECT_THAT(std::string(message_of(refused)),
              AllOf(HasSubstr("instances: web-1"), HasSubstr("images: debian")));
}

TEST_F(Projects, OneWithANetworkStays) {
  CellState state = cell_.state();
  Network network{.uid = NetworkUid(test_uuid("lan")), .project = town().project.uid, .id = "lan"};
  network.bridge = "lan0";
  network.v4 = Subnet{.range = {IpAddress::v4(0x0A010000), 24}};
  state.networks[network.uid] = network;
  CellHarness with_network(CellHarness::default_config(), std::move(state), cell_.head());
  const auto refused =
      with_network.answer(with_network.submit(DeleteProject{"town"}, "deletion")).status();
  EXPECT_EQ(reason_of(refused), "PROJECT_IN_USE");
  EXPECT_THAT(std::string(message_of(refused)),
              AllOf(HasSubstr("networks: lan"), Not(HasSubstr("flat"))));
}

TEST_F(Projects, OneThatMayHaveAnUnreadableInstanceStays) {
  CellState state = cell_.state();
  state.invalid.emplace("instance/broken", data_loss("not a record"));
  CellHarness damaged(CellHarness::default_config(), std::move(state), cell_.head());
  const auto refused = damaged.answer(damaged.submit(DeleteProject{"town"}, "deletion")).status();
  EXPECT_EQ(reason_of(refused), "RECORD_UNREADABLE");
  EXPECT_THAT(std::string(message_of(refused)), HasSubstr("instance/broken"));
}

TEST_F(Projects, AnEmptyOneGoesAndTellsItsLastState) {
  const auto answer = cell_.run(DeleteProject{"town"});
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(std::get<ProjectView>(*answer).project.id, "town");
  EXPECT_TRUE(absl::IsNotFound(cell_.read(GetProject{"town"}).status()));
}

}  // namespace
}  // namespace stellwerk::controller
