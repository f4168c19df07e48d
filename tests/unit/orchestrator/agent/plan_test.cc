// plan(): one decision per instance, from what is wanted and what is there.
#include "orchestrator/agent/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stellwerk::agent {
namespace {

using hypervisor::DomainEnd;
using hypervisor::DomainState;
using std::chrono::seconds;

const CellUid kCell(Uuid::v5(Uuid(), "cell"));
const MonotonicTime kNow{std::chrono::hours(1)};

class Plan : public ::testing::Test {
 protected:
  Plan() {
    desired_.uid = InstanceUid(Uuid::v5(Uuid(), "web-1"));
    desired_.id = "web-1";
    desired_.generation = Generation(3);
    desired_.run = Generation(3);
  }

  InstancePlan decide(MonotonicTime now = kNow) {
    return plan({.cell = kCell,
                 .desired = desired_,
                 .networks = networks_,
                 .observed = observed_,
                 .history = history_,
                 .unguarded = unguarded_,
                 .shared_cpus = shared_cpus_,
                 .in_the_way = in_the_way_},
                limits_, now);
  }
  template <class Step>
  bool steps(const InstancePlan& plan) const {
    return plan.step && std::holds_alternative<Step>(*plan.step) &&
           instance_of(*plan.step) == desired_.uid;
  }

  void give_files(std::optional<Generation> started = std::nullopt) {
    observed_.files = {
        .instance = desired_.uid, .has_disk = true, .has_seed = true, .started = started};
  }
  void give_domain(DomainState state = DomainState::kRunning) {
    hypervisor::Ownership owner{.cell = kCell, .instance = desired_.uid};
    owner.run = Generation(3);
    observed_.domain = {
        .uuid = desired_.uid.value(), .name = "stellwerk-x", .owner = owner, .state = state};
  }

  Instance desired_;
  std::vector<Network> networks_;
  InstanceObservation observed_;
  History history_;
  std::vector<int32_t> shared_cpus_;
  std::string in_the_way_;
  std::string unguarded_;
  PlanLimits limits_;
};

TEST_F(Plan, PreparesFilesThenStartsThenMarksThenRests) {
  EXPECT_TRUE(steps<PrepareFiles>(decide()));
  EXPECT_EQ(decide().observed.phase, Phase::kPreparing);
  give_files();
  EXPECT_TRUE(steps<StartDomain>(decide()));
  EXPECT_EQ(decide().observed.phase, Phase::kStarting);
  give_domain();
  EXPECT_TRUE(steps<MarkStarted>(decide()));
  give_files(Generation(3));
  const InstancePlan rest = decide();
  EXPECT_FALSE(rest.step);
  EXPECT_EQ(rest.observed.phase, Phase::kRunning);
  EXPECT_EQ(rest.observed.generation, Generation(3));
}

TEST_F(Plan, StartsNothingWhosePortsAreNotGuarded) {
  unguarded_ = "nftables is away";
  EXPECT_TRUE(steps<PrepareFiles>(decide())) << "files need no firewall";
  give_files();
  const InstancePlan waiting = decide();
  EXPECT_FALSE(waiting.step);
  EXPECT_EQ(waiting.observed.phase, Phase::kStarting);
  EXPECT_EQ(waiting.observed.reason, "WaitingForFirewall");
  EXPECT_EQ(waiting.observed.message, "nftables is away");
  unguarded_.clear();
  EXPECT_TRUE(steps<StartDomain>(decide()));
}

TEST_F(Plan, WhatRunsIsNotStoppedForWantOfGuardsNorCalledCarriedOut) {
  unguarded_ = "nftables is away";
  give_files(Generation(3));
  give_domain();
  const InstancePlan running = decide();
  EXPECT_FALSE(running.step);
  EXPECT_EQ(running.observed.phase, Phase::kRunning);
  EXPECT_EQ(running.observed.reason, "WaitingForFirewall");
  EXPECT_NE(running.observed.generation, Generation(3));
}

TEST_F(Plan, StopsAndDeletesAlsoWithoutAFirewall) {
  unguarded_ = "nftables is away";
  desired_.desired = DesiredState::kDeleted;
  give_files();
  give_domain();
  EXPECT_TRUE(steps<DestroyDomain>(decide()));
}

TEST_F(Plan, MakesASeedThatIsMissing) {
  give_files();
  observed_.files->has_seed = false;
  EXPECT_TRUE(steps<PrepareFiles>(decide()));
}

TEST_F(Plan, ADiskThatIsLostIsNotReplacedByAFreshOne) {
  desired_.has_disk = true;
  EXPECT_FALSE(decide().step);
  EXPECT_EQ(decide().observed.reason, "DiskMissing");
  give_files();
  observed_.files->has_disk = false;
  EXPECT_FALSE(decide().step);
  observed_.files->has_disk = true;
  EXPECT_TRUE(steps<StartDomain>(decide())) << "it was put back";
  observed_.files.reset();
  desired_.desired = DesiredState::kDeleted;
  EXPECT_EQ(decide().observed.phase, Phase::kDeleted) << "nothing is left to wait for";
}

TEST_F(Plan, ReleasesADomainThatACrashLeftPaused) {
  give_files();
  give_domain(DomainState::kPaused);
  EXPECT_TRUE(steps<ResumeDomain>(decide()));
}

TEST_F(Plan, SaysThatADiskErrorPausedTheGuest) {
  give_files(Generation(3));
  give_domain(DomainState::kPausedOnError);
  EXPECT_TRUE(steps<ResumeDomain>(decide()));
  EXPECT_EQ(decide().observed.reason, "DiskError");
}

TEST_F(Plan, RemovesALeftPortBeforeAStart) {
  give_files();
  observed_.ports = {"sw000000000000"};
  EXPECT_TRUE(steps<RemovePort>(decide()));
}

TEST_F(Plan, RebootsOncePerOrder) {
  give_files(Generation(3));
  give_domain();
  desired_.reboot = {.count = 2, .kind = RebootKind::kReset};
  observed_.domain->owner->reboot_count = 1;
  const InstancePlan reboot = decide();
  ASSERT_TRUE(steps<RebootDomain>(reboot));
  EXPECT_EQ(std::get<RebootDomain>(*reboot.step).order, desired_.reboot);
  EXPECT_NE(reboot.observed.generation, Generation(3)) << "carried out before it was";
  observed_.domain->owner->reboot_count = 2;
  EXPECT_FALSE(decide().step);
}

TEST_F(Plan, APowerCycleEndsTheProcessAndStartsTheDefinitionOfNow) {
  desired_.restart_policy = RestartPolicy::kNever;
  desired_.reboot = {.count = 1, .kind = RebootKind::kPowerCycle};
  desired_.run = Generation(4);
  give_files(Generation(3));
  give_domain();
  const InstancePlan end = decide();
  ASSERT_TRUE(steps<DestroyDomain>(end));
  EXPECT_TRUE(std::get<DestroyDomain>(*end.step).power_cycle);
  EXPECT_NE(end.observed.generation, Generation(3)) << "carried out before it was";
  // Whoever finds it gone, this process or the next, takes it for no crash.
  observed_.domain.reset();
  const InstancePlan start = decide();
  ASSERT_TRUE(steps<StartDomain>(start));
  EXPECT_FALSE(start.final_end);
  EXPECT_EQ(std::get<StartDomain>(*start.step).instance.reboot.count, 1u);
  give_domain();
  observed_.domain->owner->run = Generation(4);
  observed_.domain->owner->reboot_count = 1;
  EXPECT_TRUE(steps<MarkStarted>(decide()));
  give_files(Generation(4));
  EXPECT_FALSE(decide().step);
}

TEST_F(Plan, APowerCycleIsNotHeldUpByWhatTheGuestIsAt) {
  desired_.reboot = {.count = 1, .kind = RebootKind::kPowerCycle};
  give_files(Generation(3));
  history_.shutdown_asked_at = kNow;
  for (const DomainState state : {DomainState::kRunning, DomainState::kPaused,
                                  DomainState::kPausedOnError, DomainState::kShuttingDown}) {
    give_domain(state);
    EXPECT_TRUE(steps<DestroyDomain>(decide()));
  }
}

TEST_F(Plan, AResetIsNotHeldUpByAnOldRequestToShutDown) {
  give_files(Generation(3));
  give_domain();
  history_.shutdown_asked_at = kNow;
  desired_.reboot = {.count = 1, .kind = RebootKind::kReset};
  EXPECT_TRUE(steps<RebootDomain>(decide()));
  desired_.reboot.kind = RebootKind::kSoft;
  EXPECT_FALSE(decide().step);
  EXPECT_EQ(decide().observed.reason, "WaitingForGuest");
}

TEST_F(Plan, ADiskThatIsTooSmallIsGrownBeforeTheNextStart) {
  give_files();
  observed_.files->disk_size = gibibytes(2);
  desired_.boot_disk = gibibytes(3);
  EXPECT_TRUE(steps<PrepareFiles>(decide()));
  observed_.files->disk_size = gibibytes(3);
  EXPECT_TRUE(steps<StartDomain>(decide()));
  observed_.files->disk_size.reset();  // not to be read: the start will tell
  EXPECT_TRUE(steps<StartDomain>(decide()));
  give_domain();
  observed_.files->disk_size = gibibytes(2);
  EXPECT_FALSE(steps<PrepareFiles>(decide())) << "under a running guest";
}

TEST_F(Plan, ANewGenerationOfTheSameRunKeepsWhatTheGuestDid) {
  give_files(Generation(3));
  desired_.generation = Generation(9);  // its labels, say
  desired_.restart_policy = RestartPolicy::kNever;
  EXPECT_EQ(decide().final_end, FinalEnd::kCrashedAndNotRestarted);
  give_domain();
  EXPECT_FALSE(decide().step);
  EXPECT_EQ(decide().observed.generation, Generation(9));
}

TEST_F(Plan, AsksAGuestToStopWaitsAndThenEndsIt) {
  desired_.desired = DesiredState::kStopped;
  give_files(Generation(3));
  give_domain();
  EXPECT_TRUE(steps<RequestShutdown>(decide()));
  history_.shutdown_asked_at = kNow;
  const InstancePlan waiting = decide();
  EXPECT_FALSE(waiting.step);
  EXPECT_EQ(waiting.wake_at, kNow + limits_.shutdown_patience);
  EXPECT_EQ(waiting.observed.phase, Phase::kStopping);
  EXPECT_TRUE(steps<DestroyDomain>(decide(kNow + limits_.shutdown_patience)));
  observed_.domain.reset();
  EXPECT_TRUE(steps<DestroyDomain>(decide())) << "nobody has looked for a lost process";
  history_.confirmed_gone = true;
  EXPECT_EQ(decide().observed.phase, Phase::kStopped);
  EXPECT_EQ(decide().observed.generation, Generation(3));
}

TEST_F(Plan, WaitsForAGuestThatWasAskedToStopBeforeItRunsItAgain) {
  give_files(Generation(2));
  give_domain();
  history_.shutdown_asked_at = kNow;
  const InstancePlan waiting = decide();
  EXPECT_FALSE(waiting.step);
  EXPECT_EQ(waiting.observed.phase, Phase::kStopping);
  EXPECT_EQ(waiting.wake_at, kNow + limits_.shutdown_patience);
  EXPECT_EQ(decide(kNow + limits_.shutdown_patience).observed.phase, Phase::kRunning);
}

TEST_F(Plan, DestroysAtOnceWhenToldToOrWhenTheGuestCannotListen) {
  desired_.desired = DesiredState::kStopped;
  give_domain();
  desired_.stop_hard = true;
  EXPECT_TRUE(steps<DestroyDomain>(decide()));
  desired_.stop_hard = false;
  give_domain(DomainState::kPaused);
  EXPECT_TRUE(steps<DestroyDomain>(decide()));
}

TEST_F(Plan, DeletesDomainThenPortThenFilesThenReportsThemGone) {
  desired_.desired = DesiredState::kDeleted;
  give_files(Generation(3));
  give_domain();
  observed_.ports = {"sw000000000000"};
  EXPECT_TRUE(steps<DestroyDomain>(decide()));
  observed_.domain.reset();
  EXPECT_TRUE(steps<DestroyDomain>(decide())) << "a process that libvirt lost keeps its disk";
  history_.confirmed_gone = true;
  EXPECT_TRUE(steps<RemovePort>(decide()));
  observed_.ports.clear();
  EXPECT_TRUE(steps<DeleteFiles>(decide()));
  EXPECT_NE(decide().observed.phase, Phase::kDeleted);
  observed_.files.reset();
  EXPECT_EQ(decide().observed.phase, Phase::kDeleted);
  EXPECT_EQ(decide().observed.generation, Generation(3));
}

TEST_F(Plan, LeavesADomainOfAnotherOwnerAlone) {
  for (const DesiredState state :
       {DesiredState::kRunning, DesiredState::kStopped, DesiredState::kDeleted}) {
    desired_.desired = state;
    give_domain();
    observed_.domain->owner.reset();
    EXPECT_FALSE(decide().step);
    EXPECT_EQ(decide().observed.reason, "ForeignDomain");
    give_domain();
    observed_.domain->owner->cell = CellUid(Uuid::v5(Uuid(), "another cell"));
    EXPECT_FALSE(decide().step);
  }
}

TEST_F(Plan, DoesNotLetOldOrdersTouchANewerDomain) {
  desired_.desired = DesiredState::kDeleted;
  give_domain();
  observed_.domain->owner->run = Generation(4);
  EXPECT_FALSE(decide().step);
  EXPECT_EQ(decide().observed.reason, "StaleOrders");
}

TEST_F(Plan, AGuestShutDownFromInsideStaysDown) {
  give_files(Generation(3));
  history_.end = DomainEnd::kShutDownByGuest;
  const InstancePlan ended = decide();
  EXPECT_FALSE(ended.step);
  EXPECT_EQ(ended.final_end, FinalEnd::kShutDownByGuest);
  EXPECT_EQ(ended.observed.phase, Phase::kStopped);
}

TEST_F(Plan, ACrashFollowsTheRestartPolicy) {
  give_files(Generation(3));
  EXPECT_TRUE(steps<StartDomain>(decide()));
  desired_.restart_policy = RestartPolicy::kNever;
  const InstancePlan final = decide();
  EXPECT_FALSE(final.step);
  EXPECT_EQ(final.final_end, FinalEnd::kCrashedAndNotRestarted);
  EXPECT_EQ(final.observed.phase, Phase::kCrashed);
}

TEST_F(Plan, PolicyNeverStillStartsWhatHasNotRunUnderThisGeneration) {
  desired_.restart_policy = RestartPolicy::kNever;
  give_files(Generation(2));
  EXPECT_TRUE(steps<StartDomain>(decide()));
}

TEST_F(Plan, BacksOffAfterFailuresAndSaysWhatFailed) {
  give_files(Generation(3));
  history_.failures = 2;
  history_.last_error = "start-domain: no space";
  history_.not_before = kNow + seconds(4);
  const InstancePlan waiting = decide();
  EXPECT_FALSE(waiting.step);
  EXPECT_EQ(waiting.wake_at, kNow + seconds(4));
  EXPECT_EQ(waiting.observed.phase, Phase::kCrashed);
  EXPECT_THAT(waiting.observed.message, testing::HasSubstr("no space"));
  EXPECT_TRUE(steps<StartDomain>(decide(kNow + seconds(4))));
}

TEST(InterfaceName, FitsLinuxAndFollowsFromTheUid) {
  const InstanceUid uid(*Uuid::parse("01234567-89ab-cdef-0123-456789abcdef"));
  EXPECT_EQ(interface_name(uid, 0), "sw0123456789ab");
  EXPECT_EQ(interface_name(uid, 10), "sw0123456789aba");
  for (const size_t port : {0, 1, 15}) EXPECT_TRUE(is_interface_name(interface_name(uid, port)));
  for (const char* theirs : {"sw", "swp1", "sw0p1", "sw0123456789a", "sw0123456789ag",
                             "sw0123456789AB", "sw0123456789abcd", "ta0123456789ab"}) {
    EXPECT_FALSE(is_interface_name(theirs)) << theirs;
  }
  EXPECT_LE(interface_name(uid, 15).size(), 15u);
}

TEST_F(Plan, WaitsForProcessorsThatOthersStillUse) {
  give_files();
  in_the_way_ = "another guest is still to be moved off the processors 1";
  const InstancePlan waiting = decide();
  EXPECT_FALSE(waiting.step);
  EXPECT_EQ(waiting.observed.reason, "WaitingForProcessors");
  EXPECT_EQ(waiting.observed.message, in_the_way_);
  in_the_way_.clear();
  shared_cpus_ = {0, 2};
  const InstancePlan starting = decide();
  ASSERT_TRUE(steps<StartDomain>(starting));
  EXPECT_EQ(std::get<StartDomain>(*starting.step).shared_cpus, shared_cpus_);
}

class PlanPins : public Plan {
 protected:
  PlanPins() {
    desired_.vcpus = VcpuCount(2);
    shared_cpus_ = {0, 3};
    give_files(Generation(3));
    give_domain();
    observed_.domain->pins = hypervisor::CpuPins{{{0, 3}, {0, 3}}, {0, 3}};
  }
};

TEST_F(PlanPins, RestWhereTheyAreAsTheyShouldBe) {
  EXPECT_FALSE(decide().step);
}

TEST_F(PlanPins, FollowTheProcessorsThatAreLeftToShare) {
  shared_cpus_ = {3};
  const InstancePlan plan = decide();
  ASSERT_TRUE(steps<PinDomain>(plan));
  EXPECT_EQ(std::get<PinDomain>(*plan.step).pins, (hypervisor::CpuPins{{{3}, {3}}, {3}}));
  EXPECT_EQ(plan.observed.phase, Phase::kRunning);
  EXPECT_EQ(plan.observed.generation, desired_.generation);
}

TEST_F(PlanPins, OfADedicatedGuestAreItsClaims) {
  desired_.claim.cpus = {1, 5, 2, 6};
  const InstancePlan plan = decide();
  ASSERT_TRUE(steps<PinDomain>(plan));
  EXPECT_EQ(std::get<PinDomain>(*plan.step).pins, (hypervisor::CpuPins{{{1, 5}, {2, 6}}, {0, 3}}));
}

TEST_F(PlanPins, AreLookedAfterWhileAGuestIsAskedToStop) {
  desired_.desired = DesiredState::kStopped;
  shared_cpus_ = {3};
  EXPECT_TRUE(steps<RequestShutdown>(decide()));  // first what was asked for
  history_.shutdown_asked_at = kNow;
  EXPECT_TRUE(steps<PinDomain>(decide()));
}

TEST_F(PlanPins, AreLeftAloneWhereNobodyKnowsThem) {
  shared_cpus_ = {3};
  observed_.domain->pins.reset();
  EXPECT_FALSE(decide().step);
  give_domain();
  shared_cpus_.clear();
  EXPECT_FALSE(decide().step);
}

TEST_F(PlanPins, OfForeignDomainsAreNotTouched) {
  shared_cpus_ = {3};
  observed_.domain->owner.reset();
  EXPECT_FALSE(decide().step);
}

TEST_F(PlanPins, ThatCannotBeSetAreTriedAgainLaterAndStopNothingElse) {
  shared_cpus_ = {3};
  history_.failures = 2;
  history_.last_error = "pin-domain: no";
  history_.not_before = kNow + seconds(5);
  const InstancePlan plan = decide();
  EXPECT_FALSE(plan.step);
  EXPECT_EQ(plan.wake_at, history_.not_before);
  EXPECT_EQ(plan.observed.phase, Phase::kRunning);
  EXPECT_EQ(plan.observed.reason, "RetryingAfterError");
  EXPECT_TRUE(steps<PinDomain>(decide(kNow + seconds(5))));
  desired_.desired = DesiredState::kStopped;
  EXPECT_TRUE(steps<RequestShutdown>(decide(kNow + seconds(5))));
}

}  // namespace
}  // namespace stellwerk::agent
