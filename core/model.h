// The resource model: what Stellwerk decides about, in plain values. Controller, agent, drivers
// and placement share these; the wire and the store have messages of their own.
// A field has one writer: decisions the controller, `Observed` the agent.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/digest.h"
#include "core/flavor_name.h"
#include "core/ids.h"
#include "core/time.h"
#include "core/units.h"

namespace stellwerk {

using Labels = std::map<std::string, std::string>;

struct Project {
  ProjectUid uid;
  std::string id;  // DNS label, unique in the cell
  Labels labels;
  WallTime created_at;
  Sequence changed_at;  // the commit that last wrote it; the etag
};

struct Flavor {
  FlavorUid uid;
  std::string id;  // an SCS name, or any free name that does not begin with "SCS-"
  CpuClass cpu_class = CpuClass::kShared;
  VcpuCount vcpus;
  Bytes memory;
  std::optional<FlavorDisks> disks;  // none: the request or the image gives the boot disk's size
  bool builtin = false;              // one of SCS-0103's mandatory flavors
  WallTime created_at;
  Sequence changed_at;
};

enum class ImageFormat : uint8_t { kRaw, kQcow2 };
enum class Firmware : uint8_t { kBios, kUefi };
enum class ImageState : uint8_t { kImporting, kActive, kDeleting };

struct Image {
  ImageUid uid;
  ProjectUid project;
  std::string id;
  ImageState state = ImageState::kImporting;
  Firmware firmware = Firmware::kBios;
  Bytes minimum_disk;
  Bytes minimum_memory;
  // Known once active:
  ImageFormat format = ImageFormat::kRaw;
  Bytes file_size;
  Bytes virtual_size;
  Sha256 sha256{};
  Labels labels;
  WallTime created_at;
  Sequence changed_at;
};

// What a network looks like to one port. IPv4 addresses are numbers in host byte order.
struct Network {
  NetworkUid uid;
  std::string id;
  std::string bridge;   // interface name on the host
  uint32_t subnet = 0;  // network address
  uint8_t prefix_length = 24;
  uint32_t gateway = 0;  // zero: none
  std::vector<uint32_t> dns_servers;
  // Where the search for the next free address and MAC begins. MACs are never given twice.
  uint32_t next_address = 0;
  uint64_t next_mac = 0;
  Sequence changed_at;
};

struct Port {
  NetworkUid network;
  uint64_t mac = 0;      // 48 bits
  uint32_t address = 0;  // IPv4
  friend bool operator==(const Port&, const Port&) = default;
};

// What an instance takes, where; fixed at admission.
struct Claim {
  HostUid host;
  CpuClass cpu_class = CpuClass::kShared;
  VcpuCount vcpus;
  Bytes memory;  // guest RAM and QEMU's overhead
  Bytes disk;
  friend bool operator==(const Claim&, const Claim&) = default;
};

enum class DesiredState : uint8_t { kRunning, kStopped, kDeleted };
enum class RestartPolicy : uint8_t { kOnFailure, kNever };

// One change of an instance's desired state that is an act, not a state: it is done once for each
// increment of `count`, also across restarts of either daemon.
struct RebootOrder {
  uint64_t count = 0;
  bool hard = false;
  friend bool operator==(const RebootOrder&, const RebootOrder&) = default;
};

struct Instance {
  InstanceUid uid;
  ProjectUid project;
  std::string id;         // DNS label, unique in the project, free again after deletion
  Generation generation;  // grows with every change of what follows
  DesiredState desired = DesiredState::kRunning;
  bool stop_hard = false;  // stop without asking the guest
  RebootOrder reboot;
  RestartPolicy restart_policy = RestartPolicy::kOnFailure;

  FlavorUid flavor;
  std::string flavor_id;  // as admitted: the flavor may be gone
  VcpuCount vcpus;
  Bytes memory;  // guest RAM
  ImageUid image;
  std::string image_id;
  ImageFormat image_format = ImageFormat::kRaw;
  Firmware firmware = Firmware::kBios;
  Bytes boot_disk;
  std::vector<Port> ports;  // none, or one in this version
  std::vector<std::string> ssh_keys;
  bool has_user_data = false;  // the bytes lie under a key of their own
  Labels labels;
  Claim claim;
  WallTime created_at;
  Sequence changed_at;
};

enum class Phase : uint8_t {
  kPending,    // accepted; no agent has reported yet
  kPreparing,  // disk and seed are being made
  kStarting,
  kRunning,
  kStopping,
  kStopped,
  kCrashed,  // ended without being asked; see reason for what comes next
  kDeleting,
  kDeleted,  // domain, disk and port are gone
  kUnknown,  // the agent cannot see the hypervisor, or nobody hears the agent
};

// The agent's view of one instance. `reason` is UpperCamelCase and stable; `message` is for people.
struct Observed {
  Phase phase = Phase::kPending;
  std::string reason;
  std::string message;
  Generation generation;  // the newest desired generation that is fully carried out
  WallTime since;         // when the phase began
};

// Facts that an agent reports of its host at every start.
struct HostFacts {
  int64_t cores = 0;
  int64_t threads = 0;
  Bytes memory;
  Bytes disk;                                   // of the storage that holds instance disks
  DiskType disk_type = DiskType::kUnspecified;  // declared by configuration
  std::string cpu_model;
  std::string accelerator;  // "kvm" or "tcg"
  std::string hypervisor_version;
  std::string boot_id;
  friend bool operator==(const HostFacts&, const HostFacts&) = default;
};

struct HostReserve {
  Bytes memory;
  Bytes disk;
  friend bool operator==(const HostReserve&, const HostReserve&) = default;
};

struct Host {
  HostUid uid;  // from the host's state directory
  std::string id;
  HostFacts facts;
  HostReserve reserve;
  WallTime created_at;
  Sequence changed_at;
};

// What runs on a host without being ours; soft state.
struct ForeignUse {
  int64_t domains = 0;
  VcpuCount vcpus;
  Bytes memory;
  friend bool operator==(const ForeignUse&, const ForeignUse&) = default;
};

// Words for people and logs ("running", "on-failure").
std::string_view to_string(CpuClass value);
std::string_view to_string(DiskType value);
std::string_view to_string(ImageFormat value);
std::string_view to_string(Firmware value);
std::string_view to_string(ImageState value);
std::string_view to_string(DesiredState value);
std::string_view to_string(RestartPolicy value);
std::string_view to_string(Phase value);

// "52:54:00:00:00:2a" and "10.0.0.7", and back.
std::string mac_to_string(uint64_t mac);
std::string ipv4_to_string(uint32_t address);
std::optional<uint32_t> parse_ipv4(std::string_view text);

// Tells one state of a resource from another: opaque to callers.
std::string etag_of(Sequence changed_at);
std::string etag_of(const Instance& instance);

// Memory that one guest takes on its host: guest RAM plus QEMU's own (see docs/accounting.md).
Bytes memory_with_overhead(Bytes guest_memory, VcpuCount vcpus);

}  // namespace stellwerk
