// The hypervisor driver for QEMU through libvirt.
//
// Keeps its one connection alive by itself: while libvirt's daemon is away every call answers
// Unavailable, "unknown", and after it returns the listener is told to look again (an event with
// the nil UUID). Guests are transient domains without autostart: libvirt holds nothing of them
// after they end. Any thread; see deadline_calls.h for how calls that hang end.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "drivers/hypervisor/hypervisor.h"
#include "drivers/hypervisor/libvirt/accelerator.h"
#include "drivers/hypervisor/libvirt/connection.h"
#include "drivers/hypervisor/libvirt/deadline_calls.h"
#include "drivers/hypervisor/libvirt/domain_calls.h"

namespace stellwerk::hypervisor {

struct LibvirtConfig {
  std::string uri = "qemu:///system";
  CellUid cell;
  AcceleratorConfig accelerator;

  struct Deadlines {
    Duration connect =
        std::chrono::seconds(5);  // of the first attempt; later ones go on by themselves
    Duration observe = std::chrono::seconds(15);
    Duration change = std::chrono::seconds(30);
    Duration start = std::chrono::seconds(90);
    Duration destroy = std::chrono::seconds(90);
  };
  Deadlines deadlines;
  ConnectionConfig connection;  // its uri is ignored
  size_t max_calls = 32;        // under way at once, those that hang included
  std::string proc_root = "/proc";
  std::string sys_root = "/sys";
};

class LibvirtHypervisor final : public Hypervisor {
 public:
  // OK also while libvirt's daemon is away; InvalidArgument if the URI cannot be one. Decides
  // the accelerator, which in mode auto takes up to its limit.
  static absl::StatusOr<std::unique_ptr<LibvirtHypervisor>> connect(LibvirtConfig config);
  ~LibvirtHypervisor() override;

  const AcceleratorChoice& accelerator() const { return accelerator_; }

  absl::StatusOr<std::vector<ObservedDomain>> list() override;
  absl::Status start(const DomainSpec& spec) override;
  absl::Status resume(const InstanceUid& instance) override;
  absl::Status request_shutdown(const InstanceUid& instance) override;
  absl::Status reboot(const InstanceUid& instance, const RebootOrder& order) override;
  absl::Status pin(const InstanceUid& instance, const CpuPins& pins) override;
  // FailedPrecondition if a process runs the instance that libvirt does not know: it names it.
  absl::Status destroy(const InstanceUid& instance) override;
  absl::StatusOr<HostFacts> host_facts() override;
  void listen(std::function<void(const DomainEvent&)> listener) override;

 private:
  LibvirtHypervisor(LibvirtConfig config, AcceleratorChoice accelerator);

  using Work = std::function<absl::Status(const DomainCalls&)>;
  absl::Status change(const DeadlineCalls::Request& request, Work work);
  absl::StatusOr<DomainCalls> domain_calls() const;

  const LibvirtConfig config_;
  const AcceleratorChoice accelerator_;
  std::mutex version_mutex_;
  std::string version_;  // as last seen, and so the topology
  std::vector<NumaNode> nodes_;
  std::shared_ptr<EventSink> sink_ = std::make_shared<EventSink>();
  Connection connection_;
  DeadlineCalls calls_;
};

}  // namespace stellwerk::hypervisor
