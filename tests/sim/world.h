// The truth that controller and agent only hear about: machines, the processes and files on them.
// Daemons die, the world stays; a power cut ends the processes of a machine and leaves its disks.
//
// Everything here changes at once and tells nobody but the listener; delays, lost replies and
// failures belong to the drivers that call. One thread.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/model.h"
#include "drivers/firewall/firewall.h"
#include "drivers/hypervisor/hypervisor.h"
#include "tests/sim/event_log.h"
#include "tests/sim/random.h"

namespace stellwerk::sim {

// One QEMU process with its guest.
struct Process {
  uint64_t pid = 0;
  Uuid uuid;
  std::string name;
  std::optional<hypervisor::Ownership> owner;  // the domain's metadata, of whichever cell
  hypervisor::DomainState state = hypervisor::DomainState::kPaused;
  VcpuCount vcpus;
  Bytes memory;
  bool stranger = false;          // not born by a step of ours
  bool ignores_shutdown = false;  // the guest does not listen to ACPI
  bool shutdown_asked = false;
  std::vector<std::pair<std::string, std::string>> ports;  // interfaces and their bridges
  hypervisor::CpuPins pins;
};

struct DiskFiles {
  bool partial = false;  // being written, or left by a crash
  bool disk = false;
  bool seed = false;
  std::optional<Generation> started;
  Bytes size;  // of the disk
};

enum class ImageFile : uint8_t { kPartial, kPublished };

struct Machine {
  HostUid uid;
  std::string id;
  HostFacts facts;  // boot_id is the present boot's
  HostReserve reserve;
  bool powered = true;
  MonotonicTime booted_at;

  std::vector<Process> processes;  // in order of their birth
  std::map<InstanceUid, DiskFiles> files;
  std::map<ImageUid, ImageFile> images;
  std::map<std::string, std::string> ports;  // interface and its bridge
  std::set<std::string> bridges;             // of networks
  std::optional<firewall::Ruleset> guards;   // in force

  std::vector<Process>::iterator find_process(const Uuid& uuid);
};

// Why a process ended: what a person with all the logs of the world would know.
enum class Cause : uint8_t { kOwnShutdown, kShutdownAsked, kCrash, kDestroyed, kPowerCut };
std::string_view to_string(Cause cause);

struct Ending {
  MonotonicTime time;
  Cause cause = Cause::kCrash;
};

class World {
 public:
  World(const Schedule& schedule, EventLog& log, Random random);

  Machine& machine() { return machine_; }
  const Machine& machine() const { return machine_; }

  // The machine's clocks; the monotonic one starts anew with every boot.
  Now now() const;

  // Gives the process a pid; its port comes into being with it.
  void spawn(Process process);
  // The process with its port, unless `leave_port`. The listener hears of it.
  void end(std::vector<Process>::iterator process, Cause cause, bool leave_port);
  // The guest's kernel panics: its process stays and runs nothing.
  void panic(Process& process);
  void cut_power();
  void restore_power();

  // Called at each change of a domain; the hypervisor's events as they leave it.
  void listen(std::function<void(const hypervisor::DomainEvent&)> listener);
  void tell(const hypervisor::DomainEvent& event) const;

  // The first stranger that was made to end, if any was.
  const std::optional<std::string>& trespass() const { return trespass_; }

  // The first port that came into being before the firewall knew it, if any did.
  const std::optional<std::string>& unguarded() const { return unguarded_; }
  // A reboot of the guest, by the number of its order.
  void note_reboot(const Process& process, uint64_t count);
  // The first order that was carried out twice on one process, if any was.
  const std::optional<std::string>& double_reboot() const { return double_reboot_; }

  // All ends of an instance's processes so far.
  const std::vector<Ending>& endings(const Uuid& uuid) const;

 private:
  void note_end(const Process& process, Cause cause);
  void note_port(const std::string& name);

  const Schedule& schedule_;
  EventLog& log_;
  Random random_;
  Machine machine_;
  uint64_t next_pid_ = 1000;
  std::function<void(const hypervisor::DomainEvent&)> listener_;
  std::map<Uuid, std::vector<Ending>> endings_;
  std::optional<std::string> trespass_;
  std::optional<std::string> unguarded_;
  std::set<std::pair<uint64_t, uint64_t>> reboots_;  // pid and order
  std::optional<std::string> double_reboot_;
};

}  // namespace stellwerk::sim
