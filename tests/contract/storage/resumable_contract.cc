// Uploads that go on after the process that began them has ended.
#include <gmock/gmock.h>

#include "../../support/status_assertions.h"
#include "storage_contract.h"

namespace stellwerk::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const ImageUid kImage(Uuid({0xAA, 0, 0, 0, 0, 0, 0x40, 0, 0x80, 0, 0, 0, 0, 0, 0, 9}));
const std::string kDisk(2048 * 512, 'd');

}  // namespace

TEST_P(StorageContract, GoesOnAtTheLastCheckpointAfterARestart) {
  {
    auto upload = storage().resume_upload(kImage);
    ASSERT_OK(upload);
    EXPECT_EQ((*upload)->received(), Bytes(0));
    EXPECT_EQ((*upload)->note(), "");
    EXPECT_OK((*upload)->write(kDisk.substr(0, 5000)));
    EXPECT_OK((*upload)->checkpoint("first\nnote"));
    EXPECT_OK((*upload)->write("lost, for no checkpoint came after it"));
  }
  reopen();
  EXPECT_THAT(inventory().unfinished, ElementsAre(kImage));
  EXPECT_THAT(inventory().images, IsEmpty());
  auto upload = storage().resume_upload(kImage);
  ASSERT_OK(upload);
  EXPECT_EQ((*upload)->received(), Bytes(5000));
  EXPECT_EQ((*upload)->note(), "first\nnote");
  EXPECT_OK((*upload)->write(kDisk.substr(5000)));
  const auto facts = (*upload)->finish(sha256(kDisk));
  ASSERT_OK(facts);
  EXPECT_EQ(facts->sha256, sha256(kDisk));
  EXPECT_EQ(facts->file_size, Bytes(static_cast<int64_t>(kDisk.size())));
  upload->reset();
  EXPECT_THAT(inventory().unfinished, IsEmpty());
  EXPECT_THAT(inventory().images, ElementsAre(kImage));
}

TEST_P(StorageContract, WithoutACheckpointBeginsAnew) {
  {
    auto upload = storage().resume_upload(kImage);
    ASSERT_OK(upload);
    EXPECT_OK((*upload)->write(kDisk.substr(0, 5000)));
  }
  reopen();
  auto upload = storage().resume_upload(kImage);
  ASSERT_OK(upload);
  EXPECT_EQ((*upload)->received(), Bytes(0));
}

TEST_P(StorageContract, ARestartForgetsCheckpointAndBytes) {
  auto upload = storage().resume_upload(kImage);
  ASSERT_OK(upload);
  EXPECT_OK((*upload)->write("of another file"));
  EXPECT_OK((*upload)->checkpoint("old"));
  EXPECT_OK((*upload)->restart());
  EXPECT_EQ((*upload)->received(), Bytes(0));
  upload->reset();
  reopen();
  upload = storage().resume_upload(kImage);
  ASSERT_OK(upload);
  EXPECT_EQ((*upload)->received(), Bytes(0));
  EXPECT_EQ((*upload)->note(), "");
  EXPECT_OK((*upload)->write(kDisk));
  EXPECT_OK((*upload)->finish(sha256(kDisk)));
}

TEST_P(StorageContract, TellsOfAPublishedImageWhatItsUploadTold) {
  EXPECT_TRUE(absl::IsNotFound(storage().published(kImage).status()));
  auto upload = storage().resume_upload(kImage);
  ASSERT_OK(upload);
  EXPECT_OK((*upload)->write(kDisk));
  EXPECT_OK((*upload)->checkpoint("note"));
  EXPECT_TRUE(absl::IsNotFound(storage().published(kImage).status())) << "not before its end";
  const auto told = (*upload)->finish(std::nullopt);
  ASSERT_OK(told);
  upload->reset();
  reopen();
  const auto facts = storage().published(kImage);
  ASSERT_OK(facts);
  EXPECT_EQ(facts->sha256, told->sha256);
  EXPECT_EQ(facts->format, told->format);
  EXPECT_EQ(facts->file_size, told->file_size);
  EXPECT_EQ(facts->virtual_size, told->virtual_size);
  EXPECT_THAT(inventory().unfinished, IsEmpty());
}

TEST_P(StorageContract, TwoAtATimeAreOneTooMany) {
  auto first = storage().resume_upload(kImage);
  ASSERT_OK(first);
  EXPECT_TRUE(absl::IsAborted(storage().resume_upload(kImage).status()));
  first->reset();
  EXPECT_OK(storage().resume_upload(kImage));
}

TEST_P(StorageContract, DeletingTheImageDeletesWhatCame) {
  {
    auto upload = storage().resume_upload(kImage);
    ASSERT_OK(upload);
    EXPECT_OK((*upload)->write("some"));
    EXPECT_OK((*upload)->checkpoint("note"));
  }
  EXPECT_OK(storage().delete_image(kImage));
  EXPECT_THAT(inventory().unfinished, IsEmpty());
  auto upload = storage().resume_upload(kImage);
  ASSERT_OK(upload);
  EXPECT_EQ((*upload)->received(), Bytes(0));
}

TEST_P(StorageContract, RefusesAFileThatIsTooLargeBeforeItComes) {
  auto upload = storage().resume_upload(kImage);
  ASSERT_OK(upload);
  EXPECT_OK((*upload)->expect(Bytes(1000)));
  const absl::Status huge = (*upload)->expect(gibibytes(1 << 20));
  EXPECT_TRUE(absl::IsInvalidArgument(huge)) << describe(huge);
  EXPECT_THAT(message_of(huge), HasSubstr("storage.max_image_mib"));
}

TEST_P(StorageContract, ContentIsInspectedAndDigestedLikeAnyOther) {
  auto upload = storage().resume_upload(kImage);
  ASSERT_OK(upload);
  EXPECT_OK((*upload)->write("<html>not an image</html>"));
  EXPECT_TRUE(absl::IsInvalidArgument((*upload)->finish(std::nullopt).status()));
  upload->reset();
  EXPECT_OK(storage().delete_image(kImage));
  upload = storage().resume_upload(kImage);
  ASSERT_OK(upload);
  EXPECT_OK((*upload)->write(kDisk));
  const auto wrong = (*upload)->finish(sha256("another"));
  EXPECT_TRUE(absl::IsInvalidArgument(wrong.status()));
  EXPECT_THAT(inventory().images, IsEmpty());
}

}  // namespace stellwerk::storage
