#include "drivers/storage/local/local_storage.h"

#include <gmock/gmock.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <filesystem>

#include "../../../support/in_child.h"
#include "../../../support/status_assertions.h"
#include "../../../support/temporary_directory.h"
#include "core/failpoint.h"
#include "drivers/storage/local/qcow2.h"
#include "image_bytes.h"

namespace stellwerk::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const ImageUid kImage = *ImageUid::parse("aaaaaaaa-0000-4000-8000-000000000001");
const InstanceUid kInstance = *InstanceUid::parse("bbbbbbbb-0000-4000-8000-000000000001");
constexpr int kCrashed = 42;

std::string raw_disk(size_t mebibytes = 1) {
  return std::string(mebibytes << 20, 'd');
}

absl::StatusOr<ImageFacts> upload(Storage& storage, std::string_view bytes) {
  SW_ASSIGN_OR_RETURN(const auto upload, storage.begin_upload(kImage, std::nullopt));
  constexpr size_t kPiece = 100'000;
  for (size_t at = 0; at < bytes.size(); at += kPiece) {
    SW_RETURN_IF_ERROR(upload->write(bytes.substr(at, kPiece)));
  }
  return upload->finish(std::nullopt);
}

DiskSpec disk_of(ImageFormat format = ImageFormat::kRaw) {
  return {.instance = kInstance, .image = kImage, .image_format = format, .size = gibibytes(10)};
}

SeedSpec seed() {
  return {.instance = kInstance, .meta_data = "m", .user_data = "secret", .network_config = ""};
}

// Every path below the root, with what find would print.
std::vector<std::string> tree(const std::string& root) {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    paths.push_back(std::filesystem::relative(entry.path(), root).string());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

mode_t mode_of(const std::string& path) {
  struct stat facts {};
  EXPECT_EQ(::lstat(path.c_str(), &facts), 0) << path;
  return facts.st_mode & 07777;
}

class LocalStorageTest : public ::testing::Test {
 protected:
  LocalStorageTest() { options_.directory = directory_ / "storage"; }

  void open() {
    storage_.reset();
    auto opened = LocalStorage::open(options_);
    ASSERT_OK(opened);
    storage_ = std::move(*opened);
  }
  std::string root() const { return directory_ / "storage"; }
  std::string folder() const { return root() + "/instances/" + kInstance.to_string(); }

  testing::TemporaryDirectory directory_;
  LocalStorage::Options options_;
  std::unique_ptr<LocalStorage> storage_;
};

TEST_F(LocalStorageTest, LetsNobodyElseReadFilesAndQemuPassThroughFolders) {
  const mode_t umask_before = ::umask(0);
  open();
  ASSERT_OK(upload(*storage_, raw_disk()));
  ASSERT_OK(storage_->create_disk(disk_of()));
  ASSERT_OK(storage_->create_seed(seed()));
  ASSERT_OK(storage_->mark_started(kInstance, Generation(1)));
  ::umask(umask_before);
  for (const std::string& path : {root(), root() + "/images", root() + "/instances", folder()}) {
    EXPECT_EQ(mode_of(path), 0711u) << path;
  }
  EXPECT_EQ(mode_of(root() + "/incoming"), 0700u);
  for (const std::string& path :
       {root() + "/images/" + kImage.to_string() + ".raw", folder() + "/disk.qcow2",
        folder() + "/seed.iso", folder() + "/started"}) {
    EXPECT_EQ(mode_of(path), 0600u) << path;
  }
}

TEST_F(LocalStorageTest, MakesThinCopiesThatNameTheirImageAndItsFormat) {
  open();
  const std::string path = directory_ / "image.qcow2";
  run_tool({"qemu-img", "create", "-q", "-f", "qcow2", path, "64M"});
  ASSERT_OK(upload(*storage_, content_of(path)));
  ASSERT_OK(storage_->create_disk(disk_of(ImageFormat::kQcow2)));
  const std::string disk = storage_->paths(kInstance).disk;
  EXPECT_LT(std::filesystem::file_size(disk), 1u << 20);
  const auto reader = FileReader::open(disk);
  EXPECT_EQ(read_qcow2_header(*reader)->virtual_size, 10ull << 30);
  EXPECT_EQ(qcow2_backing_file(*reader)->value(), "../../images/" + kImage.to_string() + ".qcow2");
  // The backing format stands in header extension 0xE2792ACA.
  EXPECT_THAT(content_of(disk), HasSubstr(std::string("\xe2\x79\x2a\xca\0\0\0\5qcow2", 13)));
  run_tool({"qemu-img", "check", "-q", "-f", "qcow2", disk});
}

TEST_F(LocalStorageTest, CopiesShowTheImagesContentAndGrowBeyondIt) {
  open();
  ASSERT_OK(upload(*storage_, raw_disk()));
  ASSERT_OK(storage_->create_disk(disk_of()));
  const std::string disk = storage_->paths(kInstance).disk;
  run_tool({"qemu-io", "-f", "qcow2", "-c", "read -P 0x64 0 1M", "-c", "read -P 0 1M 1M", "-c",
            "write -P 1 0 4k", disk});
  EXPECT_EQ(content_of(root() + "/images/" + kImage.to_string() + ".raw"), raw_disk());
}

TEST_F(LocalStorageTest, AGrownDiskKeepsItsContent) {
  open();
  ASSERT_OK(upload(*storage_, raw_disk()));
  ASSERT_OK(storage_->create_disk(disk_of()));
  const std::string disk = storage_->paths(kInstance).disk;
  run_tool({"qemu-io", "-f", "qcow2", "-c", "write -P 7 2M 1M", disk});
  DiskSpec larger = disk_of();
  larger.size = gibibytes(900);  // needs a larger table of tables
  ASSERT_OK(storage_->create_disk(larger));
  EXPECT_EQ(read_qcow2_header(*FileReader::open(disk))->virtual_size, 900ull << 30);
  EXPECT_EQ(mode_of(disk), 0600u);
  run_tool({"qemu-img", "check", "-q", "-f", "qcow2", disk});
  run_tool({"qemu-io", "-f", "qcow2", "-c", "read -P 0x64 0 1M", "-c", "read -P 7 2M 1M", "-c",
            "write -P 9 899G 4k", disk});
}

TEST_F(LocalStorageTest, WorksOnAfterItsDirectoryHasMoved) {
  open();
  ASSERT_OK(upload(*storage_, raw_disk()));
  ASSERT_OK(storage_->create_disk(disk_of()));
  storage_.reset();
  std::filesystem::rename(root(), directory_ / "moved");
  options_.directory = directory_ / "moved";
  open();
  run_tool({"qemu-io", "-f", "qcow2", "-c", "read -P 0x64 0 1M", storage_->paths(kInstance).disk});
  EXPECT_EQ(storage_->delete_image(kImage).code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(LocalStorageTest, RefusesAMaliciousImageAndLeavesNothing) {
  open();
  const std::vector<std::string> before = tree(root());
  const std::string path = directory_ / "image.qcow2";
  run_tool({"qemu-img", "create", "-q", "-u", "-f", "qcow2", "-F", "raw", "-b", "/etc/passwd", path,
            "1M"});
  const auto facts = upload(*storage_, content_of(path));
  EXPECT_EQ(facts.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(message_of(facts.status())), HasSubstr("backing file"));
  EXPECT_EQ(tree(root()), before);
}

TEST_F(LocalStorageTest, RefusesAnImageFileAboveTheLimit) {
  options_.largest_image_file = mebibytes(2);
  open();
  ASSERT_OK(upload(*storage_, raw_disk(2)));
  const auto facts = upload(*storage_, raw_disk(2) + "x");
  EXPECT_EQ(facts.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(message_of(facts.status())), HasSubstr("more than 2 MiB"));
}

TEST_F(LocalStorageTest, RefusesAnAnnouncedSizeOverTheLimitAtOnce) {
  options_.largest_image_file = mebibytes(2);
  open();
  EXPECT_OK(storage_->begin_upload(kImage, mebibytes(2)));
  const auto upload = storage_->begin_upload(kImage, mebibytes(2) + Bytes(1));
  EXPECT_EQ(upload.status().code(), absl::StatusCode::kInvalidArgument);
  const std::vector<FieldViolation> violations = violations_of(upload.status());
  ASSERT_THAT(violations, SizeIs(1));
  EXPECT_EQ(violations[0].field, "size_bytes");
  EXPECT_THAT(violations[0].description, HasSubstr("more than 2 MiB"));
  EXPECT_THAT(tree(root() + "/incoming"), IsEmpty());
}

TEST_F(LocalStorageTest, NeverPublishesAnUploadOfWhichAPieceFailed) {
  options_.largest_image_file = kibibytes(1);
  open();
  auto upload = storage_->begin_upload(kImage, std::nullopt);
  ASSERT_OK(upload);
  ASSERT_OK((*upload)->write(std::string(1024, 'x')));
  EXPECT_FALSE((*upload)->write("x").ok());
  EXPECT_EQ((*upload)->finish(std::nullopt).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(storage_->inventory()->images, IsEmpty());
}

TEST_F(LocalStorageTest, RefusesASecondUploadOfOneImageAtATime) {
  open();
  auto first = storage_->begin_upload(kImage, std::nullopt);
  ASSERT_OK(first);
  EXPECT_EQ(storage_->begin_upload(kImage, std::nullopt).status().code(),
            absl::StatusCode::kAborted);
  ASSERT_OK((*first)->write(raw_disk()));
  EXPECT_OK((*first)->finish(std::nullopt));
}

TEST_F(LocalStorageTest, ReplacesAnUnusedImageThatCameInAnotherFormat) {
  open();
  ASSERT_OK(upload(*storage_, raw_disk()));
  const std::string path = directory_ / "image.qcow2";
  run_tool({"qemu-img", "create", "-q", "-f", "qcow2", path, "1M"});
  ASSERT_OK(upload(*storage_, content_of(path)));
  EXPECT_THAT(tree(root() + "/images"), ElementsAre(kImage.to_string() + ".qcow2"));
}

TEST_F(LocalStorageTest, LeavesToGuestsWhatIsKeptForThem) {
  open();
  const Bytes available = storage_->inventory()->available;
  options_.keep_available = available + gibibytes(1);
  open();
  const auto begun = storage_->begin_upload(kImage, std::nullopt);
  EXPECT_EQ(begun.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(message_of(begun.status())),
              HasSubstr(to_string(options_.keep_available)));
  EXPECT_THAT(tree(root() + "/incoming"), IsEmpty());
}

TEST_F(LocalStorageTest, LetsOneProcessAtATimeHaveTheDirectory) {
  open();
  const auto second = LocalStorage::open(options_);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(message_of(second.status())), HasSubstr(root()));
}

TEST_F(LocalStorageTest, DoesNotTakeAnEmptyFolderForWhatWasThere) {
  options_.must_exist = true;
  const auto missing = LocalStorage::open(options_);
  EXPECT_TRUE(absl::IsFailedPrecondition(missing.status()));
  EXPECT_THAT(std::string(message_of(missing.status())), HasSubstr("is the disk mounted"));
  EXPECT_FALSE(std::filesystem::exists(options_.directory));
  options_.must_exist = false;
  ASSERT_TRUE(LocalStorage::open(options_).ok());
  options_.must_exist = true;
  EXPECT_TRUE(LocalStorage::open(options_).ok());
}

TEST_F(LocalStorageTest, RemovesOnlyLeftoversWhenItOpens) {
  open();
  ASSERT_OK(storage_->mark_started(kInstance, Generation(4)));
  const std::vector<std::string> clean = tree(root());
  const std::string other = root() + "/instances/bbbbbbbb-0000-4000-8000-00000000000";
  std::filesystem::create_directories(other + "2");
  std::filesystem::create_directories(other + "3");
  write_content(other + "3/disk.qcow2.partial", "x");
  std::filesystem::create_directories(other + "4.deleting");
  write_content(other + "4.deleting/disk.qcow2", "x");
  write_content(folder() + "/seed.iso.partial", "x");
  write_content(root() + "/incoming/" + kImage.to_string() + ".partial", "x");
  open();
  EXPECT_EQ(tree(root()), clean);
}

TEST_F(LocalStorageTest, LeavesAloneWhatIsNotItsOwn) {
  open();
  std::filesystem::create_directories(root() + "/instances/lost+found");
  write_content(root() + "/images/notes.txt", "x");
  open();
  EXPECT_THAT(storage_->inventory()->instances, IsEmpty());
  EXPECT_THAT(storage_->inventory()->images, IsEmpty());
  EXPECT_TRUE(std::filesystem::exists(root() + "/instances/lost+found"));
  EXPECT_TRUE(std::filesystem::exists(root() + "/images/notes.txt"));
}

TEST_F(LocalStorageTest, TakesAnUnreadableMarkForAStartedGuest) {
  open();
  ASSERT_OK(storage_->mark_started(kInstance, Generation(4)));
  write_content(folder() + "/started", std::string(1000, 'x'));
  EXPECT_EQ(storage_->inventory()->instances.at(0).started, Generation(0));
}

TEST_F(LocalStorageTest, DeletesTheConsoleLogWithItsInstance) {
  open();
  ASSERT_OK(storage_->create_seed(seed()));
  write_content(storage_->paths(kInstance).console_log, "hello");
  ASSERT_OK(storage_->delete_instance(kInstance));
  EXPECT_THAT(tree(root() + "/instances"), IsEmpty());
}

TEST_F(LocalStorageTest, StopsAToolThatHangsAndLeavesNothing) {
  const std::string tool = directory_ / "qemu-img";
  write_content(tool, "#!/bin/sh\nfor last; do :; done\nkill -STOP $$\n");
  ASSERT_EQ(::chmod(tool.c_str(), 0700), 0);
  options_.qemu_img = tool;
  options_.qemu_img_deadline = std::chrono::milliseconds(200);
  open();
  ASSERT_OK(upload(*storage_, raw_disk()));
  EXPECT_EQ(storage_->create_disk(disk_of()).code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(tree(root() + "/instances"), IsEmpty());
}

TEST_F(LocalStorageTest, KeepsAnImageWhenADiskCannotBeRead) {
  open();
  ASSERT_OK(upload(*storage_, raw_disk()));
  ASSERT_OK(storage_->create_disk(disk_of()));
  write_content(storage_->paths(kInstance).disk, "garbage");
  EXPECT_EQ(storage_->delete_image(kImage).code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(LocalStorageTest, ImportsANewImageWhileSomeDiskCannotBeRead) {
  open();
  ASSERT_OK(upload(*storage_, raw_disk()));
  ASSERT_OK(storage_->create_disk(disk_of()));
  write_content(storage_->paths(kInstance).disk, "garbage");
  const ImageUid other = *ImageUid::parse("aaaaaaaa-0000-4000-8000-000000000002");
  const auto upload = storage_->begin_upload(other, std::nullopt);
  ASSERT_OK(upload);
  ASSERT_OK((*upload)->write(raw_disk()));
  EXPECT_OK((*upload)->finish(std::nullopt));
}

TEST_F(LocalStorageTest, KeepsTheModeOfADirectoryThatWasThere) {
  ASSERT_EQ(::mkdir(options_.directory.c_str(), 0750), 0);
  open();
  EXPECT_EQ(mode_of(options_.directory), 0750u);
}

// A crash at any step: what the step makes is there whole or not at all, and repeating it works.
class LocalStorageCrash : public LocalStorageTest,
                          public ::testing::WithParamInterface<std::string> {
 protected:
  void act() {
    (void)upload(*storage_, raw_disk());
    (void)storage_->create_disk(disk_of());
    DiskSpec larger = disk_of();
    larger.size = gibibytes(20);
    (void)storage_->create_disk(larger);
    (void)storage_->create_seed(seed());
    (void)storage_->mark_started(kInstance, Generation(1));
    (void)storage_->delete_instance(kInstance);
    (void)storage_->delete_image(kImage);
  }
};

TEST_P(LocalStorageCrash, LeavesNothingHalfMade) {
  ASSERT_EQ(testing::in_child([&] {
              set_failpoint_hook([](std::string_view name) {
                if (name == GetParam()) ::_exit(kCrashed);
              });
              open();
              act();
            }),
            kCrashed)
      << "the step was never passed";
  open();
  for (const std::string& path : tree(root())) {
    EXPECT_FALSE(path.ends_with(".partial") || path.ends_with(".deleting")) << path;
  }
  const auto inventory = storage_->inventory();
  ASSERT_OK(inventory);
  for (const InstanceFiles& files : inventory->instances) {
    if (files.has_disk) {
      run_tool({"qemu-img", "check", "-q", "-f", "qcow2", storage_->paths(files.instance).disk});
    }
    EXPECT_TRUE(files.has_disk || files.has_seed || files.started);
  }
  // From whatever was left, the same steps lead to the same end.
  ASSERT_OK(storage_->delete_instance(kInstance));
  ASSERT_OK(upload(*storage_, raw_disk()));
  ASSERT_OK(storage_->create_disk(disk_of()));
  ASSERT_OK(storage_->delete_instance(kInstance));
  ASSERT_OK(storage_->delete_image(kImage));
  EXPECT_THAT(tree(root() + "/instances"), IsEmpty());
  EXPECT_THAT(tree(root() + "/images"), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    AtEveryStep, LocalStorageCrash,
    ::testing::Values("storage.publish-image.before", "storage.publish-image.after",
                      "storage.create-disk.before", "storage.create-disk.during",
                      "storage.create-disk.after", "storage.grow-disk.before",
                      "storage.grow-disk.after", "storage.create-seed.before",
                      "storage.create-seed.after", "storage.mark-started.before",
                      "storage.mark-started.after", "storage.delete-instance.before",
                      "storage.delete-instance.after", "storage.delete-image.before",
                      "storage.delete-image.after"));

// On a real file system of 4 MiB, mounted where only the child sees it.
class LocalStorageOnASmallDisk : public LocalStorageTest {
 protected:
  template <class Body>
  void on_small_disk(Body body) {
    std::filesystem::create_directories(root());
    EXPECT_EQ(testing::in_child([&] {
                ASSERT_EQ(::unshare(CLONE_NEWNS), 0) << "needs root";
                ASSERT_EQ(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
                ASSERT_EQ(::mount("tmpfs", root().c_str(), "tmpfs", 0, "size=4m"), 0);
                open();
                body();
              }),
              0);
  }
};

TEST_F(LocalStorageOnASmallDisk, AnUploadThatDoesNotFitIsRefusedAndRemoved) {
  on_small_disk([&] {
    const auto facts = upload(*storage_, raw_disk(5));
    EXPECT_EQ(facts.status().code(), absl::StatusCode::kResourceExhausted) << facts.status();
    EXPECT_THAT(std::string(message_of(facts.status())), HasSubstr("of 4 MiB were available"));
    EXPECT_THAT(tree(root() + "/incoming"), IsEmpty());
    // The room is free again.
    EXPECT_OK(upload(*storage_, raw_disk(3)));
  });
}

TEST_F(LocalStorageOnASmallDisk, AnInstanceThatDoesNotFitIsRefusedAndRemoved) {
  on_small_disk([&] {
    ASSERT_OK(upload(*storage_, raw_disk(3)));
    const std::string filler = root() + "/filler";
    write_content(filler, raw_disk(2));  // as much of it as fits
    EXPECT_EQ(storage_->create_disk(disk_of()).code(), absl::StatusCode::kResourceExhausted);
    EXPECT_EQ(storage_->create_seed(seed()).code(), absl::StatusCode::kResourceExhausted);
    EXPECT_THAT(tree(root() + "/instances"), IsEmpty());
    std::filesystem::remove(filler);
    EXPECT_OK(storage_->create_disk(disk_of()));
    EXPECT_OK(storage_->create_seed(seed()));
    EXPECT_THAT(storage_->inventory()->instances, SizeIs(1));
  });
}

}  // namespace
}  // namespace stellwerk::storage
