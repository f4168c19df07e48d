// Commits that are lost, doubtful or refused; what a new controller finds.
#include <gmock/gmock.h>

#include "orchestrator/controller/cell_state.h"
#include "tests/unit/orchestrator/controller/cell_harness.h"

namespace stellwerk::controller {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(ControllerStore, AnUnknownOutcomeThatLandedIsAnswered) {
  CellHarness cell;
  cell.hold_commits(true);
  const Ticket ticket = cell.submit(CreateProject{.id = "town"});
  cell.land_silently();
  cell.fail_commit(deadline_exceeded("no answer from the store"));
  EXPECT_EQ(cell.head_reads, 1);
  EXPECT_FALSE(cell.answered(ticket));
  cell.input(HeadObserved{std::optional(cell.head())});
  EXPECT_TRUE(cell.answer(ticket).ok());
  EXPECT_THAT(cell.step_downs, IsEmpty());
}

TEST(ControllerStore, AnUnknownOutcomeThatDidNotLandIsCommittedAgain) {
  CellHarness cell;
  cell.hold_commits(true);
  const Ticket ticket = cell.submit(CreateProject{.id = "town"});
  const size_t commits = cell.commits;
  cell.fail_commit(deadline_exceeded("no answer from the store"));
  cell.input(HeadObserved{std::optional(cell.head())});
  EXPECT_EQ(cell.commits, commits + 1);
  cell.land();
  EXPECT_TRUE(cell.answer(ticket).ok());
}

TEST(ControllerStore, AnothersHeadMakesItStepDownWithoutAnAnswer) {
  CellHarness cell;
  cell.hold_commits(true);
  const Ticket ticket = cell.submit(CreateProject{.id = "town"});
  cell.fail_commit(deadline_exceeded("no answer from the store"));
  store::Head other = cell.head();
  other.epoch = other.epoch.next();
  cell.input(HeadObserved{std::optional(other)});
  EXPECT_THAT(cell.step_downs, SizeIs(1));
  EXPECT_FALSE(cell.answered(ticket));
  const Ticket late = cell.ask(ListProjects{});
  EXPECT_FALSE(cell.answered(late)) << "a controller that lost its cell still answers";
}

TEST(ControllerStore, AnAbortedCommitMakesItStepDown) {
  CellHarness cell;
  cell.hold_commits(true);
  cell.submit(CreateProject{.id = "town"});
  cell.fail_commit(aborted("the head is another's"));
  EXPECT_THAT(cell.step_downs, SizeIs(1));
}

TEST(ControllerStore, ARefusingStoreRefusesNewMutationsAndIsTriedAgain) {
  CellHarness cell;
  cell.hold_commits(true);
  const Ticket first = cell.submit(CreateProject{.id = "town"});
  const size_t commits = cell.commits;
  cell.fail_commit(resource_exhausted("the disk is full"));
  const Ticket second = cell.submit(CreateProject{.id = "village"});
  EXPECT_TRUE(cell.answered(second)) << "the refusal waits for the store that it complains of";
  cell.pass(std::chrono::seconds(1));
  EXPECT_EQ(cell.commits, commits + 1);
  cell.land();
  EXPECT_TRUE(cell.answer(first).ok());
  EXPECT_EQ(cell.answer(second).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(message_of(cell.answer(second).status())), HasSubstr("disk is full"));
  EXPECT_FALSE(cell.read(GetProject{"village"}).ok());
}

TEST(ControllerStore, AnImportEndsEvenWhileTheStoreRefuses) {
  CellHarness cell;
  const auto begun = cell.run(BeginImageImport{.project = "default", .id = "debian"});
  ASSERT_TRUE(begun.ok());
  cell.hold_commits(true);
  cell.submit(CreateProject{.id = "town"});
  cell.fail_commit(resource_exhausted("the disk is full"));
  const Ticket end = cell.submit(FinishImageImport{std::get<ImageView>(*begun).image.uid,
                                                   ImportedContent{.format = ImageFormat::kQcow2}});
  EXPECT_FALSE(cell.answered(end)) << "refused: the image would be half imported for ever";
  cell.hold_commits(false);
  cell.pass(std::chrono::seconds(1));
  EXPECT_TRUE(cell.answer(end).ok());
}

TEST(ControllerStore, ABatchThatCanNeverLandEndsTheProcessInsteadOfBlockingTheCell) {
  CellHarness cell;
  cell.hold_commits(true);
  cell.submit(CreateProject{.id = "town"});
  cell.fail_commit(invalid_argument("a value is too large"));
  EXPECT_THAT(cell.step_downs, SizeIs(1));
}

TEST(ControllerStore, TrimsTheLogToItsLimit) {
  ControllerConfig config = CellHarness::default_config();
  config.max_log_records = 5;
  CellHarness cell(config);
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(cell.run(CreateProject{.id = "p" + std::to_string(i)}).ok());
  }
  EXPECT_LE(cell.log().size(), 6u);
  EXPECT_EQ(cell.log().back().sequence, cell.head().sequence);
}

TEST(ControllerStore, TrimsALongLogALittleWithEveryCommit) {
  CellHarness before;
  for (int i = 0; i < 40; ++i) {
    ASSERT_TRUE(before.run(CreateProject{.id = "p" + std::to_string(i)}).ok());
  }
  ControllerConfig config = CellHarness::default_config();
  config.max_log_records = 1;
  CellHarness after(config, before.state(), before.head());
  const size_t before_commit = after.state().log.size();
  ASSERT_TRUE(after.answer(after.submit(CreateProject{.id = "next"}, "a new request")).ok());
  EXPECT_LT(after.state().log.size(), before_commit);
  EXPECT_GE(after.state().log.size(), before_commit - 8) << "one commit trims without bound";
}

TEST(ControllerStore, AnImportThatBrokeOffWithTheDaemonIsClearedUp) {
  CellState state;
  state.cell = records::Cell{.uid = CellUid(test_uuid("cell"))};
  const Project project{.uid = ProjectUid(test_uuid("default")), .id = "default"};
  state.projects.emplace(project.uid, project);
  const Image image{.uid = ImageUid(test_uuid("image")), .project = project.uid, .id = "half"};
  state.images.emplace(image.uid, image);
  CellHarness cell(CellHarness::default_config(), state);
  EXPECT_THAT(cell.image_deletions, Contains(image.uid));
  cell.input(ImageFilesDeleted{image.uid, absl::OkStatus()});
  EXPECT_THAT(cell.state().images, IsEmpty());
}

TEST(ControllerStore, AnUnreadableRecordIsLeftAloneAndReported) {
  CellState state;
  state.invalid.emplace("instance/broken", data_loss("not a record"));
  CellHarness cell(CellHarness::default_config(), state);
  EXPECT_THAT(cell.event_types(), Contains("RecordInvalid"));
  EXPECT_THAT(cell.step_downs, IsEmpty());
}

TEST(ControllerStore, UnreadableRecordsAreNotOverwrittenAndTheirAddressesNotGivenAgain) {
  CellHarness before;
  before.connect_host("host-1", gibibytes(64));
  before.import_image();
  for (int i = 0; i < 5; ++i) before.create(CellHarness::web("web-" + std::to_string(i)));
  CellState state = before.state();
  const InstanceUid lost = state.instances.begin()->first;
  state.instances.erase(lost);
  state.invalid.emplace(records::instance_key(lost), data_loss("not a record"));
  CellHarness after(CellHarness::default_config(), state, before.head());
  after.connect_host("host-1", gibibytes(64));
  EXPECT_EQ(reason_of(after.run(CellHarness::web("next")).status()), "ADDRESSES_EXHAUSTED");

  CellState bare = before.state();
  const NetworkUid network = bare.networks.begin()->first;
  bare.networks.clear();
  bare.invalid.emplace(records::network_key(network), data_loss("not a record"));
  CellHarness blind(CellHarness::default_config(), bare, before.head());
  EXPECT_FALSE(blind.table().contains(records::network_key(network)));
}

TEST(ControllerStore, ANetworkIsNotGoneWhileAHostsRecordCannotBeRead) {
  CellHarness before;
  const HostUid here = before.connect_host("host-1");
  const HostUid lost = before.connect_host("host-2");
  before
      .run(CreateNetwork{.project = "default",
                         .id = "back",
                         .bridge = "",
                         .v4 = IpPrefix::parse("10.8.0.0/24"),
                         .v6 = {}})
      .status()
      .IgnoreError();
  CellState state = before.state();
  state.hosts.erase(lost);
  state.invalid.emplace(records::host_key(lost), data_loss("not a record"));
  CellHarness after(CellHarness::default_config(), state, before.head());
  after.connect_host("host-1");
  ASSERT_TRUE(after.run(DeleteNetwork{"default", "back"}).ok());
  const auto deleting = [&] {
    for (const auto& [uid, network] : after.state().networks) {
      if (network.id == "back") return std::optional(uid);
    }
    return std::optional<NetworkUid>();
  };
  ASSERT_TRUE(deleting());
  after.report_networks_gone(here, {*deleting()});
  ASSERT_TRUE(deleting()) << "the other host may have its bridge still";
  after.connect_host("host-2");
  EXPECT_THAT(after.state().invalid, IsEmpty()) << "it has told all of it again";
  after.report_networks_gone(lost, {*deleting()});
  EXPECT_FALSE(deleting());
}

TEST(ControllerStore, AProjectThatCannotBeReadIsNobodysToTake) {
  CellHarness before;
  before.connect_host();
  before.import_image();
  before.create(CellHarness::web());
  CellState state = before.state();
  const ProjectUid lost = state.projects.begin()->first;
  state.projects.clear();
  state.invalid.emplace(records::project_key(lost), data_loss("not a record"));
  CellHarness after(CellHarness::default_config(), state, before.head());
  ASSERT_TRUE(after.run(CreateProject{.id = "unreadable"}).ok());
  EXPECT_FALSE(after.read(GetInstance{"unreadable", "web-1"}).ok());
}

// The store refuses more than 1,000 keys, and a controller whose batch is refused gives up.
TEST(ControllerStore, AReportThatWouldOverfillABatchIsTakenInParts) {
  CellHarness before;
  const HostUid host = before.connect_host();
  CellState state = before.state();
  std::vector<NetworkUid> going;
  for (int i = 0; i < 1'200; ++i) {
    const std::string id = "net-" + std::to_string(i);
    going.emplace_back(test_uuid(id));
    state.networks[going.back()] = {.uid = going.back(),
                                    .project = state.projects.begin()->first,
                                    .id = id,
                                    .state = NetworkState::kDeleting,
                                    .bridge = id};
  }
  CellHarness after(CellHarness::default_config(), std::move(state), before.head());
  ASSERT_EQ(after.connect_host(), host);
  after.report_networks_gone(host, going);
  EXPECT_GT(after.state().networks.size(), 1u) << "all of them went in one batch";
  for (int i = 0; i < 20; ++i) after.report_networks_gone(host, going);
  EXPECT_THAT(after.state().networks, SizeIs(1)) << "the rest never went";
}

TEST(ControllerStore, RefusesASubnetThatNoLongerHoldsAnInstance) {
  CellHarness before;
  before.connect_host();
  before.import_image();
  before.create(CellHarness::web());
  ControllerConfig config = CellHarness::default_config();
  config.networks[0].v4->range = *IpPrefix::parse("11.0.0.0/29");
  config.networks[0].v4->gateway.reset();
  CellHarness after(config, before.state(), before.head());
  ASSERT_THAT(after.step_downs, SizeIs(1));
  EXPECT_THAT(after.step_downs[0], HasSubstr("web-1"));
}

}  // namespace
}  // namespace stellwerk::controller
