// Start, stop, reboot, delete, what agents report, and repeated requests.
#include <gmock/gmock.h>

#include "tests/unit/orchestrator/controller/cell_harness.h"

namespace stellwerk::controller {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class ControllerChange : public ::testing::Test {
 protected:
  void SetUp() override {
    host_ = cell_.connect_host();
    cell_.import_image();
    instance_ = cell_.create(CellHarness::web());
  }
  const Instance& now() const { return cell_.state().instances.at(instance_.uid); }
  void report(Phase phase, std::optional<FinalEnd> end = std::nullopt) {
    cell_.report(host_, {.instance = instance_.uid,
                         .observed = {.phase = phase, .generation = now().generation},
                         .final_end = end});
  }

  CellHarness cell_;
  HostUid host_;
  Instance instance_;
};

TEST_F(ControllerChange, BumpsTheGenerationOncePerChange) {
  ASSERT_TRUE(cell_.run(StopInstance{"default", "web-1"}).ok());
  EXPECT_EQ(now().desired, DesiredState::kStopped);
  EXPECT_EQ(now().generation, Generation(2));
  ASSERT_TRUE(cell_.run(StopInstance{"default", "web-1"}).ok());
  EXPECT_EQ(now().generation, Generation(2)) << "stopping the stopped is no change";
  ASSERT_TRUE(cell_.run(StopInstance{"default", "web-1", true}).ok());
  EXPECT_TRUE(now().stop_hard);
  ASSERT_TRUE(cell_.run(StartInstance{"default", "web-1"}).ok());
  EXPECT_EQ(now().desired, DesiredState::kRunning);
  EXPECT_FALSE(now().stop_hard);
  EXPECT_EQ(now().generation, Generation(4));
}

TEST_F(ControllerChange, CountsRebootsAndRefusesThemWhenStopped) {
  ASSERT_TRUE(cell_.run(RebootInstance{"default", "web-1"}).ok());
  ASSERT_TRUE(cell_.run(RebootInstance{"default", "web-1", true}).ok());
  EXPECT_EQ(now().reboot.count, 2u);
  EXPECT_EQ(now().reboot.kind, RebootKind::kPowerCycle);
  ASSERT_TRUE(cell_.run(StopInstance{"default", "web-1"}).ok());
  EXPECT_EQ(reason_of(cell_.run(RebootInstance{"default", "web-1"}).status()), "NOT_RUNNING");
}

TEST_F(ControllerChange, KeepsTheRecordUntilTheAgentHasReportedEverythingGone) {
  ASSERT_TRUE(cell_.run(DeleteInstance{"default", "web-1"}).ok());
  EXPECT_EQ(reason_of(cell_.run(StartInstance{"default", "web-1"}).status()), "BEING_DELETED");
  report(Phase::kDeleting);
  EXPECT_TRUE(cell_.read(GetInstance{"default", "web-1"}).ok());
  cell_.report(host_, {.instance = instance_.uid,
                       .observed = {.phase = Phase::kDeleted, .generation = Generation(1)}});
  EXPECT_TRUE(cell_.read(GetInstance{"default", "web-1"}).ok()) << "an old report was believed";
  report(Phase::kDeleted);
  EXPECT_EQ(cell_.read(GetInstance{"default", "web-1"}).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_THAT(cell_.keys(records::kInstancePrefix), IsEmpty());
  EXPECT_THAT(cell_.event_types(), Contains("InstanceDeleted"));
  const auto host = cell_.read(GetHost{"host-1"});
  EXPECT_EQ(std::get<HostView>(*host).memory_used, Bytes());
  EXPECT_EQ(std::get<HostView>(*host).instances, 0);
}

TEST_F(ControllerChange, DoesNotDeleteWhatOnlyTheAgentThinksIsDeleted) {
  report(Phase::kDeleted);
  EXPECT_TRUE(cell_.read(GetInstance{"default", "web-1"}).ok());
}

TEST_F(ControllerChange, IgnoresReportsOnAnotherControllersOrders) {
  ASSERT_TRUE(cell_.run(DeleteInstance{"default", "web-1"}).ok());
  cell_.input(HostReported{
      {.host = host_,
       .epoch = Epoch(0),
       .sequence = cell_.head().sequence,
       .instances = {{.instance = instance_.uid,
                      .observed = {.phase = Phase::kDeleted, .generation = now().generation}}}}});
  EXPECT_TRUE(cell_.read(GetInstance{"default", "web-1"}).ok());
}

TEST_F(ControllerChange, AGuestShutDownFromInsideBecomesDesiredStoppedWithAnEvent) {
  report(Phase::kStopped, FinalEnd::kShutDownByGuest);
  EXPECT_EQ(now().desired, DesiredState::kStopped);
  EXPECT_EQ(now().generation, Generation(2));
  EXPECT_EQ(cell_.orders.back().instances[0].desired, DesiredState::kStopped);
  EXPECT_THAT(cell_.event_types(), Contains("InstanceEnded"));
}

TEST_F(ControllerChange, AnEndUnderOlderOrdersDoesNotUndoANewerStart) {
  const Sequence before = cell_.head().sequence;
  ASSERT_TRUE(cell_.run(StopInstance{"default", "web-1"}).ok());
  ASSERT_TRUE(cell_.run(StartInstance{"default", "web-1"}).ok());
  cell_.input(HostReported{{.host = host_,
                            .epoch = cell_.head().epoch,
                            .sequence = before,
                            .instances = {{.instance = instance_.uid,
                                           .observed = {.phase = Phase::kStopped},
                                           .final_end = FinalEnd::kShutDownByGuest}}}});
  EXPECT_EQ(now().desired, DesiredState::kRunning);
}

TEST_F(ControllerChange, WritesOneEventPerChangeOfPhase) {
  report(Phase::kStarting);
  report(Phase::kRunning);
  report(Phase::kRunning);
  std::vector<std::string> messages;
  for (const LogRecord& record : cell_.log()) {
    for (const Event& event : record.events) {
      if (event.type == "PhaseChanged") messages.push_back(event.message);
    }
  }
  EXPECT_EQ(messages, (std::vector<std::string>{"starting", "running"}));
}

TEST_F(ControllerChange, ShowsUnknownWhenTheHostFallsSilent) {
  report(Phase::kRunning);
  cell_.pass(std::chrono::seconds(31));
  const auto answer = cell_.read(GetInstance{"default", "web-1"});
  EXPECT_EQ(std::get<InstanceView>(*answer).observed.phase, Phase::kUnknown);
  EXPECT_EQ(std::get<InstanceView>(*answer).observed.reason, "HostSilent");
}

TEST_F(ControllerChange, GivesARepeatedRequestItsFirstAnswerOnce) {
  const Ticket first = cell_.submit(CellHarness::web("twin"), "same");
  const size_t events = cell_.event_types().size();
  const Ticket again = cell_.submit(CellHarness::web("twin"), "same");
  const auto a = std::get<InstanceView>(*cell_.answer(first)).instance;
  ASSERT_TRUE(cell_.answer(again).ok());
  const auto b = std::get<InstanceView>(*cell_.answer(again)).instance;
  EXPECT_EQ(a.uid, b.uid);
  EXPECT_EQ(a.changed_at, b.changed_at);
  EXPECT_EQ(cell_.event_types().size(), events) << "it was done twice";
}

TEST_F(ControllerChange, RepeatedRebootIsOneReboot) {
  cell_.submit(RebootInstance{"default", "web-1"}, "reboot");
  cell_.submit(RebootInstance{"default", "web-1"}, "reboot");
  EXPECT_EQ(now().reboot.count, 1u);
}

TEST_F(ControllerChange, RefusesARequestIdWithAnotherBody) {
  cell_.submit(StopInstance{"default", "web-1"}, "same", "", "one");
  const Ticket other = cell_.submit(StopInstance{"default", "web-1"}, "same", "", "two");
  EXPECT_EQ(cell_.answer(other).status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(reason_of(cell_.answer(other).status()), "REQUEST_ID_REUSED");
  const Ticket method = cell_.submit(StartInstance{"default", "web-1"}, "same", "", "one");
  EXPECT_EQ(reason_of(cell_.answer(method).status()), "REQUEST_ID_REUSED");
}

TEST_F(ControllerChange, ForgetsARequestAfterADay) {
  cell_.submit(RebootInstance{"default", "web-1"}, "reboot");
  const size_t kept = cell_.keys(records::kRequestPrefix).size();
  cell_.pass(std::chrono::hours(23));
  EXPECT_THAT(cell_.keys(records::kRequestPrefix), SizeIs(kept));
  cell_.pass(std::chrono::hours(2));
  EXPECT_THAT(cell_.keys(records::kRequestPrefix), IsEmpty());
  cell_.submit(RebootInstance{"default", "web-1"}, "reboot");
  EXPECT_EQ(now().reboot.count, 2u);
}

TEST_F(ControllerChange, AStaleEtagAborts) {
  const std::string etag = etag_of(now());
  ASSERT_TRUE(cell_.answer(cell_.submit(StopInstance{"default", "web-1"}, "", etag)).ok());
  const auto stale = cell_.answer(cell_.submit(StartInstance{"default", "web-1"}, "", etag));
  EXPECT_EQ(stale.status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(reason_of(stale.status()), "ETAG_MISMATCH");
  EXPECT_EQ(now().desired, DesiredState::kStopped);
}

TEST_F(ControllerChange, AnEtagTellsChangesWithinOneCommitApart) {
  cell_.hold_commits(true);
  cell_.submit(CreateProject{.id = "town"});  // in flight, so that the next two share a commit
  const Ticket stop = cell_.submit(StopInstance{"default", "web-1"});
  cell_.submit(StartInstance{"default", "web-1"});
  cell_.land();
  cell_.land();
  cell_.hold_commits(false);
  const std::string seen = etag_of(std::get<InstanceView>(*cell_.answer(stop)).instance);
  const auto late = cell_.answer(cell_.submit(DeleteInstance{"default", "web-1"}, "", seen));
  EXPECT_EQ(reason_of(late.status()), "ETAG_MISMATCH");
}

TEST_F(ControllerChange, EveryKindOfResourceHoldsToItsEtag) {
  cell_.import_image("spare");
  ASSERT_TRUE(cell_.run(CreateFlavor{.id = "SCS-1L-2"}).ok());
  ASSERT_TRUE(cell_.run(CreateProject{.id = "town"}).ok());
  const std::vector<MutationBody> deletions = {DeleteImage{"default", "spare"},
                                               DeleteFlavor{"SCS-1L-2"}, DeleteProject{"town"}};
  for (const MutationBody& deletion : deletions) {
    const auto stale = cell_.answer(cell_.submit(deletion, "", "1"));
    EXPECT_EQ(reason_of(stale.status()), "ETAG_MISMATCH") << deletion.index();
    EXPECT_TRUE(cell_.run(deletion).ok()) << deletion.index();
  }
}

TEST_F(ControllerChange, ARequestIdUnderWayInAnImportIsNotUsedTwice) {
  const Ticket first = cell_.submit(BeginImageImport{.project = "default", .id = "one"}, "same");
  const Ticket second = cell_.submit(BeginImageImport{.project = "default", .id = "two"}, "same");
  EXPECT_TRUE(cell_.answer(first).ok());
  EXPECT_EQ(reason_of(cell_.answer(second).status()), "IMPORT_UNDER_WAY");
  const Ticket other = cell_.submit(CellHarness::web("web-2"), "same");
  EXPECT_EQ(reason_of(cell_.answer(other).status()), "IMPORT_UNDER_WAY");
}

TEST_F(ControllerChange, AForgottenRequestIdDoesNotReplaceWhatItOnceMade) {
  const Ticket first = cell_.submit(CellHarness::web("one"), "same");
  const auto one = std::get<InstanceView>(*cell_.answer(first)).instance;
  cell_.pass(std::chrono::hours(25));
  cell_.report(host_, {.instance = one.uid, .observed = {.phase = Phase::kRunning}});
  const Ticket second = cell_.submit(CellHarness::web("two"), "same");
  ASSERT_TRUE(cell_.answer(second).ok()) << describe(cell_.answer(second).status());
  EXPECT_NE(std::get<InstanceView>(*cell_.answer(second)).instance.uid, one.uid);
  EXPECT_TRUE(cell_.read(GetInstance{"default", "one"}).ok());
}

TEST_F(ControllerChange, ASilentHostIsToldOfAndTakesNoGuests) {
  report(Phase::kRunning);
  cell_.pass(std::chrono::seconds(31));
  std::vector<std::string> messages;
  const std::vector<LogRecord> log = cell_.log();
  for (const Event& event : log.back().events) messages.push_back(event.message);
  EXPECT_THAT(messages, Contains(HasSubstr("HostSilent")));
  EXPECT_EQ(reason_of(cell_.run(CellHarness::web("web-2")).status()), "NO_HOST_CONNECTED");
}

TEST_F(ControllerChange, AHostTakesGuestsOnlyOnceItHasToldWhatRunsOnIt) {
  const HostUid fresh(test_uuid("host-2"));
  cell_.input(HostDisconnected{host_});
  cell_.input(HostConnected{
      {.cell = cell_.state().cell->uid,
       .host = fresh,
       .id = "host-2",
       .facts = {.cores = 4, .threads = 8, .memory = gibibytes(16), .disk = gibibytes(500)}}});
  EXPECT_EQ(reason_of(cell_.run(CellHarness::web("web-2")).status()), "NO_HOST_CONNECTED");
  cell_.input(HostReported{{.host = fresh,
                            .epoch = cell_.head().epoch,
                            .foreign = {.domains = 1, .memory = gibibytes(15)}}});
  EXPECT_EQ(reason_of(cell_.run(CellHarness::web("web-2")).status()), "NO_HOST_FITS");
}

TEST_F(ControllerChange, ForgetsManyRequestsSoonEnough) {
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(cell_.run(RebootInstance{"default", "web-1"}).ok());
  }
  cell_.pass(std::chrono::hours(25));
  for (int i = 0; i < 10; ++i) cell_.pass(std::chrono::seconds(1));
  EXPECT_THAT(cell_.keys(records::kRequestPrefix), IsEmpty());
}

TEST_F(ControllerChange, AnImageInUseIsNotDeleted) {
  const auto refused = cell_.run(DeleteImage{"default", "debian"});
  EXPECT_EQ(reason_of(refused.status()), "IMAGE_IN_USE");
  EXPECT_THAT(std::string(message_of(refused.status())), HasSubstr("web-1"));
  EXPECT_THAT(cell_.image_deletions, IsEmpty());
}

TEST_F(ControllerChange, AnUnusedImageIsForgottenAfterItsFiles) {
  const ImageUid uid = cell_.import_image("spare");
  cell_.hold_commits(true);
  cell_.submit(DeleteImage{"default", "spare"});
  EXPECT_THAT(cell_.image_deletions, IsEmpty()) << "files deleted before the decision was durable";
  cell_.land();
  cell_.hold_commits(false);
  EXPECT_THAT(cell_.image_deletions, testing::ElementsAre(uid));
  EXPECT_TRUE(cell_.read(GetImage{"default", "spare"}).ok());
  cell_.input(ImageFilesDeleted{uid, unavailable("the disk is asleep")});
  cell_.pass(std::chrono::seconds(11));
  EXPECT_THAT(cell_.image_deletions, SizeIs(2)) << "not tried again";
  cell_.input(ImageFilesDeleted{uid, absl::OkStatus()});
  EXPECT_FALSE(cell_.read(GetImage{"default", "spare"}).ok());
}

TEST_F(ControllerChange, AFailedImportLeavesNothing) {
  const auto begun = cell_.run(BeginImageImport{.project = "default", .id = "broken"});
  const ImageUid uid = std::get<ImageView>(*begun).image.uid;
  const auto failed = cell_.run(FinishImageImport{uid, invalid_argument("it has a backing file")});
  EXPECT_THAT(std::string(message_of(failed.status())), HasSubstr("backing file"));
  EXPECT_THAT(cell_.image_deletions, Contains(uid));
  cell_.input(ImageFilesDeleted{uid, absl::OkStatus()});
  EXPECT_FALSE(cell_.state().images.contains(uid));
  cell_.import_image("broken");
}

TEST_F(ControllerChange, TheNameOfAFailedImportIsFreeWhenItsFilesAreGone) {
  const auto begun = cell_.run(BeginImageImport{.project = "default", .id = "broken"});
  const ImageUid uid = std::get<ImageView>(*begun).image.uid;
  EXPECT_FALSE(cell_.run(FinishImageImport{uid, invalid_argument("torn"), true}).ok());
  EXPECT_FALSE(cell_.state().images.contains(uid));
  cell_.import_image("broken");
}

TEST_F(ControllerChange, AnImageDoesNotTakeDiskThatInstancesWerePromised) {
  CreateInstance request = CellHarness::web("large");
  request.boot_disk = gibibytes(60);
  cell_.create(request);
  const auto import = [this](std::string id, Bytes size) {
    const auto begun = cell_.run(BeginImageImport{.project = "default", .id = std::move(id)});
    return cell_
        .run(FinishImageImport{std::get<ImageView>(*begun).image.uid,
                               ImportedContent{.file_size = size, .virtual_size = size}})
        .status();
  };
  const Bytes free = gibibytes(500 - 2 - 60);
  const absl::Status refused = import("too-large", free + Bytes(1));
  EXPECT_EQ(reason_of(refused), "IMAGE_DOES_NOT_FIT") << describe(refused);
  ASSERT_THAT(cell_.image_deletions, SizeIs(1));
  cell_.input(ImageFilesDeleted{cell_.image_deletions.back(), absl::OkStatus()});
  EXPECT_EQ(import("fits", free), absl::OkStatus());
  CreateInstance one_more = CellHarness::web("one-more");
  EXPECT_EQ(reason_of(cell_.run(one_more).status()), "NO_HOST_FITS");
}

TEST_F(ControllerChange, AProjectWithInstancesStays) {
  EXPECT_EQ(reason_of(cell_.run(DeleteProject{"default"}).status()), "DEFAULT_PROJECT");
  ASSERT_TRUE(cell_.run(CreateProject{.id = "town"}).ok());
  cell_.import_image("debian", gibibytes(2), "town");
  EXPECT_EQ(reason_of(cell_.run(DeleteProject{"town"}).status()), "PROJECT_IN_USE");
}

TEST_F(ControllerChange, PagesListsInOrder) {
  for (const char* id : {"c", "a", "b"}) cell_.create(CellHarness::web(id));
  auto page = std::get<Page<InstanceView>>(*cell_.read(ListInstances{"default", {.size = 3}}));
  ASSERT_THAT(page.items, SizeIs(3));
  EXPECT_EQ(page.items[0].instance.id, "a");
  EXPECT_EQ(page.items[2].instance.id, "c");
  ASSERT_THAT(page.next_token, Not(IsEmpty()));
  page = std::get<Page<InstanceView>>(
      *cell_.read(ListInstances{"-", {.size = 3, .token = page.next_token}}));
  ASSERT_THAT(page.items, SizeIs(1));
  EXPECT_EQ(page.items[0].instance.id, "web-1");
  EXPECT_THAT(page.next_token, IsEmpty());
}

TEST_F(ControllerChange, RemembersThatADiskWasMadeAndNobodysEtagChanges) {
  const auto etag = [this] { return etag_of(cell_.state().instances.at(instance_.uid)); };
  const std::string before = etag();
  EXPECT_FALSE(cell_.orders.back().instances.at(0).has_disk);
  cell_.report(host_, {.instance = instance_.uid, .observed = {}, .has_disk = true});
  EXPECT_TRUE(cell_.orders.back().instances.at(0).has_disk);
  EXPECT_EQ(etag(), before);
  const auto stored = cell_.table().at(records::instance_key(instance_.uid));
  EXPECT_TRUE(records::decode_instance(stored)->has_disk);
  cell_.report(host_, {.instance = instance_.uid, .observed = {}, .has_disk = false});
  EXPECT_TRUE(cell_.state().instances.at(instance_.uid).has_disk) << "it was lost, not unmade";
}

// A domain's metadata name the project that it was of by its uid.
TEST_F(ControllerChange, ShowsOrphansUnderTheirProjectsIdAndTellsOfEachOnce) {
  const std::vector<OrphanReport> found = {
      {.uuid = test_uuid("1"),
       .name = "stellwerk-1",
       .project_id = instance_.project.to_string(),
       .instance_id = "lost"},
      {.uuid = test_uuid("2"),
       .name = "stellwerk-2",
       .project_id = test_uuid("a project that is gone").to_string(),
       .instance_id = "older"}};
  cell_.report_orphans(host_, found);
  cell_.report_orphans(host_, found);
  EXPECT_THAT(cell_.event_types(), Contains("OrphanFound").Times(2));
  const auto orphans = std::get<HostView>(*cell_.read(GetHost{"host-1"})).orphans;
  ASSERT_EQ(orphans.size(), 2u);
  EXPECT_EQ(orphans[0].project_id, "default");
  EXPECT_EQ(orphans[0].instance_id, "lost");
  EXPECT_EQ(orphans[1].project_id, "");
}

}  // namespace
}  // namespace stellwerk::controller
