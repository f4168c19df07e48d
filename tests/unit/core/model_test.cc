#include "core/model.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace stellwerk {
namespace {

TEST(Model, EveryEnumValueHasItsWord) {
  EXPECT_EQ(to_string(CpuClass::kLowPerformance), "low-performance");
  EXPECT_EQ(to_string(CpuClass::kShared), "shared");
  EXPECT_EQ(to_string(CpuClass::kDedicatedThread), "dedicated-thread");
  EXPECT_EQ(to_string(CpuClass::kDedicatedCore), "dedicated-core");
  EXPECT_EQ(to_string(DiskType::kUnspecified), "unspecified");
  EXPECT_EQ(to_string(DiskType::kNetwork), "network");
  EXPECT_EQ(to_string(DiskType::kHardDisk), "hdd");
  EXPECT_EQ(to_string(DiskType::kSsd), "ssd");
  EXPECT_EQ(to_string(DiskType::kNvme), "nvme");
  EXPECT_EQ(to_string(ImageFormat::kRaw), "raw");
  EXPECT_EQ(to_string(ImageFormat::kQcow2), "qcow2");
  EXPECT_EQ(to_string(Firmware::kBios), "bios");
  EXPECT_EQ(to_string(Firmware::kUefi), "uefi");
  EXPECT_EQ(to_string(ImageState::kImporting), "importing");
  EXPECT_EQ(to_string(ImageState::kActive), "active");
  EXPECT_EQ(to_string(ImageState::kDeleting), "deleting");
  EXPECT_EQ(to_string(ImageState::kFailed), "failed");
  EXPECT_EQ(to_string(DesiredState::kRunning), "running");
  EXPECT_EQ(to_string(DesiredState::kStopped), "stopped");
  EXPECT_EQ(to_string(DesiredState::kDeleted), "deleted");
  EXPECT_EQ(to_string(RestartPolicy::kOnFailure), "on-failure");
  EXPECT_EQ(to_string(RestartPolicy::kNever), "never");
}

TEST(Model, EveryEnumValueOfNetworksAndRebootsHasItsWord) {
  EXPECT_EQ(to_string(NetworkState::kActive), "active");
  EXPECT_EQ(to_string(NetworkState::kDeleting), "deleting");
  EXPECT_EQ(to_string(IpProtocol::kAny), "any");
  EXPECT_EQ(to_string(IpProtocol::kTcp), "tcp");
  EXPECT_EQ(to_string(IpProtocol::kUdp), "udp");
  EXPECT_EQ(to_string(IpProtocol::kIcmp), "icmp");
  EXPECT_EQ(to_string(RebootKind::kSoft), "soft");
  EXPECT_EQ(to_string(RebootKind::kReset), "reset");
  EXPECT_EQ(to_string(RebootKind::kPowerCycle), "power-cycle");
}

TEST(Model, EveryPhaseHasItsWord) {
  EXPECT_EQ(to_string(Phase::kPending), "pending");
  EXPECT_EQ(to_string(Phase::kPreparing), "preparing");
  EXPECT_EQ(to_string(Phase::kStarting), "starting");
  EXPECT_EQ(to_string(Phase::kRunning), "running");
  EXPECT_EQ(to_string(Phase::kStopping), "stopping");
  EXPECT_EQ(to_string(Phase::kStopped), "stopped");
  EXPECT_EQ(to_string(Phase::kCrashed), "crashed");
  EXPECT_EQ(to_string(Phase::kDeleting), "deleting");
  EXPECT_EQ(to_string(Phase::kDeleted), "deleted");
  EXPECT_EQ(to_string(Phase::kUnknown), "unknown");
}

TEST(Model, WritesMacsAsPeopleDo) {
  EXPECT_EQ(mac_to_string(0x52540000002a), "52:54:00:00:00:2a");
}

TEST(Model, MemoryOverheadHasAFixedPartAndGrowsWithVcpusAndMemory) {
  EXPECT_EQ(memory_with_overhead(Bytes(), VcpuCount(0)), mebibytes(128));
  EXPECT_EQ(memory_with_overhead(gibibytes(1), VcpuCount(1)),
            gibibytes(1) + mebibytes(128) + mebibytes(8) + mebibytes(8));
  EXPECT_EQ(memory_with_overhead(gibibytes(64), VcpuCount(16)),
            gibibytes(64) + mebibytes(128) + mebibytes(128) + mebibytes(512));
}

}  // namespace
}  // namespace stellwerk
