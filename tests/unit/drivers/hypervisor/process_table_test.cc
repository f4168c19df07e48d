#include "drivers/hypervisor/libvirt/process_table.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "temporary_directory.h"

namespace stellwerk::hypervisor {
namespace {

using std::string_literals::operator""s;

constexpr char kText[] = "aaaaaaaa-bbbb-5ccc-8ddd-eeeeeeeeeeee";
const Uuid kUuid = *Uuid::parse(kText);

std::string command_line(const std::vector<std::string>& arguments) {
  std::string text;
  for (const std::string& argument : arguments) text += argument + '\0';
  return text;
}

TEST(QemuUuid, IsTheArgumentAfterUuid) {
  EXPECT_EQ(qemu_uuid(command_line({"/usr/bin/qemu-system-x86_64", "-m", "64", "-uuid", kText})),
            kUuid);
  EXPECT_EQ(qemu_uuid(command_line({"qemu-system-x86_64", "--uuid", kText, "-m", "64"})), kUuid);
  EXPECT_EQ(
      qemu_uuid(command_line({"/usr/bin/kvm", "-uuid", "AAAAAAAA-BBBB-5CCC-8DDD-EEEEEEEEEEEE"})),
      kUuid);
}

TEST(QemuUuid, IsNothingInAnotherProgram) {
  EXPECT_EQ(qemu_uuid(command_line({"/usr/bin/grep", "-uuid", kText})), std::nullopt);
  EXPECT_EQ(qemu_uuid(command_line({"/qemu-system-x86_64/grep", "-uuid", kText})), std::nullopt);
}

TEST(QemuUuid, IsNothingWhereTheCommandLineIsCutOrHasNone) {
  EXPECT_EQ(qemu_uuid(""), std::nullopt);
  EXPECT_EQ(qemu_uuid("\0\0"s), std::nullopt);
  EXPECT_EQ(qemu_uuid(command_line({"qemu-system-x86_64"})), std::nullopt);
  EXPECT_EQ(qemu_uuid(command_line({"qemu-system-x86_64", "-uuid"})), std::nullopt);
  EXPECT_EQ(qemu_uuid(command_line({"qemu-system-x86_64", "-uuid", "no-uuid"})), std::nullopt);
  EXPECT_EQ(qemu_uuid(command_line({"qemu-system-x86_64", "-name", kText})), std::nullopt);
}

TEST(FindQemu, FindsEveryProcessWithTheUuidAndNoOther) {
  const TemporaryDirectory proc;
  const std::string qemu = command_line({"/usr/bin/qemu-system-x86_64", "-uuid", kText});
  proc.write("700/cmdline", qemu);
  proc.write("31/cmdline", qemu);
  proc.write("32/cmdline", command_line({"/usr/bin/qemu-system-x86_64", "-uuid",
                                         "aaaaaaaa-bbbb-5ccc-8ddd-000000000000"}));
  proc.write("33/cmdline", "");
  proc.write("34/status", "it ended between two looks");
  proc.write("35/cmdline/unreadable", "it ended before it was read");
  proc.write("self/cmdline", qemu);
  proc.write("12x/cmdline", qemu);
  const auto found = find_qemu(proc.path(), kUuid);
  ASSERT_TRUE(found.ok()) << describe(found.status());
  EXPECT_EQ(*found, (std::vector<pid_t>{31, 700}));
}

TEST(FindQemu, SaysUnknownWhenTheTableCannotBeRead) {
  const TemporaryDirectory proc;
  EXPECT_TRUE(absl::IsUnavailable(find_qemu(proc.path("missing"), kUuid).status()));
}

TEST(ProcessHandle, WaitsUntilTheProcessIsGone) {
  const pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  const auto handle = ProcessHandle::open(child);
  ASSERT_TRUE(handle);
  EXPECT_FALSE(handle->wait_until_gone(std::chrono::milliseconds(1)));
  kill(child, SIGKILL);
  EXPECT_TRUE(handle->wait_until_gone(std::chrono::seconds(10)));
  waitpid(child, nullptr, 0);
  EXPECT_FALSE(ProcessHandle::open(child));
}

}  // namespace
}  // namespace stellwerk::hypervisor
