// What is not ours is left alone, and nothing runs twice.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../support/eventually.h"
#include "drivers/hypervisor/libvirt/domain_xml.h"
#include "real_fixture.h"

namespace stellwerk::hypervisor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(LibvirtReal, LeavesADomainOfAnotherCellAlone) {
  DomainSpec foreign = spec_;
  foreign.owner.cell = other_cell();
  const auto xml = domain_xml(foreign, Accelerator::kTcg);
  ASSERT_TRUE(DomainHandle(virDomainCreateXML(raw(), xml->c_str(), 0)));
  const auto before = processes();
  expect_untouchable(me());
  EXPECT_EQ(processes(), before);
}

TEST_F(LibvirtReal, LeavesACopyOfOurDomainAlone) {
  DomainSpec copied = spec_;
  copied.owner.instance = instance(999'999);
  auto xml = *domain_xml(copied, Accelerator::kTcg);
  const std::string uuid = "<uuid>" + copied.owner.instance.to_string();
  xml.replace(xml.find(uuid), uuid.size(), "<uuid>" + me().to_string());
  const DomainHandle domain(virDomainCreateXML(raw(), xml.c_str(), 0));
  ASSERT_TRUE(domain);
  expect_untouchable(me());
}

TEST_F(LibvirtReal, LeavesADefinitionOfAnotherOwnerAlone) {
  DomainSpec foreign = spec_;
  foreign.owner.cell = other_cell();
  const auto xml = domain_xml(foreign, Accelerator::kTcg);
  const DomainHandle domain(virDomainDefineXML(raw(), xml->c_str()));
  ASSERT_TRUE(domain);
  EXPECT_TRUE(absl::IsPermissionDenied(driver_->start(spec_)));
  EXPECT_TRUE(absl::IsPermissionDenied(driver_->destroy(me())));
  EXPECT_EQ(virDomainIsActive(domain.get()), 0);
  EXPECT_EQ(virDomainUndefine(domain.get()), 0);
}

// QEMU as somebody starts it by hand, past libvirt.
class UnmanagedQemu {
 public:
  explicit UnmanagedQemu(const InstanceUid& instance) : pid_(fork()) {
    if (pid_ != 0) return;
    execl("/usr/bin/qemu-system-x86_64", "/usr/bin/qemu-system-x86_64", "-display", "none",
          "-machine", "none", "-nodefaults", "-uuid", instance.to_string().c_str(), nullptr);
    _exit(127);
  }
  ~UnmanagedQemu() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  UnmanagedQemu(const UnmanagedQemu&) = delete;
  UnmanagedQemu& operator=(const UnmanagedQemu&) = delete;

  pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

TEST_F(LibvirtReal, DoesNotStartWhatAlreadyRunsPastLibvirt) {
  const UnmanagedQemu qemu(me());
  ASSERT_TRUE(testing::eventually([this] { return processes().size() == 1; }));
  const absl::Status started = driver_->start(spec_);
  EXPECT_TRUE(absl::IsAlreadyExists(started)) << describe(started);
  EXPECT_THAT(std::string(message_of(started)), HasSubstr(std::to_string(qemu.pid())));
  EXPECT_TRUE(listed().empty());
  // Nor does it call it destroyed, for its disk would be deleted next.
  const absl::Status destroyed = driver_->destroy(me());
  EXPECT_TRUE(absl::IsFailedPrecondition(destroyed)) << describe(destroyed);
  EXPECT_THAT(std::string(message_of(destroyed)), HasSubstr(std::to_string(qemu.pid())));
  EXPECT_THAT(processes(), ElementsAre(qemu.pid()));
}

}  // namespace
}  // namespace stellwerk::hypervisor
