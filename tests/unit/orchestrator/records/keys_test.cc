#include "orchestrator/records/keys.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>

namespace stellwerk::records {
namespace {

const Uuid kUuid = *Uuid::parse("0f8fad5b-d9cb-469f-a165-70867728950e");

TEST(Keys, NameKindAndIdentity) {
  EXPECT_EQ(project_key(ProjectUid(kUuid)), "project/0f8fad5b-d9cb-469f-a165-70867728950e");
  EXPECT_EQ(flavor_key(FlavorUid(kUuid)), "flavor/0f8fad5b-d9cb-469f-a165-70867728950e");
  EXPECT_EQ(image_key(ImageUid(kUuid)), "image/0f8fad5b-d9cb-469f-a165-70867728950e");
  EXPECT_EQ(network_key(NetworkUid(kUuid)), "network/0f8fad5b-d9cb-469f-a165-70867728950e");
  EXPECT_EQ(host_key(HostUid(kUuid)), "host/0f8fad5b-d9cb-469f-a165-70867728950e");
  EXPECT_EQ(instance_key(InstanceUid(kUuid)), "instance/0f8fad5b-d9cb-469f-a165-70867728950e");
  EXPECT_EQ(site_key(SiteUid(kUuid)), "site/0f8fad5b-d9cb-469f-a165-70867728950e");
  EXPECT_EQ(zone_key(ZoneUid(kUuid)), "zone/0f8fad5b-d9cb-469f-a165-70867728950e");
  EXPECT_EQ(rack_key(RackUid(kUuid)), "rack/0f8fad5b-d9cb-469f-a165-70867728950e");
  EXPECT_EQ(feed_key(FeedUid(kUuid)), "feed/0f8fad5b-d9cb-469f-a165-70867728950e");
  EXPECT_EQ(group_key(GroupUid(kUuid)), "group/0f8fad5b-d9cb-469f-a165-70867728950e");
  EXPECT_EQ(user_data_key(InstanceUid(kUuid)), "userdata/0f8fad5b-d9cb-469f-a165-70867728950e");
  EXPECT_EQ(request_key(kUuid, RequestId(Uuid())),
            "request/0f8fad5b-d9cb-469f-a165-70867728950e/00000000-0000-0000-0000-000000000000");
}

RC_GTEST_PROP(Keys, SortLogRecordsBySequenceAndReadThemBack, (uint64_t a, uint64_t b)) {
  RC_ASSERT(parse_log_key(log_key(Sequence(a))) == Sequence(a));
  RC_ASSERT((log_key(Sequence(a)) < log_key(Sequence(b))) == (a < b));
}

TEST(Keys, HoldTheLargestSequence) {
  const Sequence largest(std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(log_key(largest), "log/18446744073709551615");
  EXPECT_EQ(parse_log_key(log_key(largest)), largest);
}

TEST(Keys, RefuseWhatIsNoLogKey) {
  for (const char* key :
       {"", "log/", "log/1", "log/0000000000000000000x", "cell", "log/99999999999999999999",
        "log/000000000000000000001", "gol/00000000000000000001"}) {
    EXPECT_EQ(parse_log_key(key), std::nullopt) << key;
  }
}

TEST(Keys, PrefixEndComesAfterEveryKeyOfThePrefixAndBeforeTheNext) {
  EXPECT_GT(prefix_end(kLogPrefix), log_key(Sequence(std::numeric_limits<uint64_t>::max())));
  EXPECT_LT(prefix_end(kHostPrefix), instance_key(InstanceUid()));
  EXPECT_EQ(prefix_end("a/"), "a0");
}

}  // namespace
}  // namespace stellwerk::records
