// A guest's life on real QEMU: start, pause, reboot, and every way to end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <thread>

#include "../../support/eventually.h"
#include "drivers/hypervisor/libvirt/domain_xml.h"
#include "guests.h"
#include "listener.h"
#include "real_fixture.h"

namespace stellwerk::hypervisor {
namespace {

using ::testing::ElementsAre;

TEST_F(LibvirtReal, BootsAGuestFromItsDiskAndListsWhatItNeedsToBeAdopted) {
  start_and_wait_for_greeting();
  const auto domains = listed();
  ASSERT_EQ(domains.size(), 1u);
  EXPECT_EQ(domains[0].uuid, me().value());
  EXPECT_EQ(domains[0].name, domain_name(me()));
  EXPECT_EQ(domains[0].owner, spec_.owner);
  EXPECT_EQ(domains[0].state, DomainState::kRunning);
  EXPECT_EQ(domains[0].vcpus, VcpuCount(1));
  EXPECT_EQ(domains[0].memory, mebibytes(32));
  EXPECT_EQ(virDomainIsPersistent(raw_domain(me().value()).get()), 0);
}

TEST_F(LibvirtReal, AnotherDriverAdoptsARunningGuest) {
  start_and_wait_for_greeting();
  reconnect(config());
  const auto domains = listed();
  ASSERT_EQ(domains.size(), 1u);
  EXPECT_EQ(domains[0].owner, spec_.owner);
  EXPECT_TRUE(driver_->destroy(me()).ok());
}

TEST_F(LibvirtReal, ADomainIsPausedUntilItIsReleased) {
  std::vector<std::string> passed;
  DomainState when_defined = DomainState::kCrashed;
  failpoints().on([&](std::string_view name) {
    passed.emplace_back(name);
    if (name == "hypervisor.define.after") when_defined = state();
  });
  ASSERT_TRUE(driver_->start(spec_).ok());
  EXPECT_EQ(when_defined, DomainState::kPaused);
  EXPECT_EQ(state(), DomainState::kRunning);
  EXPECT_THAT(passed, ElementsAre("hypervisor.define.before", "hypervisor.define.after",
                                  "hypervisor.resume.before", "hypervisor.resume.after"));
}

TEST_F(LibvirtReal, StartingTwiceKeepsTheOneProcess) {
  ASSERT_TRUE(driver_->start(spec_).ok());
  const auto before = processes();
  EXPECT_TRUE(driver_->start(spec_).ok());
  EXPECT_EQ(before.size(), 1u);
  EXPECT_EQ(processes(), before);
}

TEST_F(LibvirtReal, StartsThatRaceAllEndWithTheOneProcess) {
  std::vector<absl::Status> results(6);
  std::vector<std::thread> threads;
  for (absl::Status& result : results) {
    threads.emplace_back([&] { result = driver_->start(spec_); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const absl::Status& result : results) EXPECT_TRUE(result.ok()) << describe(result);
  EXPECT_EQ(processes().size(), 1u);
  EXPECT_EQ(state(), DomainState::kRunning);
}

TEST_F(LibvirtReal, ResumesAPausedGuest) {
  ASSERT_TRUE(driver_->start(spec_).ok());
  const DomainHandle domain = raw_domain(me().value());
  ASSERT_EQ(virDomainSuspend(domain.get()), 0);
  EXPECT_EQ(state(), DomainState::kPaused);
  EXPECT_TRUE(driver_->resume(me()).ok());
  EXPECT_EQ(state(), DomainState::kRunning);
  ASSERT_EQ(virDomainSuspend(domain.get()), 0);
  EXPECT_TRUE(driver_->start(spec_).ok());
  EXPECT_EQ(state(), DomainState::kRunning);
}

TEST_F(LibvirtReal, DestroyReturnsWhenTheProcessIsGone) {
  Listener listener(*driver_);
  start_and_wait_for_greeting();
  ASSERT_EQ(processes().size(), 1u);
  EXPECT_TRUE(driver_->destroy(me()).ok());
  EXPECT_TRUE(processes().empty());
  EXPECT_TRUE(listed().empty());
  EXPECT_EQ(listener.end_of(me().value()), DomainEnd::kDestroyed);
  EXPECT_TRUE(driver_->destroy(me()).ok());
}

TEST_F(LibvirtReal, NothingRunsSoNothingCanBeAsked) {
  EXPECT_TRUE(absl::IsNotFound(driver_->resume(me())));
  EXPECT_TRUE(absl::IsNotFound(driver_->request_shutdown(me())));
  EXPECT_TRUE(absl::IsNotFound(driver_->reboot(me(), {.count = 1})));
  EXPECT_TRUE(driver_->destroy(me()).ok());
}

TEST_F(LibvirtReal, ShutdownAsksTheGuestByAcpi) {
  Listener listener(*driver_);
  start_and_wait_for_greeting();
  EXPECT_TRUE(driver_->request_shutdown(me()).ok());
  EXPECT_EQ(listener.end_of(me().value()), DomainEnd::kShutDownByGuest);
  EXPECT_TRUE(listed().empty());
}

TEST_F(LibvirtReal, SoftRebootBootsTheSameProcessAgainAndIsRecordedOnce) {
  start_and_wait_for_greeting();
  const auto before = processes();
  ASSERT_TRUE(driver_->reboot(me(), {.count = 1}).ok());
  EXPECT_TRUE(testing::eventually([this] { return greetings() == 2; }));
  EXPECT_EQ(processes(), before);
  ASSERT_EQ(listed().size(), 1u);
  Ownership recorded = spec_.owner;
  recorded.reboot_count = 1;
  EXPECT_EQ(listed()[0].owner, recorded);

  std::vector<std::string> passed;
  failpoints().on([&passed](std::string_view name) { passed.emplace_back(name); });
  EXPECT_TRUE(driver_->reboot(me(), {.count = 1}).ok());
  EXPECT_THAT(passed, ElementsAre());
}

TEST_F(LibvirtReal, AResetBootsTheSameProcessAgainOnce) {
  start_and_wait_for_greeting();
  const auto before = processes();
  EXPECT_TRUE(driver_->reboot(me(), {.count = 7, .kind = RebootKind::kReset}).ok());
  EXPECT_TRUE(testing::eventually([this] { return greetings() == 2; }));
  ASSERT_EQ(listed().size(), 1u);
  EXPECT_EQ(listed()[0].owner->reboot_count, 7u);
  EXPECT_EQ(processes(), before);
  std::vector<std::string> passed;
  failpoints().on([&passed](std::string_view name) { passed.emplace_back(name); });
  EXPECT_TRUE(driver_->reboot(me(), {.count = 7, .kind = RebootKind::kReset}).ok());
  EXPECT_THAT(passed, ElementsAre());
}

// The process ends, and the next one bears the order's number from its birth.
TEST_F(LibvirtReal, APowerCycleIsADestroyAndAStartOfTheDefinitionOfNow) {
  start_and_wait_for_greeting();
  const auto before = processes();
  const RebootOrder order{.count = 3, .kind = RebootKind::kPowerCycle};
  EXPECT_TRUE(absl::IsInvalidArgument(driver_->reboot(me(), order)));
  EXPECT_EQ(processes(), before);
  ASSERT_TRUE(driver_->destroy(me()).ok());
  spec_.owner.reboot_count = order.count;
  spec_.vcpus = VcpuCount(2);
  ASSERT_TRUE(driver_->start(spec_).ok());
  EXPECT_TRUE(testing::eventually([this] { return greetings() == 2; }));
  ASSERT_EQ(listed().size(), 1u);
  EXPECT_NE(processes(), before);
  EXPECT_EQ(listed()[0].owner->reboot_count, order.count);
  EXPECT_EQ(listed()[0].vcpus, VcpuCount(2));
}

TEST_F(LibvirtReal, AKilledQemuIsACrash) {
  Listener listener(*driver_);
  start_and_wait_for_greeting();
  kill(processes().at(0), SIGKILL);
  EXPECT_EQ(listener.end_of(me().value()), DomainEnd::kCrashed);
}

TEST_F(LibvirtReal, AQemuEndedByTheHostIsNotAGuestThatWantedToStop) {
  Listener listener(*driver_);
  start_and_wait_for_greeting();
  kill(processes().at(0), SIGTERM);
  EXPECT_EQ(listener.end_of(me().value()), DomainEnd::kDestroyed);
}

TEST_F(LibvirtReal, APanickingGuestIsACrash) {
  write_disk(spec_.boot_disk.path, panicking_guest());
  Listener listener(*driver_);
  ASSERT_TRUE(driver_->start(spec_).ok());
  EXPECT_EQ(listener.end_of(me().value()), DomainEnd::kCrashed);
  EXPECT_TRUE(testing::eventually([this] { return processes().empty(); }));
}

}  // namespace
}  // namespace stellwerk::hypervisor
