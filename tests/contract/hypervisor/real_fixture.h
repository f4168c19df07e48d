// One test of the driver on the sandbox's real libvirtd and QEMU, under TCG. A test has a guest
// described and not yet started; every domain is gone when it ends.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/hypervisor/libvirt/console_sockets.h"
#include "drivers/hypervisor/libvirt/handles.h"
#include "drivers/hypervisor/libvirt/libvirt_hypervisor.h"
#include "drivers/hypervisor/libvirt/process_table.h"
#include "libvirtd.h"

namespace stellwerk::hypervisor {

// What a failpoint does in the present test. Driver threads pass them.
class Failpoints {
 public:
  void on(std::function<void(std::string_view)> action);
  void pass(std::string_view name);

 private:
  std::mutex mutex_;
  std::function<void(std::string_view)> action_;
};

class LibvirtReal : public ::testing::Test {
 protected:
  LibvirtReal();
  ~LibvirtReal() override;

  // Once for all tests, by main.
  static void set_up_suite();
  static void tear_down_suite();
  friend int run_real_tests(int argc, char** argv);

  static Libvirtd& libvirtd();
  static Failpoints& failpoints();

  static LibvirtConfig config();
  static CellUid other_cell();
  static InstanceUid instance(int number);
  const InstanceUid& me() const { return spec_.owner.instance; }
  std::vector<pid_t> processes() const { return *find_qemu("/proc", me().value()); }

  // libvirt past the driver, as an operator has it.
  virConnectPtr raw();
  DomainHandle raw_domain(const Uuid& uuid);

  std::vector<ObservedDomain> listed();
  // Of the only domain.
  DomainState state();

  // How often the guest has booted, by what it said on its console.
  int greetings() const;
  void hear();
  static ConsoleSockets& consoles();
  void start_and_wait_for_greeting();
  void reconnect(const LibvirtConfig& config);
  void wait_for_connection();

  // Every change of the only domain is refused and leaves it as it was.
  void expect_untouchable(const InstanceUid& instance);

  std::string directory_;
  DomainSpec spec_;
  mutable std::mutex console_mutex_;
  std::unique_ptr<Descriptor> console_;
  mutable std::string said_;
  std::unique_ptr<LibvirtHypervisor> driver_;
  virConnectPtr raw_ = nullptr;
};

}  // namespace stellwerk::hypervisor
