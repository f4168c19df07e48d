#include "orchestrator/controller/image_audit.h"

#include <gmock/gmock.h>

namespace stellwerk::controller {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const ImageUid kOne(Uuid::v5(Uuid(), "one"));
const ImageUid kTwo(Uuid::v5(Uuid(), "two"));

MonotonicTime at(int64_t second) {
  return {seconds(second)};
}

bool nobody(const ImageUid&) {
  return false;
}

TEST(ImageAudit, GivesUnclaimedFilesTheirGrace) {
  ImageAudit audit({.every = seconds(1), .grace = seconds(10)});
  auto found = audit.look({kOne}, nobody, at(0));
  EXPECT_THAT(found.fresh, ElementsAre(kOne));
  EXPECT_THAT(found.expired, IsEmpty());
  found = audit.look({kOne, kTwo}, nobody, at(9));
  EXPECT_THAT(found.fresh, ElementsAre(kTwo));
  EXPECT_THAT(found.expired, IsEmpty());
  found = audit.look({kOne, kTwo}, nobody, at(10));
  EXPECT_THAT(found.fresh, IsEmpty());
  EXPECT_THAT(found.expired, ElementsAre(kOne));
  EXPECT_TRUE(audit.is_going(kOne));
  EXPECT_FALSE(audit.is_going(kTwo));
}

TEST(ImageAudit, LeavesClaimedFilesAlone) {
  ImageAudit audit({.every = seconds(1), .grace = Duration::zero()});
  const auto found = audit.look(
      {kOne, kTwo}, [](const ImageUid& image) { return image == kOne; }, at(0));
  EXPECT_THAT(found.expired, ElementsAre(kTwo));
}

TEST(ImageAudit, AFileThatWasClaimedMeanwhileHasItsGraceAnew) {
  ImageAudit audit({.every = seconds(1), .grace = seconds(10)});
  audit.look({kOne}, nobody, at(0));
  audit.look(
      {kOne}, [](const ImageUid&) { return true; }, at(5));
  EXPECT_THAT(audit.look({kOne}, nobody, at(11)).expired, IsEmpty());
  EXPECT_THAT(audit.look({kOne}, nobody, at(21)).expired, ElementsAre(kOne));
}

TEST(ImageAudit, AFileInBothPlacesCountsOnce) {
  ImageAudit audit({.every = seconds(1), .grace = Duration::zero()});
  EXPECT_THAT(audit.look({kOne, kOne}, nobody, at(0)).expired, ElementsAre(kOne));
}

TEST(ImageAudit, LooksAsOftenAsItIsToldAndNeverIfNot) {
  ImageAudit audit({.every = seconds(5), .grace = seconds(10)});
  EXPECT_TRUE(audit.take_due(at(0)));
  EXPECT_FALSE(audit.take_due(at(4)));
  EXPECT_EQ(audit.next(), at(5));
  EXPECT_TRUE(audit.take_due(at(5)));
  ImageAudit never({.every = Duration::zero(), .grace = seconds(10)});
  EXPECT_FALSE(never.take_due(at(0)));
  EXPECT_EQ(never.next(), std::nullopt);
}

}  // namespace
}  // namespace stellwerk::controller
