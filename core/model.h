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
#include "core/group.h"
#include "core/ids.h"
#include "core/ip.h"
#include "core/time.h"
#include "core/topology.h"
#include "core/units.h"

namespace stellwerk {

using Labels = std::map<std::string, std::string>;

// How much the instances of a project may take together; what is absent is not limited.
struct ProjectLimits {
  std::optional<int64_t> instances;
  std::map<CpuClass, VcpuCount> vcpus;
  std::optional<Bytes> memory;  // guest RAM, without QEMU's overhead
  std::optional<Bytes> disk;    // boot disks
  std::optional<int64_t> addresses;
  friend bool operator==(const ProjectLimits&, const ProjectLimits&) = default;
};

struct Project {
  ProjectUid uid;
  std::string id;  // DNS label, unique in the cell
  Labels labels;
  ProjectLimits limits;
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
enum class ImageState : uint8_t { kImporting, kActive, kDeleting, kFailed };

// Where an image's bytes come from when the daemon fetches them itself.
struct ImageSource {
  std::string url;
  std::optional<Sha256> sha256;  // what must arrive
  friend bool operator==(const ImageSource&, const ImageSource&) = default;
};

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
  bool is_public = false;  // every project may boot from it
  Labels properties;       // metadata after SCS-0102: "os_distro" and others
  ImageSource source;      // an empty URL: the client sent the bytes
  std::string failure;     // why an import from a URL failed
  WallTime created_at;
  Sequence changed_at;
};

// One range of addresses of a network, and where the search for the next free one begins.
struct Subnet {
  IpPrefix range;
  std::optional<IpAddress> gateway;  // the host's own address on the bridge; none: no way out
  std::optional<IpAddress> next;     // none: from the beginning
  friend bool operator==(const Subnet&, const Subnet&) = default;
};

struct Route {
  IpPrefix to;
  IpAddress via;
  friend bool operator==(const Route&, const Route&) = default;
};

enum class NetworkState : uint8_t { kActive, kDeleting };

inline constexpr int64_t kEthernetMtu = 1500;

// One Ethernet segment: a bridge on the host. At least one of the subnets is there.
struct Network {
  NetworkUid uid;
  ProjectUid project;  // nil: the cell's own, named in the configuration, open to every project
  std::string id;
  NetworkState state = NetworkState::kActive;
  std::string bridge;       // interface name on the host
  bool make_bridge = true;  // false: somebody else's, used as it is
  std::optional<Subnet> v4;
  std::optional<Subnet> v6;
  std::vector<IpAddress> dns_servers;  // IPv4 before IPv6
  std::vector<Route> routes;           // besides the default one through the gateway
  int64_t mtu = kEthernetMtu;
  Labels labels;
  // Records of before the cell had a counter of its own: MACs below were given on this network.
  uint64_t next_mac = 0;
  WallTime created_at;
  Sequence changed_at;
};

struct Port {
  NetworkUid network;
  uint64_t mac = 0;                  // 48 bits
  std::vector<IpAddress> addresses;  // at most one of each family, IPv4 first
  friend bool operator==(const Port&, const Port&) = default;
};

// What may reach an instance from outside its own networks.
enum class IpProtocol : uint8_t { kAny, kTcp, kUdp, kIcmp };
struct PortRange {
  uint16_t first = 0;
  uint16_t last = 0;  // zero with `first` zero: every port
  friend bool operator==(const PortRange&, const PortRange&) = default;
};
struct IngressRule {
  IpProtocol protocol = IpProtocol::kAny;
  PortRange ports;
  IpPrefix from;
  friend bool operator==(const IngressRule&, const IngressRule&) = default;
};

enum class PageSize : uint8_t { kNormal, k2MiB, k1GiB };
Bytes bytes_of(PageSize size);  // of one page; zero for normal ones, which are not counted

// PCI devices and GPUs by the name of their class ("nvidia-l40s"); a count of at least 1.
struct DeviceCount {
  std::string device_class;
  int64_t count = 0;
  friend bool operator==(const DeviceCount&, const DeviceCount&) = default;
};

// What an instance takes, where; fixed at admission.
struct Claim {
  HostUid host;
  CpuClass cpu_class = CpuClass::kShared;
  VcpuCount vcpus;
  Bytes memory;  // in normal pages: guest RAM unless it is in huge ones, and QEMU's overhead
  Bytes disk;    // of the host's own storage
  // Of dedicated classes: the host's hardware threads that are this guest's alone, as many for each
  // vCPU (one of class T, a whole core of class C), vCPU 0 first.
  std::vector<int32_t> cpus;
  std::vector<int32_t> numa_nodes;  // that `cpus` and memory come from, ascending
  // The guest sees as many nodes as `numa_nodes` has, and each gives an equal part of vCPUs,
  // memory and pages. Otherwise memory and shared vCPUs are counted for the host alone.
  bool by_node = false;
  PageSize page_size = PageSize::kNormal;
  int64_t pages = 0;  // of that size; guest RAM in huge pages
  MegabitsPerSecond bandwidth;
  std::vector<DeviceCount> devices;  // ordered by class
  Milliwatts power;                  // beyond what the host draws idle
  friend bool operator==(const Claim&, const Claim&) = default;
};

// Where an instance would run after losing the failure domain that it is in: room for all that its
// claim takes is kept there.
struct Backup {
  HostUid host;
  std::vector<int32_t> numa_nodes;  // of a claim that is `by_node`
  Milliwatts power;
  friend bool operator==(const Backup&, const Backup&) = default;
};

enum class DesiredState : uint8_t { kRunning, kStopped, kDeleted };
enum class RestartPolicy : uint8_t { kOnFailure, kNever };

// Soft asks the guest; reset presses the button; a power cycle ends the process and starts another.
enum class RebootKind : uint8_t { kSoft, kReset, kPowerCycle };

// One change of an instance's desired state that is an act, not a state: it is done once for each
// increment of `count`, also across restarts of either daemon.
struct RebootOrder {
  uint64_t count = 0;
  RebootKind kind = RebootKind::kSoft;
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
  std::vector<Port> ports;
  std::vector<std::string> ssh_keys;
  bool has_user_data = false;  // the bytes lie under a key of their own
  Labels labels;
  Claim claim;
  GroupUid group;  // nil: none
  Wishes wishes;
  bool failover = false;         // counted in the cell's failover guarantee
  std::optional<Backup> backup;  // of those; none: the guarantee does not hold for it, see docs
  std::vector<IngressRule> ingress;
  bool delete_protection = false;
  bool has_disk = false;      // it was made: one that is missing is lost, not yet to be made
  bool ever_started = false;  // was to run at some time: its user-data may have been read
  WallTime created_at;
  Sequence changed_at;
  // Grows with every order to start, stop, reboot or delete, and with nothing else: what an end or
  // a failure of the guest belongs to. At most `generation`.
  Generation run;
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

// A core and its hardware threads, by the numbers that the kernel gives them, ascending.
struct HostCore {
  std::vector<int32_t> threads;
  friend bool operator==(const HostCore&, const HostCore&) = default;
};
struct NumaNode {
  int32_t id = 0;
  Bytes memory;                 // with what is in huge pages
  std::vector<HostCore> cores;  // ordered by first thread
  int64_t pages_2mib = 0;       // huge pages that were set aside for guests
  int64_t pages_1gib = 0;
  friend bool operator==(const NumaNode&, const NumaNode&) = default;
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
  std::vector<NumaNode> numa;   // ordered by id; empty: not known, nothing can be pinned
  MegabitsPerSecond bandwidth;  // of its interfaces together; zero: not known, nothing can be asked
  std::vector<DeviceCount> devices;        // that guests may have, ordered by class
  std::vector<std::string> cpu_baselines;  // that its processors have, ordered: "x86-64-v2"
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
  // Entered by operators:
  RackUid rack;  // nil: not known
  Labels labels;
  HostPower power;
  bool maintenance = false;  // nothing new is placed here; what runs stays
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
std::string_view to_string(PageSize value);  // "normal", "2 MiB", "1 GiB"
std::string_view to_string(ImageFormat value);
std::string_view to_string(Firmware value);
std::string_view to_string(ImageState value);
std::string_view to_string(NetworkState value);
std::string_view to_string(IpProtocol value);
std::string_view to_string(RebootKind value);
std::string_view to_string(DesiredState value);
std::string_view to_string(RestartPolicy value);
std::string_view to_string(Phase value);

// "52:54:00:00:00:2a"
std::string mac_to_string(uint64_t mac);

// Tells one state of a resource from another: opaque to callers.
std::string etag_of(Sequence changed_at);
std::string etag_of(const Instance& instance);

// Memory that one guest takes on its host: guest RAM plus QEMU's own (see docs/accounting.md).
Bytes memory_with_overhead(Bytes guest_memory, VcpuCount vcpus);

}  // namespace stellwerk
