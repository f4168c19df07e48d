// The failover guarantee through what changes after an instance was admitted.
#include "tests/unit/orchestrator/controller/cell_of_hosts.h"

namespace stellwerk::controller {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class FailoverGuards : public CellOfHosts {
 protected:
  FailoverGuards() : CellOfHosts(guaranteed()) {}

  static CreateInstance guarded(std::string id = "web-1") {
    CreateInstance create = plain(std::move(id));
    create.failover = true;
    return create;
  }
  void maintain(const std::string& host, bool on) {
    make({UpdateHost{.id = host, .labels = {}, .maintenance = on}});
  }
  // Those that do not run it.
  std::vector<std::string> other_hosts(const Instance& instance) {
    std::vector<std::string> ids;
    for (const auto& [uid, host] : cell_.state().hosts) {
      if (uid != instance.claim.host) ids.push_back(host.id);
    }
    return ids;
  }
  CellHarness restarted(std::optional<DomainLevel> level) {
    ControllerConfig config = CellHarness::default_config();
    config.placement.guarantee = level;
    CellState state = cell_.state();
    state.requests.clear();
    return CellHarness(config, std::move(state), cell_.head());
  }
};

TEST_F(FailoverGuards, ABackupIsFoundAtAdmissionAndShown) {
  const Instance instance = cell_.create(guarded());
  EXPECT_NE(backup_of(instance), "none");
  EXPECT_NE(backup_of(instance), host_of(instance));
  const auto view = std::get<InstanceView>(*cell_.read(GetInstance{"default", "web-1"}));
  EXPECT_EQ(view.backup_host_id, backup_of(instance));
  EXPECT_FALSE(cell_.create(plain("web-2")).backup) << "not asked for";
}

TEST_F(FailoverGuards, AnotherBackupIsFoundWhenItsHostGoesOutOfService) {
  const Instance instance = cell_.create(guarded());
  const std::string before = backup_of(instance);
  maintain(before, true);
  EXPECT_NE(backup_of(instance), before);
  EXPECT_NE(backup_of(instance), "none");
  EXPECT_THAT(events_of("FailoverProtectionLost"), IsEmpty()) << "it was never without";
}

TEST_F(FailoverGuards, ALostAndAFoundProtectionAreToldOnce) {
  const Instance instance = cell_.create(guarded());
  const std::string etag = etag_of(now(instance));
  for (const std::string& host : other_hosts(instance)) maintain(host, true);
  EXPECT_EQ(backup_of(instance), "none");
  ASSERT_THAT(events_of("FailoverProtectionLost"), SizeIs(1));
  const Event lost = events_of("FailoverProtectionLost").front();
  EXPECT_EQ(lost.resource, "projects/default/instances/web-1");
  EXPECT_EQ(lost.project_id, "default");
  EXPECT_EQ(lost.reason, "BackupHostInMaintenance");
  EXPECT_EQ(lost.caller, "");
  EXPECT_THAT(lost.message, Not(HasSubstr("host-"))) << "members of the project read it";
  maintain(other_hosts(instance).front(), false);
  EXPECT_EQ(backup_of(instance), other_hosts(instance).front());
  EXPECT_THAT(events_of("FailoverProtectionRestored"), SizeIs(1));
  EXPECT_THAT(events_of("FailoverProtectionLost"), SizeIs(1));
  EXPECT_EQ(etag_of(now(instance)), etag) << "nothing that was asked for has changed";
  EXPECT_EQ(now(instance).generation, instance.generation);
}

TEST_F(FailoverGuards, WhatIsFoundIsDurable) {
  const Instance instance = cell_.create(guarded());
  maintain(backup_of(instance), true);
  const auto kept = records::decode_instance(cell_.table().at(records::instance_key(instance.uid)));
  ASSERT_TRUE(kept.ok());
  EXPECT_EQ(kept->backup, now(instance).backup);
}

TEST_F(FailoverGuards, NothingIsTriedAgainBeforeSomethingHasChanged) {
  const Instance instance = cell_.create(guarded());
  for (const std::string& host : other_hosts(instance)) maintain(host, true);
  const size_t commits = cell_.commits;
  for (int i = 0; i < 10; ++i) cell_.pass(std::chrono::seconds(1));
  EXPECT_EQ(cell_.commits, commits);
  EXPECT_THAT(events_of("FailoverProtectionLost"), SizeIs(1));
}

TEST_F(FailoverGuards, RoomThatIsGivenBackProtectsWhoWaits) {
  make({UpdateHost{.id = "host-3", .labels = {}, .maintenance = true}});
  make({CreateFlavor{.id = "large", .vcpus = VcpuCount(1), .memory = gibibytes(13)}});
  CreateInstance large = guarded("a");
  large.flavor = "large";
  const Instance first = cell_.create(large);
  large.id = "filler";
  large.failover = false;
  make({UpdateHost{.id = "host-3", .labels = {}, .maintenance = false}});
  large.wishes.host = "host-3";
  const Instance filler = cell_.create(large);
  maintain(backup_of(first), true);
  EXPECT_EQ(backup_of(first), "none") << "the only other host is full";
  ASSERT_TRUE(cell_.run(DeleteInstance{"default", "filler"}).ok());
  finish(filler);
  EXPECT_EQ(backup_of(first), "host-3");
  EXPECT_THAT(events_of("FailoverProtectionRestored"), SizeIs(1));
}

TEST_F(FailoverGuards, AResizeThatMakesRoomEnoughTellsThatTheProtectionIsBack) {
  make({CreateFlavor{.id = "large", .vcpus = VcpuCount(1), .memory = gibibytes(13)},
        UpdateHost{.id = "host-3", .labels = {}, .maintenance = true}});
  CreateInstance large = guarded();
  large.flavor = "large";
  large.desired = DesiredState::kStopped;
  const Instance instance = cell_.create(large);
  cell_.report(instance.claim.host,
               {instance.uid, {.phase = Phase::kStopped, .generation = instance.generation}, {}});
  CreateInstance filler = plain("filler");
  filler.flavor = "large";
  filler.wishes.host = "host-3";
  make({UpdateHost{.id = "host-3", .labels = {}, .maintenance = false}, filler});
  maintain(backup_of(instance), true);
  ASSERT_EQ(backup_of(instance), "none") << "the only other host is full";
  ASSERT_THAT(events_of("FailoverProtectionLost"), SizeIs(1));
  make({ResizeInstance{"default", "web-1", "SCS-1L-1"}});
  EXPECT_EQ(backup_of(instance), "host-3");
  ASSERT_THAT(events_of("FailoverProtectionRestored"), SizeIs(1));
  EXPECT_NE(events_of("FailoverProtectionRestored").front().caller, "") << "who resized it";
}

TEST_F(FailoverGuards, AHostThatMovesIntoTheSameRackBacksNobodyThere) {
  CellHarness racks = restarted(DomainLevel::kRack);
  for (const char* id : {"host-1", "host-2", "host-3"}) racks.connect_host(id);
  const Instance instance = racks.create(guarded());
  const Host backup = racks.state().hosts.at(instance.backup->host);
  const Host host = racks.state().hosts.at(instance.claim.host);
  const std::string rack = racks.state().racks.at(host.rack).id;
  ASSERT_TRUE(racks.run(UpdateHost{.id = backup.id, .labels = {}, .rack = rack}).ok());
  const Instance& after = racks.state().instances.at(instance.uid);
  ASSERT_TRUE(after.backup);
  EXPECT_NE(after.backup->host, backup.uid);
}

TEST_F(FailoverGuards, RacksThatBecomeOneAreLostTogetherAndDrawTogether) {
  make({UpdateRack{.id = "dc2/a/r03", .power_limit = watts(115)},
        UpdateHost{.id = "host-3", .idle = watts(100), .peak = watts(300)}});
  CellHarness racks = restarted(DomainLevel::kRack);
  for (const char* id : {"host-1", "host-2", "host-3"}) racks.connect_host(id);
  CreateInstance create = guarded("a");
  create.wishes = {.host = "host-1", .forbidden_labels = {}};
  const auto book = [&](std::string id, std::string host, std::string other) {
    create.id = std::move(id);
    create.wishes.host = std::move(host);
    EXPECT_TRUE(racks.run(UpdateHost{.id = other, .maintenance = true}).ok());
    const Instance made = racks.create(create);
    EXPECT_TRUE(racks.run(UpdateHost{.id = other, .maintenance = false}).ok());
    return made;
  };
  const Instance first = book("a", "host-1", "host-2");
  const Instance second = book("b", "host-2", "host-1");
  const HostUid keeper = first.backup->host;
  ASSERT_EQ(racks.state().hosts.at(keeper).id, "host-3");
  ASSERT_EQ(second.backup->host, keeper) << "one of them at a time is lost";
  ASSERT_TRUE(racks.run(UpdateHost{.id = "host-2", .rack = "dc1/a/r01"}).ok());
  const auto& now = racks.state().instances;
  const bool both = now.at(first.uid).backup && now.at(second.uid).backup;
  EXPECT_FALSE(both) << "the rack of host-3 carries one of them";
  EXPECT_TRUE(now.at(first.uid).backup || now.at(second.uid).backup);
}

TEST_F(FailoverGuards, AnotherLevelIsKeptToAfterARestart) {
  make({UpdateHost{.id = "host-2", .labels = {}, .rack = "dc1/a/r01"}});
  CreateInstance create = guarded();
  create.wishes.host = "host-1";
  maintain("host-3", true);
  const Instance instance = cell_.create(create);
  EXPECT_EQ(backup_of(instance), "host-2") << "another host of the same rack will do";
  maintain("host-3", false);

  CellHarness racks = restarted(DomainLevel::kRack);
  for (const char* id : {"host-1", "host-2"}) racks.connect_host(id);
  EXPECT_EQ(racks.state().instances.at(instance.uid).backup, instance.backup)
      << "a host that is not heard yet may be the right one";
  racks.connect_host("host-3");
  const auto& found = racks.state().instances.at(instance.uid).backup;
  ASSERT_TRUE(found);
  EXPECT_EQ(racks.state().hosts.at(found->host).id, "host-3");
  EXPECT_THAT(racks.event_types(), Not(testing::Contains("FailoverProtectionLost")));
}

TEST_F(FailoverGuards, HostsThatStayAwayAreNotWaitedForForever) {
  const Instance instance = cell_.create(guarded());
  CellHarness sites = restarted(DomainLevel::kSite);
  sites.connect_host(host_of(instance));
  EXPECT_TRUE(sites.state().instances.at(instance.uid).backup);
  sites.pass(std::chrono::seconds(31));
  EXPECT_THAT(sites.event_types(), testing::Contains("FailoverProtectionLost"));
  sites.connect_host("host-1");
  sites.connect_host("host-2");
  sites.connect_host("host-3");
  EXPECT_TRUE(sites.state().instances.at(instance.uid).backup);
}

TEST_F(FailoverGuards, TheGuaranteeSwitchedOffIsTold) {
  const Instance instance = cell_.create(guarded());
  CellHarness without = restarted(std::nullopt);
  for (const char* id : {"host-1", "host-2", "host-3"}) without.connect_host(id);
  EXPECT_FALSE(without.state().instances.at(instance.uid).backup);
  std::vector<std::string> reasons;
  for (const LogRecord& record : without.log()) {
    for (const Event& event : record.events) {
      if (event.type == "FailoverProtectionLost") reasons.push_back(event.reason);
    }
  }
  EXPECT_THAT(reasons, testing::ElementsAre("GuaranteeOff"));
}

TEST_F(FailoverGuards, ManyAreLookedAfterALittleAtATime) {
  for (int i = 4; i < 40; ++i) cell_.connect_host("host-" + std::to_string(i), gibibytes(64));
  for (int i = 0; i < 5; ++i) {
    CreateInstances create = many(100, guarded("w" + std::to_string(i)));
    create.wishes.forbidden_labels = {{"spare", std::nullopt}};
    ASSERT_TRUE(cell_.run(create).ok());
  }
  const size_t commits = cell_.commits;
  // A site for every host that stood nowhere: where hosts stand is looked at anew for all.
  make({CreateSite{"dc3"}});
  EXPECT_LE(cell_.commits, commits + 4);
  for (const auto& [uid, instance] : cell_.state().instances) {
    EXPECT_TRUE(instance.backup) << instance.id;
  }
}

TEST_F(FailoverGuards, AResizeKeepsGroupWishesAndProtection) {
  make({CreateGroup{"default", "apart", {{.level = DomainLevel::kHost}}, {}}});
  CreateInstance create = guarded();
  create.group = "apart";
  create.wishes.within = "dc1";
  create.desired = DesiredState::kStopped;
  const Instance before = cell_.create(create);
  cell_.report(before.claim.host,
               {before.uid, {.phase = Phase::kStopped, .generation = before.generation}, {}});
  const auto resized = cell_.run(ResizeInstance{"default", "web-1", "SCS-1V-4"});
  ASSERT_TRUE(resized.ok()) << describe(resized.status());
  EXPECT_EQ(now(before).group, before.group);
  EXPECT_EQ(now(before).wishes, before.wishes);
  EXPECT_TRUE(now(before).failover);
  EXPECT_EQ(now(before).claim.host, before.claim.host);
  EXPECT_GT(now(before).claim.memory, before.claim.memory);
  EXPECT_NE(backup_of(before), "none");
  EXPECT_NE(backup_of(before), "host-3") << "its backup keeps its wishes, too";
  ASSERT_TRUE(cell_.run(StartInstance{"default", "web-1"}).ok());
  ASSERT_TRUE(cell_.run(DeleteInstance{"default", "web-1"}).ok());
  EXPECT_EQ(now(before).group, before.group) << "it holds its place until it is gone";
  EXPECT_NE(backup_of(before), "none");
}

TEST_F(FailoverGuards, WithoutRoomForABackupNothingIsAdmitted) {
  maintain("host-2", true);
  maintain("host-3", true);
  EXPECT_EQ(reason_of(cell_.run(guarded()).status()), "NO_HOST_FITS");
  EXPECT_TRUE(cell_.run(plain()).ok());
}

}  // namespace
}  // namespace stellwerk::controller
