// A libvirtd that is dead, late or hangs.
#include <gtest/gtest.h>

#include "../../support/eventually.h"
#include "libvirtd.h"
#include "listener.h"
#include "real_fixture.h"

namespace stellwerk::hypervisor {
namespace {

// Notices within a few seconds that libvirtd hangs.
LibvirtConfig impatient(LibvirtConfig config) {
  config.connection.keepalive_seconds = 1;
  config.connection.keepalive_count = 2;
  config.deadlines.observe = std::chrono::seconds(20);
  return config;
}

TEST_F(LibvirtReal, SaysUnknownWhileLibvirtdIsDeadAndFindsTheGuestAgain) {
  Listener listener(*driver_);
  start_and_wait_for_greeting();
  const auto before = processes();
  libvirtd().kill();
  ASSERT_TRUE(
      testing::eventually([this] { return absl::IsUnavailable(driver_->list().status()); }));
  EXPECT_TRUE(absl::IsUnavailable(driver_->destroy(me())));
  EXPECT_TRUE(absl::IsUnavailable(driver_->start(spec_)));
  EXPECT_EQ(processes(), before);
  libvirtd().start();
  wait_for_connection();
  EXPECT_TRUE(listener.was_told_to_look(Uuid()));
  EXPECT_EQ(processes(), before);
  ASSERT_EQ(listed().size(), 1u);
  EXPECT_EQ(listed()[0].owner, spec_.owner);
  EXPECT_TRUE(driver_->start(spec_).ok());
  EXPECT_EQ(processes(), before);
  // Events come over the new connection, too.
  EXPECT_TRUE(driver_->request_shutdown(me()).ok());
  EXPECT_EQ(listener.end_of(me().value()), DomainEnd::kShutDownByGuest);
}

TEST_F(LibvirtReal, DoesNotHangWithALibvirtdThatHangs) {
  ASSERT_TRUE(driver_->start(spec_).ok());
  reconnect(impatient(config()));
  libvirtd().freeze();
  const SystemClock clock;
  const MonotonicTime begun = clock.now().monotonic;
  const auto domains = driver_->list();
  EXPECT_FALSE(domains.ok());
  EXPECT_LT(clock.now().monotonic - begun, std::chrono::seconds(15));  // before the deadline
  const MonotonicTime before_end = clock.now().monotonic;
  driver_.reset();  // its thread hangs in opening a new connection
  EXPECT_LT(clock.now().monotonic - before_end, std::chrono::seconds(8));
  libvirtd().thaw();
  reconnect(config());
  wait_for_connection();
  EXPECT_EQ(state(), DomainState::kRunning);
}

TEST_F(LibvirtReal, EndsACallAtItsDeadlineWhereKeepAliveDoesNotEndItBefore) {
  LibvirtConfig patient = config();
  patient.connection.keepalive_seconds = 60;
  patient.deadlines.observe = std::chrono::milliseconds(300);
  patient.deadlines.change = std::chrono::milliseconds(300);
  ASSERT_TRUE(driver_->start(spec_).ok());
  reconnect(patient);
  libvirtd().freeze();
  EXPECT_TRUE(absl::IsDeadlineExceeded(driver_->list().status()));
  EXPECT_TRUE(absl::IsDeadlineExceeded(driver_->request_shutdown(me())));
  const absl::Status second = driver_->resume(me());  // the first may still come to pass
  EXPECT_TRUE(absl::IsUnavailable(second)) << describe(second);
  libvirtd().thaw();
  EXPECT_TRUE(testing::eventually([this] { return !absl::IsUnavailable(driver_->resume(me())); }));
  reconnect(config());
}

TEST_F(LibvirtReal, ADestroyLeftBehindDoesNotEndTheGuestLater) {
  LibvirtConfig patient = config();
  patient.connection.keepalive_seconds = 60;
  patient.deadlines.destroy = std::chrono::milliseconds(300);
  start_and_wait_for_greeting();
  const auto before = processes();
  reconnect(patient);
  libvirtd().freeze();
  EXPECT_TRUE(absl::IsDeadlineExceeded(driver_->destroy(me())));
  libvirtd().thaw();
  // The call that was left behind has ended when the next one is let in.
  EXPECT_TRUE(testing::eventually([this] { return !absl::IsUnavailable(driver_->resume(me())); }));
  EXPECT_EQ(processes(), before);
  EXPECT_EQ(state(), DomainState::kRunning);
  reconnect(config());
}

TEST_F(LibvirtReal, RecoversWhenAHangingLibvirtdGoesOn) {
  ASSERT_TRUE(driver_->start(spec_).ok());
  reconnect(impatient(config()));
  libvirtd().freeze();
  EXPECT_FALSE(driver_->list().ok());
  EXPECT_TRUE(absl::IsUnavailable(driver_->list().status()));
  libvirtd().thaw();
  wait_for_connection();
  EXPECT_EQ(state(), DomainState::kRunning);
}

TEST_F(LibvirtReal, StartsBeforeLibvirtdDoes) {
  libvirtd().kill();
  reconnect(config());
  const auto domains = driver_->list();
  EXPECT_TRUE(absl::IsUnavailable(domains.status())) << describe(domains.status());
  EXPECT_TRUE(absl::IsUnavailable(driver_->host_facts().status()));
  libvirtd().start();
  wait_for_connection();
  EXPECT_TRUE(driver_->start(spec_).ok());
}

}  // namespace
}  // namespace stellwerk::hypervisor
