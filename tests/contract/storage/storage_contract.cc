#include "storage_contract.h"

#include <gmock/gmock.h>

#include "../../support/status_assertions.h"

namespace stellwerk::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

ImageUid image_uid(uint8_t number) {
  return ImageUid(Uuid({0xAA, 0, 0, 0, 0, 0, 0x40, 0, 0x80, 0, 0, 0, 0, 0, 0, number}));
}

InstanceUid instance_uid(uint8_t number) {
  return InstanceUid(Uuid({0xBB, 0, 0, 0, 0, 0, 0x40, 0, 0x80, 0, 0, 0, 0, 0, 0, number}));
}

std::string raw_disk(size_t sectors = 2048) {
  return std::string(sectors * 512, 'd');
}

DiskSpec disk_of(uint8_t instance, uint8_t image) {
  return {.instance = instance_uid(instance),
          .image = image_uid(image),
          .image_format = ImageFormat::kRaw,
          .size = mebibytes(8)};
}

SeedSpec seed_of(uint8_t instance) {
  return {.instance = instance_uid(instance),
          .meta_data = "instance-id: i\n",
          .user_data = "#cloud-config\n",
          .network_config = ""};
}

InstanceFiles files(uint8_t instance, bool disk, bool seed,
                    std::optional<Generation> started = std::nullopt) {
  InstanceFiles expected;
  expected.instance = instance_uid(instance);
  expected.has_disk = disk;
  expected.has_seed = seed;
  expected.started = started;
  if (disk) expected.disk_size = mebibytes(8);
  return expected;
}

}  // namespace

Inventory StorageContract::inventory() {
  auto found = storage().inventory();
  EXPECT_OK(found);
  return found.ok() ? *found : Inventory();
}

absl::StatusOr<ImageFacts> StorageContract::upload(const ImageUid& image, std::string_view bytes,
                                                   const std::optional<Sha256>& expected) {
  SW_ASSIGN_OR_RETURN(const auto upload, storage().begin_upload(image, std::nullopt));
  constexpr size_t kPiece = 1000;
  for (size_t at = 0; at < bytes.size(); at += kPiece) {
    SW_RETURN_IF_ERROR(upload->write(bytes.substr(at, kPiece)));
  }
  return upload->finish(expected);
}

TEST_P(StorageContract, IsEmptyAtFirstAndKnowsItsSize) {
  const Inventory found = inventory();
  EXPECT_THAT(found.instances, IsEmpty());
  EXPECT_THAT(found.images, IsEmpty());
  EXPECT_GT(found.capacity, Bytes(0));
  EXPECT_GT(found.available, Bytes(0));
  EXPECT_LE(found.available, found.capacity);
}

TEST_P(StorageContract, PublishesAnImageAndReportsWhatItIs) {
  const auto facts = upload(image_uid(1), raw_disk(), sha256(raw_disk()));
  ASSERT_OK(facts);
  EXPECT_EQ(facts->format, ImageFormat::kRaw);
  EXPECT_EQ(facts->file_size, mebibytes(1));
  EXPECT_EQ(facts->virtual_size, mebibytes(1));
  EXPECT_EQ(facts->sha256, sha256(raw_disk()));
  EXPECT_THAT(inventory().images, ElementsAre(image_uid(1)));
  reopen();
  EXPECT_THAT(inventory().images, ElementsAre(image_uid(1)));
}

TEST_P(StorageContract, ShowsNoImageBeforeItsUploadHasFinished) {
  auto upload = storage().begin_upload(image_uid(1), std::nullopt);
  ASSERT_OK(upload);
  ASSERT_OK((*upload)->write(raw_disk()));
  EXPECT_THAT(inventory().images, IsEmpty());
  ASSERT_OK((*upload)->finish(std::nullopt));
  EXPECT_THAT(inventory().images, ElementsAre(image_uid(1)));
}

TEST_P(StorageContract, AnAbandonedUploadLeavesNothingAndMayBeginAgain) {
  {
    auto upload = storage().begin_upload(image_uid(1), std::nullopt);
    ASSERT_OK(upload);
    ASSERT_OK((*upload)->write(raw_disk()));
  }
  EXPECT_THAT(inventory().images, IsEmpty());
  EXPECT_OK(upload(image_uid(1), raw_disk()));
}

TEST_P(StorageContract, RefusesAWrongChecksumAndLeavesNothing) {
  const auto facts = upload(image_uid(1), raw_disk(), sha256("something else"));
  EXPECT_EQ(facts.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(message_of(facts.status())), HasSubstr(to_hex(sha256(raw_disk()))));
  EXPECT_THAT(inventory().images, IsEmpty());
}

TEST_P(StorageContract, RefusesWhatIsNoDiskAndLeavesNothing) {
  for (const std::string& bytes :
       {std::string(), std::string("QFI\xfb") + raw_disk(),
        std::string("\x1f\x8b\x08") + raw_disk(), raw_disk() + "half a sector"}) {
    EXPECT_EQ(upload(image_uid(1), bytes).status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(inventory().images, IsEmpty());
  }
}

TEST_P(StorageContract, AnUploadOfTheSameImageAgainIsFine) {
  ASSERT_OK(upload(image_uid(1), raw_disk()));
  EXPECT_OK(upload(image_uid(1), raw_disk()));
  EXPECT_THAT(inventory().images, ElementsAre(image_uid(1)));
}

TEST_P(StorageContract, MakesADiskOnce) {
  ASSERT_OK(upload(image_uid(1), raw_disk()));
  EXPECT_OK(storage().create_disk(disk_of(1, 1)));
  EXPECT_OK(storage().create_disk(disk_of(1, 1)));
  EXPECT_THAT(inventory().instances, ElementsAre(files(1, true, false)));
  reopen();
  EXPECT_THAT(inventory().instances, ElementsAre(files(1, true, false)));
}

TEST_P(StorageContract, RefusesADiskOfAnImageThatIsNotThere) {
  const absl::Status made = storage().create_disk(disk_of(1, 1));
  EXPECT_EQ(made.code(), absl::StatusCode::kFailedPrecondition) << made;
  EXPECT_THAT(inventory().instances, IsEmpty());
}

TEST_P(StorageContract, RefusesADiskThatIsSmallerThanItsImage) {
  ASSERT_OK(upload(image_uid(1), raw_disk()));
  DiskSpec spec = disk_of(1, 1);
  spec.size = kibibytes(512);
  EXPECT_EQ(storage().create_disk(spec).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(inventory().instances, IsEmpty());
}

TEST_P(StorageContract, GrowsADiskAndNeverShrinksIt) {
  ASSERT_OK(upload(image_uid(1), raw_disk()));
  DiskSpec spec = disk_of(1, 1);
  ASSERT_OK(storage().create_disk(spec));
  spec.size = mebibytes(20);
  EXPECT_OK(storage().create_disk(spec));
  EXPECT_EQ(inventory().instances.front().disk_size, mebibytes(20));
  EXPECT_OK(storage().create_disk(disk_of(1, 1)));
  reopen();
  EXPECT_EQ(inventory().instances.front().disk_size, mebibytes(20));
}

TEST_P(StorageContract, MakesASeedOnce) {
  EXPECT_OK(storage().create_seed(seed_of(1)));
  EXPECT_OK(storage().create_seed(seed_of(1)));
  EXPECT_THAT(inventory().instances, ElementsAre(files(1, false, true)));
}

TEST_P(StorageContract, RemembersTheLastStartedRun) {
  EXPECT_OK(storage().mark_started(instance_uid(1), Generation(3)));
  EXPECT_OK(storage().mark_started(instance_uid(1), Generation(18446744073709551615u)));
  reopen();
  EXPECT_THAT(inventory().instances,
              ElementsAre(files(1, false, false, Generation(18446744073709551615u))));
}

TEST_P(StorageContract, DeletesAllOfAnInstanceAndNothingOfAnother) {
  ASSERT_OK(upload(image_uid(1), raw_disk()));
  for (const uint8_t instance : {1, 2}) {
    ASSERT_OK(storage().create_disk(disk_of(instance, 1)));
    ASSERT_OK(storage().create_seed(seed_of(instance)));
    ASSERT_OK(storage().mark_started(instance_uid(instance), Generation(1)));
  }
  EXPECT_OK(storage().delete_instance(instance_uid(1)));
  EXPECT_THAT(inventory().instances, ElementsAre(files(2, true, true, Generation(1))));
  EXPECT_OK(storage().delete_instance(instance_uid(1)));
}

TEST_P(StorageContract, AnInstanceMayBeMadeAgainAfterItsDeletion) {
  ASSERT_OK(storage().mark_started(instance_uid(1), Generation(7)));
  ASSERT_OK(storage().delete_instance(instance_uid(1)));
  ASSERT_OK(storage().create_seed(seed_of(1)));
  EXPECT_THAT(inventory().instances, ElementsAre(files(1, false, true)));
}

TEST_P(StorageContract, KeepsAnImageWhileADiskRefersToIt) {
  ASSERT_OK(upload(image_uid(1), raw_disk()));
  ASSERT_OK(upload(image_uid(2), raw_disk()));
  ASSERT_OK(storage().create_disk(disk_of(1, 1)));
  const absl::Status refused = storage().delete_image(image_uid(1));
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition) << refused;
  EXPECT_THAT(std::string(message_of(refused)), HasSubstr(instance_uid(1).to_string()));
  EXPECT_EQ(upload(image_uid(1), raw_disk()).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_OK(storage().delete_image(image_uid(2)));
  EXPECT_THAT(inventory().images, ElementsAre(image_uid(1)));

  ASSERT_OK(storage().delete_instance(instance_uid(1)));
  EXPECT_OK(storage().delete_image(image_uid(1)));
  EXPECT_OK(storage().delete_image(image_uid(1)));
  EXPECT_THAT(inventory().images, IsEmpty());
}

TEST_P(StorageContract, ListsInTheOrderOfUids) {
  for (const uint8_t number : {9, 1, 200, 16}) {
    ASSERT_OK(upload(image_uid(number), raw_disk(1)));
    ASSERT_OK(storage().create_seed(seed_of(number)));
  }
  const Inventory found = inventory();
  EXPECT_THAT(found.images, ElementsAre(image_uid(1), image_uid(9), image_uid(16), image_uid(200)));
  EXPECT_THAT(found.instances, ElementsAre(files(1, false, true), files(9, false, true),
                                           files(16, false, true), files(200, false, true)));
}

TEST_P(StorageContract, GivesEveryInstanceFilesOfItsOwn) {
  const Storage::Paths one = storage().paths(instance_uid(1));
  const Storage::Paths two = storage().paths(instance_uid(2));
  EXPECT_NE(one.disk, two.disk);
  EXPECT_NE(one.seed, two.seed);
  EXPECT_NE(one.console_log, two.console_log);
  EXPECT_NE(one.disk, one.seed);
}

}  // namespace stellwerk::storage
