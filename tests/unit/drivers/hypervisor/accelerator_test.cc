// The probe against programs that play QEMU. The real one is tried in
// tests/contract/hypervisor/libvirt_real_test.cc.
#include "drivers/hypervisor/libvirt/accelerator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <charconv>
#include <fstream>
#include <iterator>

#include "drivers/hypervisor/libvirt/probe_initramfs.h"
#include "temporary_directory.h"

namespace stellwerk::hypervisor {
namespace {

using testing::HasSubstr;

class AcceleratorTest : public testing::Test {
 protected:
  AcceleratorTest() {
    config_.kernel = directory_.write("vmlinuz-test", "a kernel");
    config_.device = directory_.write("kvm", "");
    config_.limit = std::chrono::seconds(20);
  }

  // The script notes its process id and its arguments before it does what it is told.
  void play_qemu(const std::string& script) {
    config_.qemu = directory_.write("qemu", "#!/bin/sh\necho $$ > " + directory_.path("pid") +
                                                "\necho \"$@\" > " + directory_.path("arguments") +
                                                "\n" + script + "\n");
    std::filesystem::permissions(config_.qemu, std::filesystem::perms::owner_all);
  }

  std::string noted(const std::string& name) const {
    std::ifstream file(directory_.path(name));
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  bool qemu_is_gone() const {
    const std::string text = noted("pid");
    pid_t pid = 0;
    std::from_chars(text.data(), text.data() + text.size(), pid);
    return pid > 0 && kill(pid, 0) < 0 && errno == ESRCH;
  }

  std::string marker() const { return "echo '" + std::string(kProbeMarker) + "'"; }

  TemporaryDirectory directory_;
  AcceleratorConfig config_;
};

TEST_F(AcceleratorTest, IsKvmWhenUserSpaceSpeaks) {
  play_qemu("echo booting; " + marker() + "; exec sleep 1000");
  const AcceleratorChoice choice = choose_accelerator(config_);
  EXPECT_EQ(choice.accelerator, Accelerator::kKvm) << choice.reason;
  EXPECT_THAT(choice.reason, HasSubstr(config_.kernel));
  EXPECT_THAT(noted("arguments"), HasSubstr("accel=kvm"));
  EXPECT_THAT(noted("arguments"), HasSubstr("-kernel " + config_.kernel));
  EXPECT_TRUE(qemu_is_gone());
}

TEST_F(AcceleratorTest, IsTcgWhenTheKernelHangsAndTheHangingQemuIsKilled) {
  play_qemu("trap '' TERM; echo 'Booting from ROM..'; exec sleep 1000");
  config_.limit = std::chrono::milliseconds(1500);
  const SystemClock clock;
  const MonotonicTime begun = clock.now().monotonic;
  const AcceleratorChoice choice = choose_accelerator(config_);
  EXPECT_LT(clock.now().monotonic - begun, std::chrono::seconds(10));
  EXPECT_EQ(choice.accelerator, Accelerator::kTcg);
  EXPECT_THAT(choice.reason, HasSubstr("Booting from ROM.."));
  EXPECT_TRUE(qemu_is_gone());
}

TEST_F(AcceleratorTest, IsTcgWhenQemuFails) {
  play_qemu("echo 'failed to initialize kvm: Operation not permitted' >&2; exit 1");
  const AcceleratorChoice choice = choose_accelerator(config_);
  EXPECT_EQ(choice.accelerator, Accelerator::kTcg);
  EXPECT_THAT(choice.reason, HasSubstr("Operation not permitted"));
  EXPECT_TRUE(qemu_is_gone());
}

TEST_F(AcceleratorTest, IsTcgWhenQemuIsNotThere) {
  config_.qemu = directory_.path("missing");
  EXPECT_EQ(choose_accelerator(config_).accelerator, Accelerator::kTcg);
}

TEST_F(AcceleratorTest, IsTcgWithoutTheDevice) {
  play_qemu(marker());
  config_.device = directory_.path("missing");
  const AcceleratorChoice choice = choose_accelerator(config_);
  EXPECT_EQ(choice.accelerator, Accelerator::kTcg);
  EXPECT_THAT(choice.reason, HasSubstr(config_.device));
}

TEST_F(AcceleratorTest, NamesTheSettingThatHelpsWhenThereIsNoKernel) {
  play_qemu(marker());
  config_.kernel.clear();
  config_.boot_directory = directory_.path("boot");
  const AcceleratorChoice choice = choose_accelerator(config_);
  EXPECT_EQ(choice.accelerator, Accelerator::kTcg);
  EXPECT_THAT(choice.reason, HasSubstr("hypervisor.probe_kernel"));
  config_.kernel = directory_.path("not-there");
  EXPECT_THAT(choose_accelerator(config_).reason, HasSubstr(config_.kernel));
}

TEST_F(AcceleratorTest, TakesTheNewestKernel) {
  directory_.write("boot/vmlinuz-6.1.0-9-amd64", "");
  directory_.write("boot/vmlinuz-6.1.0-18-amd64", "");
  directory_.write("boot/vmlinuz-5.10.0-30-amd64", "");
  directory_.write("boot/initrd.img-7.0", "");
  config_.kernel.clear();
  config_.boot_directory = directory_.path("boot");
  const auto kernel = find_kernel(config_);
  ASSERT_TRUE(kernel.ok());
  EXPECT_EQ(*kernel, directory_.path("boot/vmlinuz-6.1.0-18-amd64"));
}

TEST_F(AcceleratorTest, DoesNotProbeWhatIsConfigured) {
  play_qemu(marker());
  config_.mode = AcceleratorMode::kKvm;
  EXPECT_EQ(choose_accelerator(config_).accelerator, Accelerator::kKvm);
  config_.mode = AcceleratorMode::kTcg;
  EXPECT_EQ(choose_accelerator(config_).accelerator, Accelerator::kTcg);
  EXPECT_EQ(noted("pid"), "");
}

TEST_F(AcceleratorTest, SurvivesAFloodOfOutput) {
  play_qemu("head -c 1000000 /dev/zero | tr '\\0' x; " + marker());
  EXPECT_EQ(choose_accelerator(config_).accelerator, Accelerator::kKvm);
}

}  // namespace
}  // namespace stellwerk::hypervisor
