// Limits of projects: the arithmetic, and what admission makes of it.
#include "orchestrator/controller/quota.h"

#include <gmock/gmock.h>

#include "orchestrator/controller/ledger.h"
#include "tests/unit/orchestrator/controller/cell_harness.h"

namespace stellwerk::controller {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Quota, EveryLimitIsReadBackAsItWasSet) {
  ProjectLimits limits;
  int64_t next = 10;
  for (const Limit limit : kAllLimits) {
    EXPECT_EQ(value_of(limits, limit), std::nullopt);
    set_value(limits, limit, ++next);
    EXPECT_EQ(value_of(limits, limit), next) << to_string(limit);
  }
  for (const Limit limit : kAllLimits) set_value(limits, limit, std::nullopt);
  EXPECT_EQ(limits, ProjectLimits());
}

TEST(Quota, UseIsASumThatCanBeTakenBack) {
  Instance instance;
  instance.claim.cpu_class = CpuClass::kDedicatedCore;
  instance.vcpus = VcpuCount(3);
  instance.memory = gibibytes(2);
  instance.boot_disk = gibibytes(7);
  instance.ports = {{.addresses = {IpAddress::v4(1), IpAddress::v4(2)}},
                    {.addresses = {IpAddress::v4(3)}}};
  const ProjectUse use = use_of(instance);
  EXPECT_EQ(value_of(use, Limit::kInstances), 1);
  EXPECT_EQ(value_of(use, Limit::kDedicatedCores), 3);
  EXPECT_EQ(value_of(use, Limit::kSharedVcpus), 0);
  EXPECT_EQ(value_of(use, Limit::kMemory), gibibytes(2).count());
  EXPECT_EQ(value_of(use, Limit::kDisk), gibibytes(7).count());
  EXPECT_EQ(value_of(use, Limit::kAddresses), 3);
  EXPECT_EQ(use + use - use, use);
  EXPECT_EQ(use - use, ProjectUse());
}

TEST(Quota, NamesEveryLimitThatIsExceededWithWhatIsLeft) {
  Project project{.id = "town"};
  project.limits = {
      .instances = 3, .vcpus = {{CpuClass::kShared, VcpuCount(8)}}, .memory = gibibytes(4)};
  const ProjectUse used{
      .instances = 3, .vcpus = {{CpuClass::kShared, VcpuCount(2)}}, .memory = gibibytes(3)};
  const ProjectUse asked{
      .instances = 1, .vcpus = {{CpuClass::kShared, VcpuCount(6)}}, .memory = gibibytes(2)};
  const absl::Status refused = check_limits(project, used, asked);
  EXPECT_TRUE(absl::IsResourceExhausted(refused));
  EXPECT_EQ(reason_of(refused), "QUOTA_EXCEEDED");
  EXPECT_THAT(
      std::string(message_of(refused)),
      AllOf(HasSubstr("project town"), HasSubstr("instances: 1 asked, 0 left of 3 (3 used)"),
            HasSubstr("memory: 2 GiB asked, 1 GiB left of 4 GiB (3 GiB used)"),
            Not(HasSubstr("vCPUs"))));
}

TEST(Quota, SaysBytesWhereRoundingWouldHideWhatIsShort) {
  Project project{.id = "town"};
  project.limits.memory = gibibytes(4);
  const ProjectUse used{.memory = Bytes(1)};
  EXPECT_THAT(std::string(message_of(check_limits(project, used, {.memory = gibibytes(4)}))),
              HasSubstr("4294967296 bytes asked, 4294967295 bytes left"));
}

TEST(Quota, WhatGivesBackIsNeverRefused) {
  Project project{.id = "town"};
  project.limits = {.instances = 0, .memory = Bytes()};
  const ProjectUse used{.instances = 2, .memory = gibibytes(8)};
  EXPECT_TRUE(check_limits(project, used, {.memory = Bytes() - gibibytes(1)}).ok());
  EXPECT_TRUE(check_limits(project, used, {}).ok());
  EXPECT_FALSE(check_limits(project, used, {.memory = Bytes(1)}).ok());
}

class ProjectQuota : public ::testing::Test {
 protected:
  void SetUp() override {
    host_ = cell_.connect_host("host-1", gibibytes(64));
    cell_.import_image();
  }
  absl::Status limit(Limit which, std::optional<int64_t> value) {
    UpdateProject update{.id = "default"};
    update.limits = {which};
    set_value(update.values, which, value);
    return cell_.run(update).status();
  }
  ProjectView project() { return std::get<ProjectView>(*cell_.read(GetProject{"default"})); }
  void finish_deletion(const Instance& instance) {
    cell_.report(
        host_, {.instance = instance.uid,
                .observed = {.phase = Phase::kDeleted, .generation = instance.generation.next()}});
  }

  CellHarness cell_;
  HostUid host_;
};

TEST_F(ProjectQuota, EachLimitRefusesWhatExceedsIt) {
  // One shared vCPU, 2 GiB, a disk of 2 GiB and one address.
  const std::map<Limit, std::string> limits = {{Limit::kInstances, "instances: 1 asked"},
                                               {Limit::kSharedVcpus, "shared vCPUs: 1 asked"},
                                               {Limit::kMemory, "memory: 2 GiB asked"},
                                               {Limit::kDisk, "disk: 2 GiB asked"},
                                               {Limit::kAddresses, "addresses: 1 asked"}};
  for (const auto& [which, text] : limits) {
    ASSERT_TRUE(limit(which, 0).ok());
    const auto refused = cell_.run(CellHarness::web()).status();
    EXPECT_EQ(reason_of(refused), "QUOTA_EXCEEDED") << to_string(which);
    EXPECT_THAT(std::string(message_of(refused)), HasSubstr(text));
    ASSERT_TRUE(limit(which, std::nullopt).ok());
  }
  cell_.create(CellHarness::web());
}

TEST_F(ProjectQuota, ComesBeforePlacement) {
  ASSERT_TRUE(limit(Limit::kSharedVcpus, 1).ok());
  CreateInstance huge = CellHarness::web();
  huge.flavor = "SCS-16V-32";
  EXPECT_EQ(reason_of(cell_.run(huge).status()), "QUOTA_EXCEEDED");
}

TEST_F(ProjectQuota, CountsAnInstanceUntilItsHostHasSeenItGone) {
  ASSERT_TRUE(limit(Limit::kInstances, 1).ok());
  const Instance first = cell_.create(CellHarness::web());
  EXPECT_EQ(project().use.instances, 1);
  EXPECT_EQ(project().use.addresses, 1);
  ASSERT_TRUE(cell_.run(DeleteInstance{"default", "web-1"}).ok());
  EXPECT_EQ(project().use.instances, 1);
  EXPECT_EQ(reason_of(cell_.run(CellHarness::web("web-2")).status()), "QUOTA_EXCEEDED");
  finish_deletion(first);
  EXPECT_EQ(project().use, ProjectUse());
  cell_.create(CellHarness::web("web-2"));
}

TEST_F(ProjectQuota, MayBeSetBelowWhatIsInUse) {
  cell_.create(CellHarness::web());
  cell_.create(CellHarness::web("web-2"));
  ASSERT_TRUE(limit(Limit::kInstances, 1).ok());
  EXPECT_EQ(project().use.instances, 2);
  EXPECT_EQ(cell_.state().instances.size(), 2u);
  EXPECT_THAT(std::string(message_of(cell_.run(CellHarness::web("web-3")).status())),
              HasSubstr("instances: 1 asked, 0 left of 1 (2 used)"));
}

TEST_F(ProjectQuota, BelongsToOneProjectAlone) {
  ASSERT_TRUE(cell_.run(CreateProject{.id = "town", .limits = {.instances = 0}}).ok());
  cell_.import_image("debian", gibibytes(2), "town");
  cell_.create(CellHarness::web());
  CreateInstance theirs = CellHarness::web();
  theirs.project = "town";
  EXPECT_EQ(reason_of(cell_.run(theirs).status()), "QUOTA_EXCEEDED");
  EXPECT_EQ(std::get<ProjectView>(*cell_.read(GetProject{"town"})).use, ProjectUse());
}

TEST_F(ProjectQuota, IsRebuiltFromTheInstancesWhenACellIsLoaded) {
  cell_.create(CellHarness::web());
  cell_.create(CellHarness::web("web-2"));
  const ProjectUse before = project().use;
  Ledger ledger(cell_.state(), {}, cell_.head().sequence, 100);
  EXPECT_EQ(ledger.use_of_project(project().project.uid), before);
  EXPECT_EQ(before.instances, 2);
}

TEST_F(ProjectQuota, ARefusalIsAuditedAndNotRemembered) {
  ASSERT_TRUE(limit(Limit::kInstances, 0).ok());
  const Ticket refused = cell_.submit(CellHarness::web(), "same");
  EXPECT_FALSE(cell_.answer(refused).ok());
  EXPECT_EQ(cell_.log().back().audit.back().outcome, "RESOURCE_EXHAUSTED");
  ASSERT_TRUE(limit(Limit::kInstances, std::nullopt).ok());
  EXPECT_TRUE(cell_.answer(cell_.submit(CellHarness::web(), "same")).ok());
}

}  // namespace
}  // namespace stellwerk::controller
