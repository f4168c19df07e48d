// Facts about the host, and the KVM probe on a real kernel.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <cstdlib>

#include <thread>

#include "real_fixture.h"

namespace stellwerk::hypervisor {
namespace {

using ::testing::HasSubstr;

TEST_F(LibvirtReal, KnowsTheHost) {
  const auto facts = driver_->host_facts();
  ASSERT_TRUE(facts.ok()) << describe(facts.status());
  EXPECT_EQ(facts->threads, static_cast<int64_t>(std::thread::hardware_concurrency()));
  EXPECT_GE(facts->threads, facts->cores);
  EXPECT_GE(facts->cores, 1);
  EXPECT_EQ(facts->memory,
            Bytes(sysconf(_SC_PHYS_PAGES) * static_cast<int64_t>(sysconf(_SC_PAGE_SIZE))));
  EXPECT_EQ(facts->accelerator, "tcg");
  EXPECT_THAT(facts->hypervisor_version, HasSubstr("QEMU "));
  EXPECT_THAT(facts->hypervisor_version, HasSubstr("libvirt "));
  EXPECT_TRUE(Uuid::parse(facts->boot_id));
}

// A machine without a kernel of its own in /boot, a container for example, is given one.
std::string given_kernel() {
  const char* path = std::getenv("STELLWERK_PROBE_KERNEL");
  return path ? path : "";
}

TEST(AcceleratorReal, SeesARealKernelReachUserSpace) {
  AcceleratorConfig config;
  config.kernel = given_kernel();
  const auto kernel = find_kernel(config);
  ASSERT_TRUE(kernel.ok()) << describe(kernel.status());
  config.limit = std::chrono::seconds(60);
  const absl::Status booted = boot_probe(config, *kernel, Accelerator::kTcg);
  EXPECT_TRUE(booted.ok()) << describe(booted);
}

TEST(AcceleratorReal, DecidesWithinItsLimit) {
  const SystemClock clock;
  const MonotonicTime begun = clock.now().monotonic;
  AcceleratorConfig config;
  config.limit = std::chrono::seconds(5);
  config.kernel = given_kernel();
  const AcceleratorChoice choice = choose_accelerator(config);
  EXPECT_LT(clock.now().monotonic - begun, std::chrono::seconds(10));
  EXPECT_THAT(choice.reason, HasSubstr(choice.accelerator == Accelerator::kKvm ? "KVM" : "kvm"));
}

}  // namespace
}  // namespace stellwerk::hypervisor
