#include "drivers/hypervisor/libvirt/pinning.h"

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <future>
#include <thread>

namespace stellwerk::hypervisor {
namespace {

TEST(CpuMap, IsLibvirtsBitmap) {
  EXPECT_EQ(to_cpu_map({0, 3, 9}), (std::vector<unsigned char>{0x09, 0x02}));
  EXPECT_EQ(to_cpu_map({}), (std::vector<unsigned char>{0}));
  const std::vector<unsigned char> map = {0x09, 0x02, 0x00};
  EXPECT_EQ(from_cpu_map(map.data(), map.size()), (std::vector<int32_t>{0, 3, 9}));
}

std::vector<int32_t> affinity() {
  cpu_set_t set;
  EXPECT_EQ(sched_getaffinity(0, sizeof set, &set), 0);
  std::vector<int32_t> cpus;
  for (int32_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(static_cast<size_t>(cpu), &set)) cpus.push_back(cpu);
  }
  return cpus;
}

// A thread with a name, which tells where it may run once it is told to.
class Named {
 public:
  explicit Named(const char* name) {
    told_ = std::async(std::launch::async, [this, name] {
      prctl(PR_SET_NAME, name);
      named_.set_value();
      go_.get_future().wait();
      return affinity();
    });
    named_.get_future().wait();
  }
  std::vector<int32_t> where() {
    go_.set_value();
    return told_.get();
  }

 private:
  std::promise<void> named_;
  std::promise<void> go_;
  std::future<std::vector<int32_t>> told_;
};

TEST(ConfineEmulator, MovesEveryThreadButThoseOfVcpus) {
  const std::vector<int32_t> all = affinity();
  ASSERT_GE(all.size(), 2u) << "this needs two processors";
  Named vcpu("CPU 0/TCG");
  Named other("IO mon_iothread");
  const std::vector<int32_t> first = {all.front()};
  const absl::Status confined = confine_emulator(getpid(), first, "/proc");
  EXPECT_TRUE(confined.ok()) << describe(confined);
  EXPECT_EQ(vcpu.where(), all);
  EXPECT_EQ(other.where(), first);
  EXPECT_EQ(affinity(), first);
  EXPECT_TRUE(confine_emulator(getpid(), all, "/proc").ok());
  EXPECT_EQ(affinity(), all);
}

// From here on this thread may not move any: what a hardened unit does to the whole daemon.
void forbid_moving() {
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_sched_setaffinity, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  sock_fprog program{.len = std::size(code), .filter = code};
  ASSERT_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
  ASSERT_EQ(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

TEST(ConfineEmulator, NeedsNoPermissionWhereNothingRunsWhereItMustNot) {
  const std::vector<int32_t> all = affinity();
  ASSERT_GE(all.size(), 2u) << "this needs two processors";
  const std::vector<int32_t> first = {all.front()};
  absl::Status forbidden;
  absl::Status needless;
  std::thread([&] {
    forbid_moving();
    forbidden = confine_emulator(getpid(), first, "/proc");
  }).join();
  ASSERT_TRUE(confine_emulator(getpid(), first, "/proc").ok());
  std::thread([&] {
    forbid_moving();
    needless = confine_emulator(getpid(), all, "/proc");
  }).join();
  EXPECT_TRUE(absl::IsPermissionDenied(forbidden)) << describe(forbidden);
  EXPECT_TRUE(needless.ok()) << describe(needless);
  EXPECT_TRUE(confine_emulator(getpid(), all, "/proc").ok());
}

TEST(ConfineEmulator, FindsNothingToDoForAProcessThatHasEnded) {
  EXPECT_TRUE(confine_emulator(getpid(), {0}, "/nowhere").ok());
}

}  // namespace
}  // namespace stellwerk::hypervisor
