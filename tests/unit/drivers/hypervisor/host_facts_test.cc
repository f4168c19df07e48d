#include "drivers/hypervisor/libvirt/host_facts.h"

#include <gtest/gtest.h>

#include "temporary_directory.h"

namespace stellwerk::hypervisor {
namespace {

// Two packages of two cores with two threads each.
std::string cpuinfo() {
  std::string text;
  for (int thread = 0; thread < 8; ++thread) {
    text += fmt::format(
        "processor\t: {}\nmodel name\t: Sixteen Bit\nphysical id\t: {}\nsiblings\t: 4\ncore "
        "id\t\t: "
        "{}\nflags\t\t: fpu lm cmov cx8 fxsr mmx sse sse2\n\n",
        thread, thread / 4, thread % 2);
  }
  return text;
}

TEST(Processors, CountsCoresOfEveryPackage) {
  EXPECT_EQ(parse_processors(cpuinfo()), (Processors{4, 8, "Sixteen Bit", {"x86-64-v1"}}));
}

TEST(Processors, TakesThreadsForCoresWhereNoneAreNamed) {
  EXPECT_EQ(parse_processors("processor : 0\n\nprocessor : 1\n"), (Processors{2, 2, "", {}}));
}

TEST(TotalMemory, IsInKibibytes) {
  const auto memory = parse_total_memory("MemTotal:       24612108 kB\nMemFree:  1 kB\n");
  ASSERT_TRUE(memory.ok());
  EXPECT_EQ(*memory, kibibytes(24612108));
}

TEST(TotalMemory, IsRefusedWhenMissingOrInAnotherUnit) {
  EXPECT_FALSE(parse_total_memory("MemFree: 1 kB\n").ok());
  EXPECT_FALSE(parse_total_memory("MemTotal: 1 MB\n").ok());
  EXPECT_FALSE(parse_total_memory("MemTotal: much kB\n").ok());
}

TEST(HostFacts, AreReadFromProcfs) {
  const TemporaryDirectory proc;
  proc.write("cpuinfo", cpuinfo());
  proc.write("meminfo", "MemTotal: 1024 kB\n");
  proc.write("sys/kernel/random/boot_id", "0aa00bb0-0000-4000-8000-000000000000\n");
  const auto facts = read_host_facts(proc.path());
  ASSERT_TRUE(facts.ok()) << describe(facts.status());
  EXPECT_EQ(facts->cores, 4);
  EXPECT_EQ(facts->threads, 8);
  EXPECT_EQ(facts->cpu_model, "Sixteen Bit");
  EXPECT_EQ(facts->cpu_baselines, std::vector<std::string>{"x86-64-v1"});
  EXPECT_EQ(facts->memory, mebibytes(1));
  EXPECT_EQ(facts->boot_id, "0aa00bb0-0000-4000-8000-000000000000");
}

TEST(HostFacts, SayWhichFileCannotBeRead) {
  const TemporaryDirectory proc;
  proc.write("cpuinfo", cpuinfo());
  const auto facts = read_host_facts(proc.path());
  EXPECT_TRUE(absl::IsUnavailable(facts.status()));
  EXPECT_NE(message_of(facts.status()).find("meminfo"), std::string_view::npos);
}

}  // namespace
}  // namespace stellwerk::hypervisor
