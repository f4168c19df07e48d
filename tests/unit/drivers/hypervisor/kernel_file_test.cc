#include "drivers/hypervisor/libvirt/kernel_file.h"

#include <gtest/gtest.h>

#include "temporary_directory.h"

namespace stellwerk::hypervisor {
namespace {

TEST(KernelFile, IsReadWhole) {
  const TemporaryDirectory folder;
  const std::string text(10'000, 'x');
  folder.write("long", text);
  folder.write("empty", "");
  EXPECT_EQ(read_kernel_file(folder.path("long")), text);
  EXPECT_EQ(read_kernel_file(folder.path("empty")), "");
}

TEST(KernelFile, IsNothingWhereItCannotBeOpenedOrRead) {
  const TemporaryDirectory folder;
  EXPECT_EQ(read_kernel_file(folder.path("missing")), std::nullopt);
  // Opens, and every read of it fails, as of a file of a process that has just ended.
  EXPECT_EQ(read_kernel_file(folder.path()), std::nullopt);
}

}  // namespace
}  // namespace stellwerk::hypervisor
