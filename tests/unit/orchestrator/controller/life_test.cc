// Update, rename, reset, resize, protection and the timeline of an instance.
#include <gmock/gmock.h>

#include "drivers/store/memory/memory_store.h"
#include "orchestrator/controller/cell_state.h"
#include "tests/unit/orchestrator/controller/cell_harness.h"

namespace stellwerk::controller {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class InstanceLife : public ::testing::Test {
 protected:
  void SetUp() override {
    host_ = cell_.connect_host("host-1", gibibytes(16));
    cell_.import_image();
    for (const char* id : {"small", "large"}) {
      const bool large = std::string(id) == "large";
      ASSERT_TRUE(
          cell_
              .run(CreateFlavor{
                  .id = id, .vcpus = VcpuCount(large ? 2 : 1), .memory = gibibytes(large ? 4 : 1)})
              .ok());
    }
  }
  Instance book(DesiredState desired = DesiredState::kRunning) {
    CreateInstance create = CellHarness::web();
    create.flavor = "small";
    create.desired = desired;
    uid_ = cell_.create(create).uid;
    return now();
  }
  const Instance& now() const { return cell_.state().instances.at(uid_); }
  void report(Phase phase) {
    cell_.report(host_,
                 {.instance = uid_, .observed = {.phase = phase, .generation = now().generation}});
  }
  void stop() {
    ASSERT_TRUE(cell_.run(StopInstance{"default", "web-1"}).ok());
    report(Phase::kStopped);
  }
  UpdateInstance update() const { return {.project = "default", .id = "web-1"}; }
  absl::StatusOr<Answer> resize(std::string flavor, std::optional<Bytes> disk = std::nullopt) {
    return cell_.run(ResizeInstance{"default", "web-1", std::move(flavor), disk});
  }
  std::string user_data() const {
    const auto found = cell_.table().find(records::user_data_key(uid_));
    return found == cell_.table().end() ? "none" : found->second;
  }
  std::vector<TimelineEntry> timeline(const std::string& id = "web-1") {
    return std::get<InstanceView>(*cell_.read(GetInstance{"default", id})).timeline;
  }

  CellHarness cell_;
  HostUid host_;
  InstanceUid uid_;
};

TEST_F(InstanceLife, AnUpdateChangesWhatItNamesAndNothingElse) {
  const Instance before = book();
  UpdateInstance labels = update();
  labels.labels = Labels{{"app", "web"}};
  ASSERT_TRUE(cell_.run(labels).ok());
  UpdateInstance policy = update();
  policy.restart_policy = RestartPolicy::kNever;
  ASSERT_TRUE(cell_.run(policy).ok());
  EXPECT_EQ(now().labels, (Labels{{"app", "web"}}));
  EXPECT_EQ(now().restart_policy, RestartPolicy::kNever);
  EXPECT_EQ(now().desired, before.desired);
  EXPECT_EQ(now().generation, Generation(3));
  EXPECT_EQ(cell_.log().back().events.back().message, "restart policy never");
}

TEST_F(InstanceLife, AnUpdateReplacesIngressRulesAndRepeatingItChangesNothing) {
  book();
  UpdateInstance rules = update();
  rules.ingress = {{.protocol = IpProtocol::kTcp, .ports = {22, 22}, .from = {}}};
  ASSERT_TRUE(cell_.run(rules).ok());
  EXPECT_EQ(now().ingress, *rules.ingress);
  EXPECT_EQ(now().generation, Generation(2));
  EXPECT_EQ(cell_.log().back().events.back().message, "1 ingress rules");
  ASSERT_TRUE(cell_.run(rules).ok());
  EXPECT_EQ(now().generation, Generation(2));
  rules.ingress->clear();
  ASSERT_TRUE(cell_.run(rules).ok());
  EXPECT_THAT(now().ingress, IsEmpty());
}

// An end that is being reported would otherwise be taken for one of before.
TEST_F(InstanceLife, OnlyOrdersToRunOrStopBeginANewRun) {
  book();
  UpdateInstance quiet = update();
  quiet.labels = Labels{{"app", "web"}};
  quiet.restart_policy = RestartPolicy::kNever;
  quiet.delete_protection = true;
  ASSERT_TRUE(cell_.run(quiet).ok());
  ASSERT_TRUE(cell_.run(RenameInstance{"default", "web-1", "shop"}).ok());
  ASSERT_TRUE(cell_.run(RenameInstance{"default", "shop", "web-1"}).ok());
  EXPECT_EQ(now().run, Generation(1));
  ASSERT_TRUE(cell_.run(RebootInstance{"default", "web-1"}).ok());
  EXPECT_EQ(now().run, Generation(2));
  ASSERT_TRUE(cell_.run(ResetInstance{"default", "web-1"}).ok());
  stop();
  ASSERT_TRUE(cell_.run(StartInstance{"default", "web-1"}).ok());
  EXPECT_EQ(now().run, Generation(5));
}

TEST_F(InstanceLife, AnUpdateOfNothingNewIsNoChange) {
  book();
  UpdateInstance same = update();
  same.desired = DesiredState::kRunning;
  same.restart_policy = RestartPolicy::kOnFailure;
  same.delete_protection = false;
  same.labels = Labels{};
  ASSERT_TRUE(cell_.run(same).ok());
  EXPECT_EQ(now().generation, Generation(1));
}

TEST_F(InstanceLife, AnUpdateStartsAndStops) {
  book();
  UpdateInstance change = update();
  change.desired = DesiredState::kStopped;
  ASSERT_TRUE(cell_.run(change).ok());
  EXPECT_EQ(now().desired, DesiredState::kStopped);
  EXPECT_FALSE(now().stop_hard);
  change.desired = DesiredState::kRunning;
  ASSERT_TRUE(cell_.run(change).ok());
  EXPECT_EQ(now().desired, DesiredState::kRunning);
  EXPECT_EQ(now().run, Generation(3));
}

TEST_F(InstanceLife, AnUpdateHeedsTheEtagAndARepeatedOneIsAnsweredAlike) {
  const Instance before = book();
  UpdateInstance change = update();
  change.labels = Labels{{"app", "web"}};
  const Ticket first = cell_.submit(change, "once", etag_of(before));
  ASSERT_TRUE(cell_.answer(first).ok());
  change.labels = Labels{{"app", "shop"}};
  EXPECT_EQ(reason_of(cell_.answer(cell_.submit(change, "", etag_of(before))).status()),
            "ETAG_MISMATCH");
  change.labels = Labels{{"app", "web"}};
  const auto again = cell_.answer(cell_.submit(change, "once", etag_of(before)));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(std::get<InstanceView>(*again).instance.generation, Generation(2));
  EXPECT_EQ(now().generation, Generation(2));
}

TEST_F(InstanceLife, UserDataChangesUntilTheFirstStart) {
  book(DesiredState::kStopped);
  UpdateInstance change = update();
  change.user_data = "#cloud-config\n";
  ASSERT_TRUE(cell_.run(change).ok());
  EXPECT_TRUE(now().has_user_data);
  EXPECT_EQ(user_data(), "#cloud-config\n");
  change.user_data = "";
  ASSERT_TRUE(cell_.run(change).ok());
  EXPECT_FALSE(now().has_user_data);
  EXPECT_EQ(user_data(), "none");
  change.user_data = "#!/bin/sh\n";
  change.desired = DesiredState::kRunning;  // with its first start
  ASSERT_TRUE(cell_.run(change).ok());
  EXPECT_EQ(user_data(), "#!/bin/sh\n");
  EXPECT_TRUE(now().ever_started);
  change.user_data = "too late";
  const auto refused = cell_.run(change).status();
  EXPECT_EQ(reason_of(refused), "USER_DATA_READ");
  EXPECT_TRUE(absl::IsFailedPrecondition(refused));
  EXPECT_EQ(user_data(), "#!/bin/sh\n");
}

TEST_F(InstanceLife, UserDataStaysAfterAStartThatWasTakenBack) {
  book(DesiredState::kStopped);
  ASSERT_TRUE(cell_.run(StartInstance{"default", "web-1"}).ok());
  ASSERT_TRUE(cell_.run(StopInstance{"default", "web-1"}).ok());
  UpdateInstance change = update();
  change.user_data = "x";
  EXPECT_EQ(reason_of(cell_.run(change).status()), "USER_DATA_READ");
}

TEST_F(InstanceLife, NothingChangesWhatIsBeingDeletedOrMissing) {
  book();
  ASSERT_TRUE(cell_.run(DeleteInstance{"default", "web-1"}).ok());
  UpdateInstance labels = update();
  labels.labels = Labels{{"a", "b"}};
  EXPECT_EQ(reason_of(cell_.run(labels).status()), "BEING_DELETED");
  EXPECT_EQ(reason_of(cell_.run(RenameInstance{"default", "web-1", "x"}).status()),
            "BEING_DELETED");
  EXPECT_EQ(reason_of(cell_.run(ResetInstance{"default", "web-1"}).status()), "BEING_DELETED");
  EXPECT_EQ(reason_of(resize("large").status()), "BEING_DELETED");
  EXPECT_TRUE(absl::IsNotFound(cell_.run(RenameInstance{"default", "gone", "x"}).status()));
}

TEST_F(InstanceLife, ARenamedInstanceKeepsItsUidAndFreesItsName) {
  const Instance before = book();
  ASSERT_TRUE(cell_.run(RenameInstance{"default", "web-1", "shop"}).ok());
  EXPECT_EQ(now().id, "shop");
  EXPECT_EQ(now().claim, before.claim);
  EXPECT_EQ(now().ports, before.ports);
  EXPECT_TRUE(absl::IsNotFound(cell_.read(GetInstance{"default", "web-1"}).status()));
  EXPECT_TRUE(cell_.read(GetInstance{"default", "shop"}).ok());
  EXPECT_TRUE(cell_.read(GetInstance{"default", "web-1", uid_}).ok());
  const InstanceUid other(Uuid::v5(Uuid(), "other"));
  EXPECT_TRUE(absl::IsNotFound(cell_.read(GetInstance{"default", "shop", other}).status()));
  const Event event = cell_.log().back().events.back();
  EXPECT_EQ(event.type, "InstanceRenamed");
  EXPECT_EQ(event.resource, "projects/default/instances/shop");
  EXPECT_EQ(event.message, "was web-1");
  EXPECT_EQ(cell_.orders.back().instances.front().id, "shop");
  cell_.create(CellHarness::web());  // the name is free again
  EXPECT_EQ(std::get<Page<InstanceView>>(*cell_.read(ListInstances{"default", {}})).items.size(),
            2u);
}

TEST_F(InstanceLife, ARenameNeedsAFreeAndLawfulName) {
  book();
  CreateInstance other = CellHarness::web("other");
  other.flavor = "small";
  cell_.create(other);
  EXPECT_EQ(reason_of(cell_.run(RenameInstance{"default", "web-1", "other"}).status()),
            "NAME_TAKEN");
  const auto wrong = cell_.run(RenameInstance{"default", "web-1", "-x"}).status();
  EXPECT_EQ(violations_of(wrong).at(0).field, "new_instance_id");
  ASSERT_TRUE(cell_.run(RenameInstance{"default", "web-1", "web-1"}).ok());
  EXPECT_EQ(now().generation, Generation(1));
}

TEST_F(InstanceLife, ARepeatedRenameIsAnsweredAlike) {
  book();
  const RenameInstance rename{"default", "web-1", "shop"};
  const auto first = cell_.answer(cell_.submit(rename, "same"));
  const auto second = cell_.answer(cell_.submit(rename, "same"));
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(records::encode(std::get<InstanceView>(*second).instance),
            records::encode(std::get<InstanceView>(*first).instance));
}

TEST_F(InstanceLife, AResetCountsAndNeedsAnInstanceThatShallRun) {
  book();
  ASSERT_TRUE(cell_.run(ResetInstance{"default", "web-1"}).ok());
  EXPECT_EQ(now().reboot, (RebootOrder{1, RebootKind::kReset}));
  EXPECT_EQ(cell_.log().back().events.back().type, "InstanceResetRequested");
  stop();
  EXPECT_EQ(reason_of(cell_.run(ResetInstance{"default", "web-1"}).status()), "NOT_RUNNING");
}

TEST_F(InstanceLife, AStoppedInstanceIsResizedAsAWhole) {
  book();
  stop();
  const Generation before = now().generation;
  ASSERT_TRUE(resize("large", gibibytes(9)).ok());
  EXPECT_EQ(now().flavor_id, "large");
  EXPECT_EQ(now().vcpus, VcpuCount(2));
  EXPECT_EQ(now().memory, gibibytes(4));
  EXPECT_EQ(now().boot_disk, gibibytes(9));
  EXPECT_EQ(now().claim.vcpus, VcpuCount(2));
  EXPECT_EQ(now().claim.memory, memory_with_overhead(gibibytes(4), VcpuCount(2)));
  EXPECT_EQ(now().claim.disk, gibibytes(9));
  EXPECT_EQ(now().generation, before.next());
  const auto host = std::get<HostView>(*cell_.read(GetHost{"host-1"}));
  EXPECT_EQ(host.memory_used, now().claim.memory);
  EXPECT_EQ(host.disk_used, gibibytes(9));
  EXPECT_EQ(host.vcpus_used.at(CpuClass::kShared), VcpuCount(2));
  EXPECT_EQ(cell_.log().back().events.back().message,
            "flavor large instead of small, boot disk 9 GiB instead of 2 GiB");
  report(Phase::kStopped);
  ASSERT_TRUE(resize("small").ok());
  EXPECT_EQ(now().boot_disk, gibibytes(9)) << "the disk stays";
  EXPECT_EQ(now().claim.memory, memory_with_overhead(gibibytes(1), VcpuCount(1)));
}

TEST_F(InstanceLife, OnlyWhatIsSeenToBeStoppedIsResized) {
  book();
  const auto running = resize("large").status();
  EXPECT_EQ(reason_of(running), "NOT_STOPPED");
  ASSERT_TRUE(cell_.run(StopInstance{"default", "web-1"}).ok());
  report(Phase::kStopping);
  EXPECT_THAT(std::string(message_of(resize("large").status())), HasSubstr("stopping"));
  cell_.report(host_, {.instance = uid_,
                       .observed = {.phase = Phase::kStopped, .generation = Generation(1)}});
  EXPECT_EQ(reason_of(resize("large").status()), "NOT_STOPPED") << "of older orders";
  report(Phase::kStopped);
  cell_.pass(std::chrono::seconds(31));
  EXPECT_EQ(reason_of(resize("large").status()), "NOT_STOPPED") << "its host is not heard";
}

TEST_F(InstanceLife, ADiskNeverShrinks) {
  book();
  stop();
  const auto smaller = resize("large", gibibytes(1)).status();
  EXPECT_EQ(reason_of(smaller), "DISK_WOULD_SHRINK");
  EXPECT_THAT(std::string(message_of(smaller)), AllOf(HasSubstr("2 GiB"), HasSubstr("1 GiB"),
                                                      HasSubstr("leave the disk's size out")));
  ASSERT_TRUE(cell_
                  .run(CreateFlavor{.id = "tight",
                                    .vcpus = VcpuCount(1),
                                    .memory = gibibytes(1),
                                    .disks = FlavorDisks{.count = 1, .size = gibibytes(1)}})
                  .ok());
  EXPECT_THAT(std::string(message_of(resize("tight").status())),
              AllOf(HasSubstr("flavor tight"), HasSubstr("1 GiB"),
                    HasSubstr("a flavor with a larger disk")));
  EXPECT_EQ(now().boot_disk, gibibytes(2));
}

TEST_F(InstanceLife, ResizesThatMakeNoSenseAreRefusedByField) {
  book();
  stop();
  EXPECT_EQ(violations_of(resize("no-such").status()).at(0).field, "flavor");
  EXPECT_EQ(violations_of(resize("large", gibibytes(1 << 20)).status()).at(0).field,
            "boot_disk_bytes");
  ASSERT_TRUE(cell_
                  .run(CreateFlavor{.id = "fixed",
                                    .vcpus = VcpuCount(1),
                                    .memory = gibibytes(1),
                                    .disks = FlavorDisks{.count = 1, .size = gibibytes(5)}})
                  .ok());
  EXPECT_EQ(violations_of(resize("fixed", gibibytes(6)).status()).at(0).field, "boot_disk_bytes");
  ASSERT_TRUE(resize("fixed").ok());
  EXPECT_EQ(now().boot_disk, gibibytes(5));
}

TEST_F(InstanceLife, AResizeThatDoesNotFitChangesNothingAndSaysWhatIsShort) {
  book();
  stop();
  ASSERT_TRUE(
      cell_.run(CreateFlavor{.id = "huge", .vcpus = VcpuCount(2), .memory = gibibytes(32)}).ok());
  const Instance before = now();
  const auto refused = resize("huge").status();
  EXPECT_EQ(reason_of(refused), "NO_HOST_FITS");
  EXPECT_THAT(std::string(message_of(refused)),
              AllOf(HasSubstr("the host of web-1"), HasSubstr("memory"), HasSubstr("16 GiB")));
  EXPECT_EQ(records::encode(now()), records::encode(before));
}

// What it has does not stand in the way of what it gets.
TEST_F(InstanceLife, AResizeGivesTheOldClaimBackFirst) {
  for (const char* id : {"twelve", "fourteen"}) {
    const bool more = std::string(id) == "fourteen";
    ASSERT_TRUE(
        cell_
            .run(CreateFlavor{.id = id, .vcpus = VcpuCount(1), .memory = gibibytes(more ? 14 : 12)})
            .ok());
  }
  CreateInstance create = CellHarness::web();
  create.flavor = "twelve";
  uid_ = cell_.create(create).uid;
  stop();
  EXPECT_TRUE(resize("fourteen").ok());
}

TEST_F(InstanceLife, AResizeAsksTheLimitsForTheDifference) {
  book();
  stop();
  UpdateProject limit{.id = "default", .limits = {Limit::kMemory}};
  limit.values.memory = gibibytes(3);
  ASSERT_TRUE(cell_.run(limit).ok());
  const auto refused = resize("large").status();
  EXPECT_EQ(reason_of(refused), "QUOTA_EXCEEDED");
  EXPECT_THAT(std::string(message_of(refused)),
              HasSubstr("memory: 3 GiB asked, 2 GiB left of 3 GiB (1 GiB used)"));
  limit.values.memory = gibibytes(4);
  ASSERT_TRUE(cell_.run(limit).ok());
  EXPECT_TRUE(resize("large").ok());
}

TEST_F(InstanceLife, ProtectionRefusesDeletionAndSaysHowToLiftIt) {
  CreateInstance create = CellHarness::web();
  create.delete_protection = true;
  uid_ = cell_.create(create).uid;
  const auto refused = cell_.run(DeleteInstance{"default", "web-1"}).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(refused));
  EXPECT_EQ(reason_of(refused), "DELETE_PROTECTED");
  EXPECT_THAT(std::string(message_of(refused)), HasSubstr("--delete-protection off"));
  UpdateInstance lift = update();
  lift.delete_protection = false;
  ASSERT_TRUE(cell_.run(lift).ok());
  EXPECT_TRUE(cell_.run(DeleteInstance{"default", "web-1"}).ok());
}

TEST_F(InstanceLife, ListsCanBeFilteredByLabels) {
  for (const char* id : {"a", "b", "c"}) {
    CreateInstance create = CellHarness::web(id);
    create.flavor = "small";
    create.labels = {{"app", "web"}, {"tier", id}};
    cell_.create(create);
  }
  const auto listed = [&](Labels labels, PageRequest page = {}) {
    std::vector<std::string> ids;
    const auto answer = cell_.read(ListInstances{"default", page, std::move(labels)});
    for (const auto& view : std::get<Page<InstanceView>>(*answer).items) {
      ids.push_back(view.instance.id);
    }
    return ids;
  };
  EXPECT_THAT(listed({{"app", "web"}}), ElementsAre("a", "b", "c"));
  EXPECT_THAT(listed({{"app", "web"}, {"tier", "b"}}), ElementsAre("b"));
  EXPECT_THAT(listed({{"app", "web"}, {"tier", "none"}}), IsEmpty());
  EXPECT_THAT(listed({{"other", ""}}), IsEmpty());
  EXPECT_THAT(listed({{"tier", "c"}}, {.size = 1}), ElementsAre("c"));
}

TEST_F(InstanceLife, ItsTimelineTellsWhatHappenedWhyAndByWhom) {
  book();
  report(Phase::kRunning);
  ASSERT_TRUE(cell_.run(RenameInstance{"default", "web-1", "shop"}).ok());
  const auto entries = timeline("shop");
  ASSERT_EQ(entries.size(), 3u);
  EXPECT_EQ(entries[0].type, "InstanceCreated");
  EXPECT_EQ(entries[0].caller, "root");
  EXPECT_THAT(entries[0].message, HasSubstr("flavor small"));
  EXPECT_EQ(entries[1].message, "running");
  EXPECT_EQ(entries[1].caller, "");
  EXPECT_EQ(entries[2].message, "was web-1");
  const auto page = std::get<Page<InstanceView>>(*cell_.read(ListInstances{"default", {}}));
  EXPECT_THAT(page.items.front().timeline, IsEmpty());
}

TEST_F(InstanceLife, AnotherInstanceOfTheSameNameHasATimelineOfItsOwn) {
  book();
  ASSERT_TRUE(cell_.run(DeleteInstance{"default", "web-1"}).ok());
  report(Phase::kDeleted);
  EXPECT_THAT(cell_.state().timelines.of(uid_), IsEmpty()) << "nobody can ask for it any more";
  book();
  EXPECT_EQ(timeline().size(), 1u);
}

TEST_F(InstanceLife, WhatIsNoInstanceHasNoTimeline) {
  EXPECT_THAT(cell_.event_types(), Contains("FlavorCreated"));
  EXPECT_EQ(cell_.state().timelines.size(), 0u);
}

TEST_F(InstanceLife, ItsTimelineIsThereAgainWhenAControllerLoadsTheCell) {
  book();
  ASSERT_TRUE(cell_.run(DeleteInstance{"default", "web-1"}).ok());
  report(Phase::kDeleted);
  book();
  report(Phase::kRunning);
  store::MemoryStore store;
  store::Batch batch;
  for (const auto& [key, value] : cell_.table()) batch.puts.push_back({key, value});
  // One that cannot be read costs what it told alone.
  batch.puts.push_back({records::log_key(Sequence(1'000'000)), "rubbish"});
  const auto loaded =
      load_cell(store, *store.commit(*store.take_over(std::nullopt, Uuid()), batch));
  ASSERT_TRUE(loaded.ok()) << describe(loaded.status());
  EXPECT_THAT(timeline(), testing::SizeIs(2));
  EXPECT_EQ(loaded->timelines.of(uid_), timeline());
  EXPECT_EQ(loaded->timelines.size(), 2u) << "of the instance that is gone, too";
}

}  // namespace
}  // namespace stellwerk::controller
