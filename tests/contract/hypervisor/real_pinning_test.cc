// Where the threads of real guests may run, as the kernel has it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <filesystem>
#include <fstream>

#include "core/cpu_list.h"
#include "real_fixture.h"

namespace stellwerk::hypervisor {
namespace {

using Cpus = std::vector<int32_t>;

Cpus allowed(const std::filesystem::path& task) {
  std::ifstream status(task / "status");
  const std::string key = "Cpus_allowed_list:";
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(key)) return parse_cpu_list(line.substr(key.size())).value_or(Cpus());
  }
  return {};
}

// The threads of a process as the kernel has them: vCPUs by number, and all others.
struct Threads {
  std::map<std::string, Cpus> vcpus;
  std::map<std::string, Cpus> others;
};

Threads threads_of(pid_t pid) {
  Threads threads;
  for (const auto& task : std::filesystem::directory_iterator(fmt::format("/proc/{}/task", pid))) {
    std::string name;
    std::ifstream comm(task.path() / "comm");
    std::getline(comm, name);
    const std::string number = task.path().filename();
    if (name.starts_with("CPU ")) {
      threads.vcpus[name.substr(0, 5)] = allowed(task);
    } else {
      threads.others[name + " " + number] = allowed(task);
    }
  }
  return threads;
}

class LibvirtPinning : public LibvirtReal {
 protected:
  LibvirtPinning() {
    const auto facts = driver_->host_facts();
    EXPECT_TRUE(facts.ok()) << describe(facts.status());
    for (const NumaNode& node : facts->numa) {
      for (const HostCore& core : node.cores) {
        cpus_.insert(cpus_.end(), core.threads.begin(), core.threads.end());
      }
    }
    std::ranges::sort(cpus_);
    first_ = {cpus_.at(0)};
    rest_ = Cpus(cpus_.begin() + 1, cpus_.end());
  }

  void expect_on(const InstanceUid& instance, const CpuPins& pins) {
    const auto pids = *find_qemu("/proc", instance.value());
    ASSERT_EQ(pids.size(), 1u);
    const Threads threads = threads_of(pids.front());
    ASSERT_EQ(threads.vcpus.size(), pins.vcpus.size());
    for (size_t i = 0; i < pins.vcpus.size(); ++i) {
      EXPECT_EQ(threads.vcpus.at(fmt::format("CPU {}", i)), pins.vcpus[i]) << "vCPU " << i;
    }
    EXPECT_FALSE(threads.others.empty());
    for (const auto& [name, where] : threads.others) EXPECT_EQ(where, pins.emulator) << name;
    for (const ObservedDomain& domain : listed()) {
      if (domain.uuid != instance.value()) continue;
      EXPECT_EQ(domain.pins, pins);
    }
  }

  Cpus cpus_;
  Cpus first_;
  Cpus rest_;
};

TEST_F(LibvirtPinning, HostTellsItsTopology) {
  const auto facts = driver_->host_facts();
  ASSERT_TRUE(facts.ok());
  ASSERT_FALSE(facts->numa.empty());
  EXPECT_EQ(static_cast<int64_t>(cpus_.size()), facts->threads);
  cpu_set_t set;
  ASSERT_EQ(sched_getaffinity(0, sizeof set, &set), 0);
  for (const int32_t cpu : cpus_) EXPECT_TRUE(CPU_ISSET(static_cast<size_t>(cpu), &set)) << cpu;
}

TEST_F(LibvirtPinning, DedicatedVcpusRunOnTheirOwnAndTheEmulatorBesideThem) {
  ASSERT_GE(cpus_.size(), 2u) << "this needs two processors";
  spec_.pins = CpuPins{{rest_}, first_};
  spec_.memory_nodes = {0};
  const absl::Status started = driver_->start(spec_);
  ASSERT_TRUE(started.ok()) << describe(started);
  expect_on(me(), *spec_.pins);
}

TEST_F(LibvirtPinning, EachVcpuHasAThreadOfItsOwn) {
  ASSERT_GE(cpus_.size(), 2u) << "this needs two processors";
  spec_.vcpus = VcpuCount(2);
  spec_.pins = CpuPins{{rest_, first_}, first_};
  ASSERT_TRUE(driver_->start(spec_).ok());
  expect_on(me(), *spec_.pins);
}

// Without control groups libvirt would move QEMU's first thread alone.
TEST_F(LibvirtPinning, ARunningSharedGuestIsMovedWithAllItsThreads) {
  ASSERT_GE(cpus_.size(), 2u) << "this needs two processors";
  spec_.vcpus = VcpuCount(2);
  spec_.pins = CpuPins{{cpus_, cpus_}, cpus_};
  ASSERT_TRUE(driver_->start(spec_).ok());
  expect_on(me(), *spec_.pins);
  const CpuPins moved{{first_, first_}, first_};
  const absl::Status pinned = driver_->pin(me(), moved);
  ASSERT_TRUE(pinned.ok()) << describe(pinned);
  expect_on(me(), moved);
  ASSERT_TRUE(driver_->pin(me(), *spec_.pins).ok());
  expect_on(me(), *spec_.pins);
}

TEST_F(LibvirtPinning, OfAGuestThatWasNotPinnedAreSeenAndSet) {
  ASSERT_TRUE(driver_->start(spec_).ok());
  ASSERT_EQ(listed().size(), 1u);
  ASSERT_TRUE(listed().front().pins);
  EXPECT_EQ(*listed().front().pins, (CpuPins{{{}}, {}}));
  ASSERT_TRUE(driver_->pin(me(), {{first_}, first_}).ok());
  expect_on(me(), {{first_}, first_});
}

TEST_F(LibvirtPinning, RefusesWhatDoesNotRunAndProcessorsThatAreNotThere) {
  EXPECT_TRUE(absl::IsNotFound(driver_->pin(me(), {{first_}, first_})));
  spec_.pins = CpuPins{{{4000}}, first_};
  EXPECT_FALSE(driver_->start(spec_).ok());
  EXPECT_TRUE(listed().empty());
  EXPECT_TRUE(processes().empty());
}

}  // namespace
}  // namespace stellwerk::hypervisor
