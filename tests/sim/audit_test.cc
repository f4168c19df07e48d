// The simulator's audit of placement: what it must object to, and what not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestrator/records/keys.h"
#include "tests/sim/placement_audit.h"
#include "tests/sim/random.h"

namespace stellwerk::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Audit : public testing::Test {
 protected:
  Audit() {
    feeds_ = {feed("dc1/f1"), feed("dc1/f2")};
    racks_ = {rack("dc1/a/r1"), rack("dc1/b/r1")};
    hosts_ = {host(racks_[0]), host(racks_[0]), host(racks_[1])};
    store::Batch batch;
    for (const Feed& feed : feeds_) put(batch, records::feed_key(feed.uid), feed);
    for (const Rack& rack : racks_) put(batch, records::rack_key(rack.uid), rack);
    for (const Host& host : hosts_) put(batch, records::host_key(host.uid), host);
    EXPECT_THAT(commit(std::move(batch)), IsEmpty());
  }

  Feed feed(std::string id) {
    return {.uid = FeedUid(random_.uuid()), .id = std::move(id), .budget = watts(500)};
  }
  Rack rack(std::string id) {
    return {.uid = RackUid(random_.uuid()),
            .id = std::move(id),
            .feeds = {feeds_[0].uid, feeds_[1].uid}};
  }
  Host host(const Rack& rack) {
    return {.uid = HostUid(random_.uuid()),
            .facts = {.cores = 4, .threads = 8, .memory = gibibytes(8), .disk = gibibytes(100)},
            .rack = rack.uid,
            .labels = {{"disk", "slow"}},
            .power = {.idle = watts(100), .peak = watts(300)}};
  }
  Instance instance(std::string id, const Host& on) {
    return {.uid = InstanceUid(random_.uuid()),
            .id = std::move(id),
            .claim = {.host = on.uid, .vcpus = VcpuCount(1), .memory = gibibytes(4)}};
  }
  GroupUid group(GroupPolicy policy, DomainLevel level) {
    const Group group{.uid = GroupUid(random_.uuid()), .rules = {{policy, level}}};
    store::Batch batch;
    put(batch, records::group_key(group.uid), group);
    commit(std::move(batch));
    return group.uid;
  }

  template <class Resource>
  static void put(store::Batch& batch, std::string key, const Resource& resource) {
    batch.puts.push_back({std::move(key), records::encode(resource)});
  }
  std::vector<std::string> commit(store::Batch batch) {
    head_.sequence = head_.sequence.next();
    return audit_.check(history_.apply(head_, batch));
  }
  // With the request that it comes from.
  void add(store::Batch& batch, const Instance& instance) {
    const records::RequestRecord request{
        .request_id = RequestId(random_.uuid()), .method = "CreateInstance", .resource = instance};
    put(batch, records::instance_key(instance.uid), instance);
    put(batch, records::request_key({}, request.request_id), request);
  }
  std::vector<std::string> admit(const Instance& instance) {
    store::Batch batch;
    add(batch, instance);
    return commit(std::move(batch));
  }
  Instance guarded(std::string id, const Host& on, const Host& backup) {
    Instance instance = this->instance(std::move(id), on);
    instance.failover = true;
    instance.backup = Backup{.host = backup.uid, .numa_nodes = {}, .power = {}};
    return instance;
  }

  Random random_{9};
  std::vector<Feed> feeds_;
  std::vector<Rack> racks_;
  std::vector<Host> hosts_;
  store::Head head_;
  RecordHistory history_;
  PlacementAudit audit_{history_, DomainLevel::kRack};
};

TEST_F(Audit, AcceptsWhatFits) {
  EXPECT_THAT(admit(instance("web", hosts_[0])), IsEmpty());
  EXPECT_THAT(admit(instance("db", hosts_[0])), IsEmpty());
  EXPECT_EQ(audit_.check_at_rest(), std::nullopt);
}

TEST_F(Audit, FindsAHostThatHasMoreThanItHolds) {
  admit(instance("a", hosts_[0]));
  admit(instance("b", hosts_[0]));
  EXPECT_THAT(admit(instance("c", hosts_[0])), ElementsAre(HasSubstr("memory of")));
}

TEST_F(Audit, FindsAWishThatIsNotKept) {
  Instance picky = instance("web", hosts_[0]);
  picky.wishes.forbidden_labels = {{"disk", "slow"}};
  EXPECT_THAT(admit(picky), ElementsAre("web is placed against its wishes"));
  Instance elsewhere = instance("db", hosts_[0]);
  elsewhere.wishes.within = "dc1/b";
  EXPECT_THAT(admit(elsewhere), ElementsAre("db is placed against its wishes"));
}

TEST_F(Audit, AHostInMaintenanceTakesOnlyWhatCameBefore) {
  Host maintained = hosts_[0];
  maintained.maintenance = true;
  store::Batch batch;
  put(batch, records::host_key(maintained.uid), maintained);
  add(batch, instance("before", maintained));
  EXPECT_THAT(commit(std::move(batch)), IsEmpty()) << "in one commit either may be the first";
  EXPECT_THAT(admit(instance("web", maintained)), ElementsAre("web is placed against its wishes"));
}

TEST_F(Audit, FindsMembersThatShouldBeApartOrTogether) {
  const GroupUid apart = group(GroupPolicy::kAntiAffinity, DomainLevel::kRack);
  const GroupUid together = group(GroupPolicy::kAffinity, DomainLevel::kZone);
  Instance first = instance("a", hosts_[0]);
  first.group = apart;
  Instance second = instance("b", hosts_[1]);
  second.group = apart;
  EXPECT_THAT(admit(first), IsEmpty());
  EXPECT_THAT(admit(second), ElementsAre("b joins too many of its group"));
  Instance third = instance("c", hosts_[0]);
  third.group = together;
  Instance fourth = instance("d", hosts_[2]);
  fourth.group = together;
  EXPECT_THAT(admit(third), IsEmpty());
  EXPECT_THAT(admit(fourth), ElementsAre("d is apart from its group"));
}

TEST_F(Audit, OneFeedHasToCarryAllWhenItsPartnerFails) {
  Instance idle = instance("idle", hosts_[0]);
  idle.claim.power = watts(200);
  EXPECT_THAT(admit(idle), IsEmpty()) << "500 W in all, as much as either carries";
  Instance more = instance("more", hosts_[2]);
  more.claim.power = watts(1);
  EXPECT_THAT(admit(more), ElementsAre("feed dc1/f1 without dc1/f2 carries 1000 mW too much",
                                       "feed dc1/f2 without dc1/f1 carries 1000 mW too much"));
  EXPECT_THAT(admit(instance("none", hosts_[2])), IsEmpty()) << "it makes nothing worse";
}

TEST_F(Audit, WhatIsKeptForALossHasRoomAndIsElsewhere) {
  EXPECT_THAT(admit(instance("there", hosts_[2])), IsEmpty());
  EXPECT_THAT(admit(guarded("a", hosts_[0], hosts_[2])), IsEmpty());
  EXPECT_THAT(admit(guarded("b", hosts_[1], hosts_[2])),
              ElementsAre(HasSubstr("has not memory enough")));
  EXPECT_THAT(*audit_.check_at_rest(),
              HasSubstr("has not memory enough to take what dc1/a/r1 loses"));
  EXPECT_THAT(admit(guarded("c", hosts_[0], hosts_[1])),
              ElementsAre("a backup is in the domain that is lost"));
}

TEST_F(Audit, NoTwoMembersThatAreApartMeetAfterALoss) {
  const GroupUid apart = group(GroupPolicy::kAntiAffinity, DomainLevel::kHost);
  Instance first = guarded("a", hosts_[0], hosts_[2]);
  first.group = apart;
  Instance second = guarded("b", hosts_[1], hosts_[2]);
  second.group = apart;
  for (Instance* each : {&first, &second}) each->claim.memory = gibibytes(1);
  EXPECT_THAT(admit(first), IsEmpty());
  EXPECT_THAT(admit(second), ElementsAre(HasSubstr("too many would be in")));
}

TEST_F(Audit, AProtectionThatIsLostHasToBeTold) {
  Instance web = guarded("web", hosts_[0], hosts_[2]);
  admit(web);
  web.backup.reset();
  store::Batch batch;
  put(batch, records::instance_key(web.uid), web);
  EXPECT_THAT(commit(batch), IsEmpty());
  EXPECT_EQ(audit_.check_at_rest(), "web lost its protection, and nobody was told");
  const LogRecord log{.sequence = head_.sequence.next(),
                      .events = {{.type = "FailoverProtectionLost", .uid = web.uid.value()}}};
  put(batch, records::log_key(log.sequence), log);
  EXPECT_THAT(commit(batch), IsEmpty());
  EXPECT_EQ(audit_.check_at_rest(), std::nullopt);
}

TEST_F(Audit, ABookingIsWholeAndNothingComesWithoutARequest) {
  const Instance one = instance("web-1", hosts_[0]);
  const Instance two = instance("web-2", hosts_[0]);
  const records::RequestRecord request{
      .request_id = RequestId(random_.uuid()),
      .method = "CreateInstances",
      .resource = records::Booking{{{one.uid, one.id}, {two.uid, two.id}}}};
  store::Batch batch;
  put(batch, records::request_key({}, request.request_id), request);
  put(batch, records::instance_key(one.uid), one);
  EXPECT_THAT(commit(std::move(batch)), ElementsAre("of a booking there is no web-2"));
  store::Batch late;
  put(late, records::instance_key(two.uid), two);
  EXPECT_THAT(commit(std::move(late)), ElementsAre("web-2 comes without a request"));
}

}  // namespace
}  // namespace stellwerk::sim
