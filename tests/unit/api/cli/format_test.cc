#include "api/cli/format.h"

#include <gtest/gtest.h>

#include "api/cli/json.h"
#include "stellwerk/v1/projects.pb.h"

namespace stellwerk::cli {
namespace {

google::protobuf::Timestamp at(int64_t seconds) {
  google::protobuf::Timestamp time;
  time.set_seconds(seconds);
  return time;
}

TEST(Names, AreTakenApart) {
  EXPECT_EQ(id_of("projects/default/instances/web-1"), "web-1");
  EXPECT_EQ(id_of("web-1"), "web-1");
  EXPECT_EQ(project_of("projects/default/instances/web-1"), "default");
  EXPECT_EQ(project_of("flavors/tiny"), "");
}

TEST(Names, AreCompletedUnlessFullAlready) {
  EXPECT_EQ(full_name("flavors/", "tiny"), "flavors/tiny");
  EXPECT_EQ(full_name("flavors/", "flavors/tiny"), "flavors/tiny");
  EXPECT_EQ(full_name("projects/a/images/", "projects/b/images/x"), "projects/b/images/x");
}

TEST(Times, AreShownInUtcWithTheirAge) {
  const WallTime now = wall_time(at(1795410000));
  EXPECT_EQ(time_and_age(at(1795409400), now), "2026-11-23T04:50:00Z (10 min ago)");
  EXPECT_EQ(time_and_age(at(0), now), "");
  EXPECT_EQ(age(at(1795410099), now), "0 s");  // another machine's clock is ahead
}

TEST(Times, SurviveWhatNoTimestampMayHold) {
  EXPECT_EQ(time_and_age(at(INT64_MAX), wall_time(at(0))).substr(0, 4), "9999");
}

TEST(Phases, OfANewerDaemonAreNumbers) {
  EXPECT_EQ(phase_name(v1::Instance::PHASE_RUNNING), "RUNNING");
  EXPECT_EQ(phase_name(static_cast<v1::Instance::Phase>(77)), "77");
}

TEST(Disks, AreShownInTheirUnits) {
  v1::Flavor flavor;
  EXPECT_EQ(disks_text(flavor), "");
  flavor.mutable_disks()->set_count(2);
  flavor.mutable_disks()->set_size_bytes(20'000'000'000);
  flavor.mutable_disks()->set_type(v1::Flavor::SSD);
  EXPECT_EQ(disks_text(flavor), "2 x 20 GB ssd");
  flavor.mutable_disks()->set_count(1);
  flavor.mutable_disks()->set_size_bytes(int64_t{1} << 30);
  EXPECT_EQ(disks_text(flavor), "1 GiB ssd");
}

TEST(Json, HasEveryFieldInLowerCamel) {
  v1::Project project;
  project.set_name("projects/a");
  EXPECT_EQ(to_json(project, JsonLayout::kOneLine),
            R"({"name":"projects/a","uid":"","etag":"","labels":{}})");
}

TEST(Json, EscapesWhatSteersATerminal) {
  v1::Project project;
  project.set_name("\x1b[2J\x7f\xc2\x9b\u202e\n\U000e0041 ö");
  EXPECT_EQ(
      to_json(project, JsonLayout::kOneLine),
      R"({"name":"\u001b[2J\u007f\u009b\u202e\n\udb40\udc41 ö","uid":"","etag":"","labels":{}})");
}

}  // namespace
}  // namespace stellwerk::cli
