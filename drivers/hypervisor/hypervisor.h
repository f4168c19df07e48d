// A hypervisor on this host. Stateless towards callers: what runs is what `list` says.
//
// Contract: a domain that bears another cell's id, or none, is never changed by any call (its
// calls answer PermissionDenied). Every call is idempotent, blocks at most its deadline, and may
// come from any thread. An error of `list` means "unknown", never "nothing runs".
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/model.h"
#include "core/status.h"

namespace stellwerk::hypervisor {

struct DiskDevice {
  std::string path;
  ImageFormat format = ImageFormat::kQcow2;
};

struct PortDevice {
  uint64_t mac = 0;
  std::string bridge;
  std::string interface_name;  // of the tap, at most 15 characters
  int64_t mtu = kEthernetMtu;
};

// Written into the domain's metadata: enough to tell whose it is and to adopt it.
struct Ownership {
  CellUid cell;
  InstanceUid instance;
  Generation run;             // of the instance, in which this domain was started
  uint64_t reboot_count = 0;  // the newest reboot order carried out on this domain
  std::string project_id;
  std::string instance_id;
  std::string adoption;  // opaque, printable: the instance's whole record (see records/)
  friend bool operator==(const Ownership&, const Ownership&) = default;
};

// The host's hardware threads that a domain's own threads may run on, each list ascending. Empty,
// in what is observed: anywhere.
struct CpuPins {
  std::vector<std::vector<int32_t>> vcpus;  // vCPU 0 first
  std::vector<int32_t> emulator;            // and whatever else the process does
  friend bool operator==(const CpuPins&, const CpuPins&) = default;
};

struct DomainSpec {
  Ownership owner;
  VcpuCount vcpus;
  Bytes memory;
  Firmware firmware = Firmware::kBios;
  DiskDevice boot_disk;
  std::string seed_path;  // cloud-init's ISO image; empty: none
  std::vector<PortDevice> ports;
  // Where the serial console can be reached (see consoles.h); empty: nowhere.
  std::string console_socket;
  // Called when the domain exists and before it runs, so that the first byte it writes is heard.
  std::function<void()> created;
  std::optional<CpuPins> pins;        // none: the domain runs wherever there is room
  std::vector<int32_t> memory_nodes;  // where its memory had best come from; empty: anywhere
};

enum class DomainState : uint8_t {
  kRunning,
  kPaused,         // created and not yet released, or paused by hand
  kPausedOnError,  // the disk behind it failed or is full
  kShuttingDown,
  kCrashed,  // the guest's kernel panicked; the process still exists
};

struct ObservedDomain {
  Uuid uuid;
  std::string name;
  std::optional<Ownership> owner;  // none: not of this cell
  DomainState state = DomainState::kRunning;
  VcpuCount vcpus;
  Bytes memory;
  std::optional<CpuPins> pins;  // none: not this cell's
};

enum class DomainEnd : uint8_t {
  kShutDownByGuest,
  kDestroyed,  // by us or by hand
  kCrashed,    // the process died or the guest panicked
};

struct DomainEvent {
  Uuid uuid;
  std::optional<DomainEnd> ended;  // none: something changed, look again
};

class Hypervisor {
 public:
  virtual ~Hypervisor() = default;

  // Every active domain, ours and foreign, ordered by uuid.
  virtual absl::StatusOr<std::vector<ObservedDomain>> list() = 0;

  // Creates the domain paused, checks it, and lets it run. AlreadyExists if a process with this
  // instance's uuid runs outside the hypervisor's knowledge. If the domain is there, resumes it.
  virtual absl::Status start(const DomainSpec& spec) = 0;
  // Lets a paused domain of ours run.
  virtual absl::Status resume(const InstanceUid& instance) = 0;

  // Asks the guest by ACPI and returns; `list` tells whether it obeyed. NotFound if none runs.
  virtual absl::Status request_shutdown(const InstanceUid& instance) = 0;
  // Soft: asks the guest; reset: presses the button. Then records order.count, and does nothing for
  // one that is recorded. InvalidArgument for a power cycle: that is a destroy and a start.
  virtual absl::Status reboot(const InstanceUid& instance, const RebootOrder& order) = 0;
  // Moves the threads of a domain that runs. NotFound if none does.
  virtual absl::Status pin(const InstanceUid& instance, const CpuPins& pins) = 0;
  // Ends the process and returns when it is gone. OK if none runs.
  virtual absl::Status destroy(const InstanceUid& instance) = 0;

  // Processors, memory, versions of this host; disk fields stay empty.
  virtual absl::StatusOr<HostFacts> host_facts() = 0;

  // `listener` is called from the driver's own thread and only posts. One listener; an empty
  // function removes it, and returns when no call is under way.
  virtual void listen(std::function<void(const DomainEvent&)> listener) = 0;
};

}  // namespace stellwerk::hypervisor
