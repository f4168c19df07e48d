// Images: fetched from URLs, public ones, changes, files that nobody knows.
#include <gmock/gmock.h>

#include <algorithm>

#include "cell_harness.h"

namespace stellwerk::controller {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

ImportImageFromUrl from_url(std::string id = "fetched", std::string project = "default") {
  return {.image = {.project = std::move(project), .id = std::move(id)},
          .source = {.url = "https://images.example/disk.qcow2", .sha256 = sha256("disk")}};
}

ImportedContent content() {
  return {.format = ImageFormat::kQcow2,
          .file_size = mebibytes(100),
          .virtual_size = gibibytes(2),
          .sha256 = sha256("disk")};
}

std::string problems(const absl::Status& status) {
  std::string text;
  for (const FieldViolation& violation : violations_of(status)) {
    text += violation.field + ": " + violation.description + "\n";
  }
  return text;
}

class ControllerImages : public ::testing::Test {
 protected:
  Image begin(ImportImageFromUrl import = from_url()) {
    const auto answer = cell_.run(std::move(import));
    EXPECT_TRUE(answer.ok()) << describe(answer.status());
    return answer.ok() ? std::get<ImageView>(*answer).image : Image();
  }
  ImageView show(const std::string& id = "fetched", const std::string& project = "default") {
    const auto answer = cell_.read(GetImage{project, id});
    EXPECT_TRUE(answer.ok()) << describe(answer.status());
    return answer.ok() ? std::get<ImageView>(*answer) : ImageView();
  }
  std::vector<std::string> list(ListImages query) {
    std::vector<std::string> names;
    for (;;) {
      const auto answer = cell_.read(query);
      EXPECT_TRUE(answer.ok()) << describe(answer.status());
      const auto& page = std::get<Page<ImageView>>(*answer);
      for (const ImageView& view : page.items)
        names.push_back(view.project_id + "/" + view.image.id);
      if (page.next_token.empty()) return names;
      query.page.token = page.next_token;
    }
  }
  void make_project(const std::string& id) { ASSERT_TRUE(cell_.run(CreateProject{.id = id}).ok()); }
  CreateInstance from_image_of(const std::string& owner, const std::string& id = "web-1") {
    CreateInstance create = CellHarness::web(id);
    create.image_project = owner;
    return create;
  }

  CellHarness cell_;
};

TEST_F(ControllerImages, AFetchIsAnsweredAtOnceAndOrderedOnceItIsDurable) {
  cell_.hold_commits(true);
  const Ticket ticket = cell_.submit(from_url());
  EXPECT_FALSE(cell_.answered(ticket));
  EXPECT_THAT(cell_.fetches, IsEmpty());
  cell_.land();
  const auto answer = cell_.answer(ticket);
  ASSERT_TRUE(answer.ok());
  const Image& image = std::get<ImageView>(*answer).image;
  EXPECT_EQ(image.state, ImageState::kImporting);
  EXPECT_EQ(image.source, from_url().source);
  cell_.hold_commits(false);
  ASSERT_THAT(cell_.fetches, SizeIs(1));
  EXPECT_EQ(cell_.fetches[0].image, image.uid);
  EXPECT_EQ(cell_.fetches[0].source, from_url().source);
}

TEST_F(ControllerImages, TheSameRequestIsDecidedOnce) {
  const Ticket first = cell_.submit(from_url(), "id");
  const Ticket second = cell_.submit(from_url(), "id");
  EXPECT_EQ(std::get<ImageView>(*cell_.answer(first)).image.uid,
            std::get<ImageView>(*cell_.answer(second)).image.uid);
  EXPECT_THAT(cell_.fetches, SizeIs(1));
  const auto other = cell_.answer(cell_.submit(from_url(), "id", "", "another body"));
  EXPECT_EQ(reason_of(other.status()), "REQUEST_ID_REUSED");
}

TEST_F(ControllerImages, WhatWasFetchedIsActive) {
  const Image image = begin();
  cell_.input(ImageFetched{image.uid, content()});
  const ImageView view = show();
  EXPECT_EQ(view.image.state, ImageState::kActive);
  EXPECT_EQ(view.image.virtual_size, gibibytes(2));
  EXPECT_EQ(view.image.sha256, sha256("disk"));
  EXPECT_THAT(cell_.event_types(), Contains("ImageImportRequested"));
  EXPECT_THAT(cell_.event_types(), Contains("ImageImported"));
  cell_.connect_host();
  cell_.create({.project = "default", .id = "web", .flavor = "SCS-1V-2", .image = "fetched"});
}

TEST_F(ControllerImages, AFailedFetchSaysWhyUntilTheNameIsUsedAgain) {
  const Image image = begin();
  cell_.input(ImageFetched{image.uid, not_found("https://images.example/disk.qcow2 is not there")});
  EXPECT_EQ(show().image.state, ImageState::kFailed);
  EXPECT_EQ(show().image.failure, "https://images.example/disk.qcow2 is not there");
  EXPECT_THAT(cell_.image_deletions, ElementsAre(image.uid)) << "what has come is of no use";
  cell_.input(ImageFilesDeleted{image.uid, absl::OkStatus()});
  EXPECT_EQ(show().image.state, ImageState::kFailed) << "it stays until somebody has seen it";
  EXPECT_THAT(cell_.event_types(), Contains("ImageImportFailed"));
  const auto refused = cell_.run(
      CreateInstance{.project = "default", .id = "web", .flavor = "SCS-1V-2", .image = "fetched"});
  EXPECT_THAT(problems(refused.status()), HasSubstr("image fetched is failed; choose another"));

  const Image again = begin();
  EXPECT_NE(again.uid, image.uid);
  EXPECT_FALSE(cell_.state().images.contains(image.uid));
  cell_.input(ImageFetched{again.uid, content()});
  EXPECT_EQ(show().image.state, ImageState::kActive);
  const auto taken = cell_.run(from_url());
  EXPECT_EQ(reason_of(taken.status()), "NAME_TAKEN");
}

TEST_F(ControllerImages, AFailedNameServesAnUploadToo) {
  cell_.input(ImageFetched{begin().uid, not_found("gone")});
  cell_.import_image("fetched");
  EXPECT_EQ(show().image.state, ImageState::kActive);
}

TEST_F(ControllerImages, AFailedImageCanBeDeleted) {
  const Image image = begin();
  cell_.input(ImageFetched{image.uid, not_found("gone")});
  ASSERT_TRUE(cell_.run(DeleteImage{"default", "fetched"}).ok());
  cell_.input(ImageFilesDeleted{image.uid, absl::OkStatus()});
  EXPECT_FALSE(cell_.state().images.contains(image.uid));
}

TEST_F(ControllerImages, AnImageMayBeDeletedWhileItIsFetched) {
  const Image image = begin();
  const auto deleted = cell_.run(DeleteImage{"default", "fetched"});
  ASSERT_TRUE(deleted.ok()) << describe(deleted.status());
  EXPECT_EQ(std::get<ImageView>(*deleted).image.state, ImageState::kDeleting);
  EXPECT_THAT(cell_.image_deletions, ElementsAre(image.uid));
  cell_.input(ImageFetched{image.uid, content()});
  EXPECT_EQ(show().image.state, ImageState::kDeleting) << "a fetch that ended late";
  cell_.input(ImageFilesDeleted{image.uid, absl::OkStatus()});
  EXPECT_FALSE(cell_.state().images.contains(image.uid));
}

TEST_F(ControllerImages, ARestartGoesOnWithFetchesAndGivesUploadsUp) {
  const Image fetched = begin();
  const auto upload = cell_.run(BeginImageImport{.project = "default", .id = "uploaded"});
  const ImageUid uploaded = std::get<ImageView>(*upload).image.uid;
  const Image failed = begin(from_url("failed"));
  cell_.input(ImageFetched{failed.uid, not_found("gone")});
  CellHarness next(CellHarness::default_config(), cell_.state(), cell_.head());
  ASSERT_THAT(next.fetches, SizeIs(1));
  EXPECT_EQ(next.fetches[0].image, fetched.uid);
  EXPECT_EQ(next.fetches[0].source, from_url().source);
  EXPECT_THAT(next.image_deletions, ::testing::UnorderedElementsAre(uploaded, failed.uid));
  EXPECT_EQ(next.state().images.at(uploaded).state, ImageState::kDeleting);
  EXPECT_EQ(next.state().images.at(fetched.uid).state, ImageState::kImporting);
}

TEST_F(ControllerImages, WhatDoesNotFitAnyMoreFails) {
  cell_.connect_host();
  const Image image = begin();
  ImportedContent huge = content();
  huge.file_size = gibibytes(10'000);
  cell_.input(ImageFetched{image.uid, huge});
  EXPECT_EQ(show().image.state, ImageState::kFailed);
  EXPECT_THAT(show().image.failure, HasSubstr("takes 9.8 TiB"));
}

TEST_F(ControllerImages, ProgressIsShownWhileAnImportLasts) {
  const Image image = begin();
  EXPECT_EQ(show().progress, ImportProgress());
  cell_.input(ImportProgressed{image.uid, {.received = mebibytes(3), .expected = mebibytes(10)}});
  EXPECT_EQ(show().progress, (ImportProgress{mebibytes(3), mebibytes(10)}));
  cell_.input(ImageFetched{image.uid, content()});
  EXPECT_EQ(show().progress, ImportProgress());
  cell_.input(ImportProgressed{image.uid, {.received = mebibytes(9), .expected = {}}});
  EXPECT_EQ(show().progress, ImportProgress()) << "news from before the end";

  const auto upload = cell_.run(BeginImageImport{.project = "default", .id = "uploaded"});
  cell_.input(ImportProgressed{std::get<ImageView>(*upload).image.uid,
                               {.received = Bytes(7), .expected = {}}});
  EXPECT_EQ(show("uploaded").progress.received, Bytes(7));
}

TEST_F(ControllerImages, AllMistakesOfAnImportAreToldAtOnce) {
  ImportImageFromUrl import = from_url("Bad Name");
  import.source.url = "file:///etc/passwd";
  import.image.properties = {{"os_distro", "Debian!"}, { "colour", "blue" }};
  const auto refused = cell_.run(std::move(import));
  EXPECT_THAT(problems(refused.status()), HasSubstr("image_id: "));
  EXPECT_THAT(problems(refused.status()), HasSubstr("url: "));
  EXPECT_THAT(problems(refused.status()), HasSubstr("image.properties[\"os_distro\"]: "));
  EXPECT_THAT(problems(refused.status()),
              HasSubstr("image.properties[\"colour\"]: is no property after SCS-0102; there are: "
                        "architecture, hotfix_hours, "));
  EXPECT_THAT(cell_.fetches, IsEmpty());
}

TEST_F(ControllerImages, APublicImageBootsInstancesOfEveryProject) {
  make_project("town");
  cell_.connect_host();
  cell_.import_image("debian", gibibytes(2), "town");
  const auto hidden = cell_.run(from_image_of("town"));
  const auto missing = cell_.run([&] {
    CreateInstance create = from_image_of("town");
    create.image = "no-such";
    return create;
  }());
  EXPECT_THAT(problems(hidden.status()),
              HasSubstr("there is no image \"debian\" of project \"town\" for this project"));
  std::string expected = problems(missing.status());
  expected.replace(expected.find("no-such"), 7, "debian");
  EXPECT_EQ(problems(hidden.status()), expected) << "a hidden image answers like a missing one";

  ASSERT_TRUE(cell_.run(UpdateImage{.project = "town", .id = "debian", .is_public = true}).ok());
  const auto made = cell_.run(from_image_of("town"));
  ASSERT_TRUE(made.ok()) << describe(made.status());
  EXPECT_EQ(std::get<InstanceView>(*made).image_project_id, "town");

  ASSERT_TRUE(cell_.run(UpdateImage{.project = "town", .id = "debian", .is_public = false}).ok());
  EXPECT_FALSE(cell_.run(from_image_of("town", "web-2")).ok());
}

TEST_F(ControllerImages, RefusalsNamePublicImagesOfOthers) {
  make_project("town");
  cell_.import_image("debian", gibibytes(2), "town");
  CreateInstance create = CellHarness::web();
  create.image = "no-such";
  EXPECT_THAT(problems(cell_.run(create).status()), HasSubstr("there are: none"));
  ASSERT_TRUE(cell_.run(UpdateImage{.project = "town", .id = "debian", .is_public = true}).ok());
  EXPECT_THAT(problems(cell_.run(create).status()),
              HasSubstr("there are: projects/town/images/debian"));
}

TEST_F(ControllerImages, APublicImageInUseElsewhereIsNotDeletedAndItsUsersAreCounted) {
  make_project("town");
  cell_.connect_host();
  cell_.import_image("debian", gibibytes(2), "town");
  ASSERT_TRUE(cell_.run(UpdateImage{.project = "town", .id = "debian", .is_public = true}).ok());
  cell_.create(from_image_of("town"));
  const auto refused = cell_.run(DeleteImage{"town", "debian"});
  EXPECT_EQ(reason_of(refused.status()), "IMAGE_IN_USE");
  EXPECT_THAT(message_of(refused.status()), HasSubstr("is used by: 1 instance of other projects;"));
  EXPECT_THAT(message_of(refused.status()), Not(HasSubstr("web-1"))) << "another project's name";
  EXPECT_THAT(cell_.image_deletions, IsEmpty());
}

TEST_F(ControllerImages, ListsPublicImagesOfOthersWhenAsked) {
  make_project("city");
  make_project("town");
  cell_.import_image("debian", gibibytes(2), "city");
  cell_.import_image("secret", gibibytes(2), "city");
  cell_.import_image("mine");
  cell_.import_image("fedora", gibibytes(2), "town");
  ASSERT_TRUE(cell_.run(UpdateImage{.project = "city", .id = "debian", .is_public = true}).ok());
  ASSERT_TRUE(cell_.run(UpdateImage{.project = "town", .id = "fedora", .is_public = true}).ok());
  EXPECT_THAT(list({.project = "default"}), ElementsAre("default/mine"));
  for (const int64_t size : {1, 2, 100}) {
    EXPECT_THAT(list({.project = "default", .page = {.size = size}, .public_too = true}),
                ElementsAre("city/debian", "default/mine", "town/fedora"));
  }
  EXPECT_THAT(list({.project = "-"}), SizeIs(4));
}

TEST_F(ControllerImages, AnUpdateChangesWhatItNamesAndNothingElse) {
  cell_.connect_host();
  cell_.import_image();
  const Image before = show("debian").image;
  const auto answer = cell_.run(UpdateImage{.project = "default",
                                            .id = "debian",
                                            .labels = Labels{{"tier", "gold"}},
                                            .properties = Labels{{"os_distro", "debian"}},
                                            .minimum_memory = gibibytes(4)});
  ASSERT_TRUE(answer.ok()) << describe(answer.status());
  const Image after = show("debian").image;
  EXPECT_EQ(after.labels, (Labels{{"tier", "gold"}}));
  EXPECT_EQ(after.properties, (Labels{{"os_distro", "debian"}}));
  EXPECT_EQ(after.minimum_memory, gibibytes(4));
  EXPECT_EQ(after.minimum_disk, before.minimum_disk);
  EXPECT_FALSE(after.is_public);
  EXPECT_EQ(after.sha256, before.sha256);
  EXPECT_NE(etag_of(after.changed_at), etag_of(before.changed_at));
  EXPECT_THAT(cell_.event_types(), Contains("ImageUpdated"));
  EXPECT_THAT(problems(cell_.run(CellHarness::web()).status()),
              HasSubstr("image debian needs 4 GiB"));
  const auto stale = cell_.answer(
      cell_.submit(UpdateImage{.project = "default", .id = "debian", .is_public = true}, "",
                   etag_of(before.changed_at)));
  EXPECT_EQ(reason_of(stale.status()), "ETAG_MISMATCH");
}

TEST_F(ControllerImages, AnUpdateIsCheckedLikeAnImport) {
  cell_.import_image();
  const auto refused = cell_.run(UpdateImage{
      .project = "default",
      .id = "debian",
      .properties = Labels{{"license_included", "true"}, {"license_required", "true"}}});
  EXPECT_THAT(problems(refused.status()), HasSubstr("cannot both be true"));
  EXPECT_THAT(show("debian").image.properties, IsEmpty());
  EXPECT_TRUE(absl::IsNotFound(
      cell_.run(UpdateImage{.project = "default", .id = "no-such", .is_public = true}).status()));
  ASSERT_TRUE(cell_.run(DeleteImage{"default", "debian"}).ok());
  const auto late = cell_.run(UpdateImage{.project = "default", .id = "debian", .is_public = true});
  EXPECT_EQ(reason_of(late.status()), "BEING_DELETED");
}

TEST_F(ControllerImages, EveryMutationHasItsAuditEntry) {
  begin();
  cell_.run(UpdateImage{.project = "default", .id = "fetched", .is_public = true}).IgnoreError();
  std::vector<std::string> entries;
  for (const LogRecord& record : cell_.log()) {
    for (const AuditEntry& entry : record.audit)
      entries.push_back(entry.method + " " + entry.resource);
  }
  EXPECT_THAT(entries, Contains("ImportImageFromUrl projects/default/images/fetched"));
  EXPECT_THAT(entries, Contains("UpdateImage projects/default/images/fetched"));
}

TEST_F(ControllerImages, EventsDoNotTellWhatAUrlHidesBehindItsPath) {
  ImportImageFromUrl import = from_url();
  import.source.url += "?token=secret";
  begin(std::move(import));
  for (const LogRecord& record : cell_.log()) {
    for (const Event& event : record.events) EXPECT_THAT(event.message, Not(HasSubstr("secret")));
  }
}

class ImageFiles : public ControllerImages {
 protected:
  ImageFiles() : audited_(config()) {}
  static ControllerConfig config() {
    ControllerConfig config = CellHarness::default_config();
    config.image_audit_every = std::chrono::seconds(10);
    config.image_grace = std::chrono::seconds(60);
    return config;
  }
  void found(std::vector<ImageUid> files) { audited_.input(ImageFilesListed{std::move(files)}); }

  CellHarness audited_;
  const ImageUid stranger_{test_uuid("left over")};
};

TEST_F(ImageFiles, AreLookedAtAgainAndAgain) {
  EXPECT_EQ(audited_.image_listings, 1);
  audited_.pass(std::chrono::seconds(5));
  EXPECT_EQ(audited_.image_listings, 1);
  audited_.pass(std::chrono::seconds(5));
  EXPECT_EQ(audited_.image_listings, 2);
  EXPECT_EQ(cell_.image_listings, 0) << "not unless configured";
}

TEST_F(ImageFiles, WithoutARecordGoAfterTheirGrace) {
  found({stranger_});
  EXPECT_THAT(audited_.event_types(), Contains("ImageFilesUnclaimed"));
  EXPECT_THAT(audited_.image_deletions, IsEmpty());
  audited_.pass(std::chrono::seconds(59));
  found({stranger_});
  EXPECT_THAT(audited_.image_deletions, IsEmpty());
  audited_.pass(std::chrono::seconds(1));
  found({stranger_});
  EXPECT_THAT(audited_.image_deletions, ElementsAre(stranger_));
  audited_.input(ImageFilesDeleted{stranger_, absl::OkStatus()});
  EXPECT_THAT(audited_.event_types(), Contains("ImageFilesCollected"));
}

TEST_F(ImageFiles, InGreatNumbersFillNoBatchBeyondWhatAStoreTakes) {
  std::vector<ImageUid> many;
  for (int i = 0; i < 1'500; ++i) many.emplace_back(test_uuid("left over " + std::to_string(i)));
  found(many);
  EXPECT_THAT(audited_.event_types(), Contains("ImageFilesUnclaimed"));
  EXPECT_THAT(audited_.step_downs, IsEmpty());
}

TEST_F(ImageFiles, ThatADiskNeedsStayAndThatIsToldOnce) {
  found({stranger_});
  for (int i = 0; i < 3; ++i) {
    audited_.pass(std::chrono::seconds(60));
    found({stranger_});
    audited_.input(ImageFilesDeleted{stranger_, failed_precondition("a disk refers to it")});
  }
  EXPECT_THAT(audited_.image_deletions, SizeIs(3));
  const auto types = audited_.event_types();
  EXPECT_EQ(std::count(types.begin(), types.end(), "ImageFilesKept"), 1);
  EXPECT_EQ(std::count(types.begin(), types.end(), "ImageFilesUnclaimed"), 1);
  EXPECT_THAT(types, Not(Contains("ImageFilesCollected")));
}

TEST_F(ImageFiles, OfImagesOfInstancesAndOfUnreadableRecordsStay) {
  const ImageUid image = audited_.import_image();
  found({image});
  audited_.pass(std::chrono::seconds(120));
  found({image});
  EXPECT_THAT(audited_.image_deletions, IsEmpty());

  CellState state = audited_.state();
  const ImageUid unreadable(test_uuid("unreadable"));
  const ImageUid used(test_uuid("used"));
  state.invalid.emplace(records::image_key(unreadable), data_loss("damaged"));
  const InstanceUid instance(test_uuid("instance"));
  state.instances[instance] = Instance{.uid = instance, .id = "old", .image = used};
  CellHarness next(config(), state, audited_.head());
  next.input(ImageFilesListed{std::vector{unreadable, used}});
  next.pass(std::chrono::seconds(120));
  next.input(ImageFilesListed{std::vector{unreadable, used}});
  EXPECT_THAT(next.image_deletions, IsEmpty());
}

TEST_F(ImageFiles, AListThatCannotBeReadSaysNothing) {
  found({stranger_});
  audited_.pass(std::chrono::seconds(60));
  audited_.input(ImageFilesListed{unavailable("the disk hangs")});
  EXPECT_THAT(audited_.image_deletions, IsEmpty());
}

}  // namespace
}  // namespace stellwerk::controller
