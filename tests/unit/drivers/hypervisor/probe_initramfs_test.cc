#include "drivers/hypervisor/libvirt/probe_initramfs.h"

#include <elf.h>
#include <gtest/gtest.h>

#include <cstring>

namespace stellwerk::hypervisor {
namespace {

TEST(ProbeProgram, EntersAtItsCodeAndEndsWithTheMessage) {
  const std::string program = probe_program();
  Elf64_Ehdr file{};
  Elf64_Phdr segment{};
  ASSERT_GT(program.size(), sizeof file + sizeof segment);
  std::memcpy(&file, program.data(), sizeof file);
  std::memcpy(&segment, program.data() + file.e_phoff, sizeof segment);
  const uint64_t entry = file.e_entry - segment.p_vaddr;
  EXPECT_EQ(program[entry], '\xb8');
  EXPECT_EQ(segment.p_filesz, program.size());
  EXPECT_TRUE(program.ends_with(std::string(kProbeMarker) + "\n"));
  // The operand of `lea` at code offset 10 points, from the next instruction, to the message.
  int32_t distance = 0;
  std::memcpy(&distance, program.data() + entry + 13, sizeof distance);
  EXPECT_EQ(program.substr(entry + 17 + static_cast<size_t>(distance)),
            std::string(kProbeMarker) + "\n");
}

TEST(ProbeInitramfs, HoldsConsoleAndInitAndIsAligned) {
  const std::string archive = probe_initramfs();
  EXPECT_EQ(archive.size() % 4, 0u);
  EXPECT_TRUE(archive.starts_with("070701"));
  EXPECT_NE(archive.find("dev/console"), std::string::npos);
  const size_t init = archive.find(probe_program());
  ASSERT_NE(init, std::string::npos);
  EXPECT_EQ(init % 4, 0u);
  EXPECT_NE(archive.find("TRAILER!!!"), std::string::npos);
}

}  // namespace
}  // namespace stellwerk::hypervisor
