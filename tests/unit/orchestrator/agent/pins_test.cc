#include "orchestrator/agent/pins.h"

#include <gtest/gtest.h>

namespace stellwerk::agent {
namespace {

using hypervisor::CpuPins;

Instance guest(int64_t vcpus, std::vector<int32_t> cpus) {
  Instance instance;
  instance.vcpus = VcpuCount(vcpus);
  instance.claim.cpus = std::move(cpus);
  return instance;
}

TEST(WantedPins, GiveEachVcpuItsOwnThreadsAndTheEmulatorTheSharedOnes) {
  EXPECT_EQ(wanted_pins(guest(2, {9, 1}), {0, 2}), (CpuPins{{{9}, {1}}, {0, 2}}));
  EXPECT_EQ(wanted_pins(guest(2, {9, 1, 10, 2}), {0}), (CpuPins{{{1, 9}, {2, 10}}, {0}}));
}

TEST(WantedPins, KeepOthersOnWhatIsShared) {
  EXPECT_EQ(wanted_pins(guest(2, {}), {0, 2}), (CpuPins{{{0, 2}, {0, 2}}, {0, 2}}));
  EXPECT_EQ(wanted_pins(guest(2, {}), {}), std::nullopt);
}

TEST(WantedPins, StayWithinTheClaimWhateverItHolds) {
  EXPECT_EQ(wanted_pins(guest(2, {3, 1, 2}), {0}), (CpuPins{{{1, 2, 3}, {1, 2, 3}}, {0}}));
  EXPECT_EQ(wanted_pins(guest(2, {3}), {0}), (CpuPins{{{3}, {3}}, {0}}));
  EXPECT_EQ(wanted_pins(guest(1, {3, 1}), {}), (CpuPins{{{1, 3}}, {1, 3}}));
}

TEST(Touches, LooksAtVcpusAndEmulator) {
  const CpuPins pins{{{1}, {2, 3}}, {0}};
  for (const int32_t cpu : {0, 1, 2, 3}) EXPECT_TRUE(touches(pins, {cpu, 9}));
  EXPECT_FALSE(touches(pins, {4, 9}));
  EXPECT_FALSE(touches(pins, {}));
}

TEST(Touches, WhatIsPinnedNowhereRunsAnywhere) {
  EXPECT_TRUE(touches(CpuPins{{{}, {}}, {}}, {4}));
  EXPECT_TRUE(touches(CpuPins{{{1}, {}}, {0}}, {4}));
  EXPECT_FALSE(touches(CpuPins{{{}}, {}}, {}));
}

}  // namespace
}  // namespace stellwerk::agent
