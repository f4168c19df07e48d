#include "orchestrator/controller/timeline.h"

#include <gmock/gmock.h>

namespace stellwerk::controller {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const InstanceUid kOne(Uuid::v5(Uuid(), "one"));
const InstanceUid kTwo(Uuid::v5(Uuid(), "two"));

Event event(const InstanceUid& uid, std::string type, std::string message = "") {
  return {.type = std::move(type), .uid = uid.value(), .message = std::move(message)};
}

std::vector<std::string> messages(const Timelines& timelines, const InstanceUid& uid) {
  std::vector<std::string> found;
  for (const TimelineEntry& entry : timelines.of(uid)) found.push_back(entry.message);
  return found;
}

TEST(Timelines, KeepTheNewestOfEachInstanceInOrder) {
  Timelines timelines;
  timelines.note(event(kTwo, "InstanceCreated", "other"));
  for (size_t i = 0; i <= Timelines::kMostEntries; ++i) {
    timelines.note(event(kOne, "InstanceUpdated", std::to_string(i)));
  }
  const auto kept = messages(timelines, kOne);
  EXPECT_THAT(kept, SizeIs(Timelines::kMostEntries));
  EXPECT_EQ(kept.front(), "1");
  EXPECT_EQ(kept.back(), std::to_string(Timelines::kMostEntries));
  EXPECT_THAT(messages(timelines, kTwo), ElementsAre("other"));
}

TEST(Timelines, TogetherHaveABoundAndLoseTheOldestFirst) {
  Timelines timelines(3);
  timelines.note(event(kOne, "A", "1"));
  timelines.note(event(kTwo, "A", "2"));
  timelines.note(event(kTwo, "A", "3"));
  timelines.note(event(kTwo, "A", "4"));
  EXPECT_EQ(timelines.size(), 3u);
  EXPECT_THAT(messages(timelines, kOne), IsEmpty());
  EXPECT_THAT(messages(timelines, kTwo), ElementsAre("2", "3", "4"));
}

TEST(Timelines, TheSamePhaseToldAgainIsNoNews) {
  Timelines timelines;
  timelines.note(event(kOne, "PhaseChanged", "running"));
  timelines.note(event(kOne, "PhaseChanged", "running"));
  timelines.note(event(kOne, "InstanceUpdated", "labels"));
  timelines.note(event(kOne, "InstanceUpdated", "labels"));
  timelines.note(event(kOne, "PhaseChanged", "running"));
  EXPECT_THAT(messages(timelines, kOne), ElementsAre("running", "labels", "labels", "running"));
}

TEST(Timelines, APhaseWithAnotherReasonOrMessageIsNews) {
  Timelines timelines;
  const auto note = [&](std::string reason, std::string message) {
    Event told = event(kOne, "PhaseChanged", std::move(message));
    told.reason = std::move(reason);
    timelines.note(told);
  };
  timelines.note(event(kOne, "InstanceUpdated", "same words"));
  note("", "same words");
  note("Crashed", "same words");
  note("Crashed", "other words");
  EXPECT_THAT(timelines.of(kOne), SizeIs(4));
}

TEST(Timelines, KeepWhatAnEventSays) {
  Timelines timelines;
  const Event told{.time = WallTime(std::chrono::seconds(7)),
                   .type = "InstanceEnded",
                   .uid = kOne.value(),
                   .reason = "Crashed",
                   .message = "gone",
                   .caller = "root"};
  timelines.note(told);
  EXPECT_THAT(timelines.of(kOne), ElementsAre(TimelineEntry{.time = told.time,
                                                            .type = "InstanceEnded",
                                                            .reason = "Crashed",
                                                            .message = "gone",
                                                            .caller = "root"}));
}

TEST(Timelines, ForgetAnInstanceThatIsGone) {
  Timelines timelines;
  timelines.note(event(kOne, "A"));
  timelines.note(event(kTwo, "A", "stays"));
  timelines.forget(kOne);
  timelines.forget(kOne);
  EXPECT_EQ(timelines.size(), 1u);
  EXPECT_THAT(timelines.of(kOne), IsEmpty());
}

TEST(Timelines, CutLongMessages) {
  Timelines timelines;
  timelines.note(event(kOne, "A", std::string(10'000, 'x')));
  EXPECT_LT(messages(timelines, kOne).front().size(), Timelines::kLongestMessage + 8);
}

}  // namespace
}  // namespace stellwerk::controller
