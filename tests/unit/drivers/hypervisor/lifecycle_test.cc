#include "drivers/hypervisor/libvirt/lifecycle.h"

#include <gtest/gtest.h>
#include <libvirt/libvirt.h>

namespace stellwerk::hypervisor {
namespace {

const Uuid kOne = *Uuid::parse("aaaaaaaa-bbbb-5ccc-8ddd-000000000001");
const Uuid kTwo = *Uuid::parse("aaaaaaaa-bbbb-5ccc-8ddd-000000000002");

std::optional<DomainEnd> end_of(int type, int detail) {
  return LifecycleEvents().translate({.uuid = kOne, .type = type, .detail = detail}).ended;
}

TEST(StateOf, TellsPausedFromPausedOnError) {
  EXPECT_EQ(state_of(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER), DomainState::kPaused);
  EXPECT_EQ(state_of(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_STARTING_UP), DomainState::kPaused);
  EXPECT_EQ(state_of(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_IOERROR), DomainState::kPausedOnError);
  EXPECT_EQ(state_of(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_CRASHED), DomainState::kCrashed);
  EXPECT_EQ(state_of(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_SHUTTING_DOWN),
            DomainState::kShuttingDown);
}

TEST(StateOf, KnowsTheOtherStates) {
  EXPECT_EQ(state_of(VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED), DomainState::kRunning);
  EXPECT_EQ(state_of(VIR_DOMAIN_BLOCKED, 0), DomainState::kRunning);
  EXPECT_EQ(state_of(VIR_DOMAIN_PMSUSPENDED, 0), DomainState::kPaused);
  EXPECT_EQ(state_of(VIR_DOMAIN_SHUTDOWN, 0), DomainState::kShuttingDown);
  EXPECT_EQ(state_of(VIR_DOMAIN_SHUTOFF, 0), DomainState::kShuttingDown);
  EXPECT_EQ(state_of(VIR_DOMAIN_CRASHED, 0), DomainState::kCrashed);
}

TEST(LifecycleEvents, TellHowADomainEnded) {
  EXPECT_EQ(end_of(VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN),
            DomainEnd::kShutDownByGuest);
  EXPECT_EQ(end_of(VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_DESTROYED),
            DomainEnd::kDestroyed);
  EXPECT_EQ(end_of(VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_CRASHED),
            DomainEnd::kCrashed);
  EXPECT_EQ(end_of(VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_FAILED), DomainEnd::kCrashed);
}

TEST(LifecycleEvents, AskForAnotherLookOtherwise) {
  EXPECT_EQ(end_of(VIR_DOMAIN_EVENT_STARTED, VIR_DOMAIN_EVENT_STARTED_BOOTED), std::nullopt);
  EXPECT_EQ(end_of(VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_IOERROR), std::nullopt);
  EXPECT_EQ(end_of(VIR_DOMAIN_EVENT_SHUTDOWN, VIR_DOMAIN_EVENT_SHUTDOWN_GUEST), std::nullopt);
  EXPECT_EQ(end_of(VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_MIGRATED), std::nullopt);
}

TEST(LifecycleEvents, DoNotTakeASignalledQemuForAGuestThatWantedToStop) {
  LifecycleEvents events;
  const auto translate = [&events](const Uuid& uuid, int type, int detail) {
    return events.translate({.uuid = uuid, .type = type, .detail = detail}).ended;
  };
  translate(kOne, VIR_DOMAIN_EVENT_SHUTDOWN, VIR_DOMAIN_EVENT_SHUTDOWN_HOST);
  translate(kTwo, VIR_DOMAIN_EVENT_SHUTDOWN, VIR_DOMAIN_EVENT_SHUTDOWN_GUEST);
  EXPECT_EQ(translate(kOne, VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN),
            DomainEnd::kDestroyed);
  EXPECT_EQ(translate(kTwo, VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN),
            DomainEnd::kShutDownByGuest);
  // The next life of the same domain begins without a past.
  EXPECT_EQ(translate(kOne, VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN),
            DomainEnd::kShutDownByGuest);
}

}  // namespace
}  // namespace stellwerk::hypervisor
