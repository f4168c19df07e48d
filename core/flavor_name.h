// Flavor names after the Sovereign Cloud Stack standard SCS-0100 v3 ("SCS-2V-8-50n_kvm").
// A name is accepted only if it round-trips: format(parse(name)) == name.
// https://docs.scs.community/standards/scs-0100-v3-flavor-naming
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/status.h"
#include "core/units.h"

namespace stellwerk {

// How a guest's vCPUs share the host's processors.
enum class CpuClass : uint8_t {
  kLowPerformance,   // L: oversubscribed as far as configuration allows
  kShared,           // V: at most 5 vCPUs a core and 3 a hardware thread
  kDedicatedThread,  // T: a hardware thread of its own
  kDedicatedCore,    // C: a core of its own
};

enum class DiskType : uint8_t {
  kUnspecified,  // the cloud chooses
  kNetwork,      // n
  kHardDisk,     // h
  kSsd,          // s: local, with power-loss protection
  kNvme,         // p
};

enum class HypervisorKind : uint8_t {
  kUnspecified,
  kKvm,
  kChyp,  // Cloud Hypervisor
  kXen,
  kVmware,
  kHyperV,
  kBareMetal,
};

struct FlavorDisks {
  int64_t count = 1;
  Bytes size;  // of each, in units of 10^9 bytes; zero: the cloud chooses
  DiskType type = DiskType::kUnspecified;
  friend bool operator==(const FlavorDisks&, const FlavorDisks&) = default;
};

struct FlavorCpuVendor {
  char vendor = 'i';              // i Intel, z AMD, a ARM, r RISC-V
  std::optional<int> generation;  // never 0, which the standard writes as none
  int frequency = 0;              // number of 'h'
  friend bool operator==(const FlavorCpuVendor&, const FlavorCpuVendor&) = default;
};

struct FlavorGpu {
  bool pass_through = false;  // G; otherwise g, virtual
  char vendor = 'N';          // N Nvidia, A AMD, I Intel
  std::string generation;
  std::optional<int64_t> units;
  int units_frequency = 0;  // number of 'h' after the units
  std::optional<int64_t> memory_gib;
  int memory_bandwidth = 0;  // number of 'h' after the memory
  friend bool operator==(const FlavorGpu&, const FlavorGpu&) = default;
};

struct FlavorName {
  int64_t vcpus = 1;
  CpuClass cpu_class = CpuClass::kShared;
  bool insufficient_mitigation = false;  // i
  Bytes memory;                          // whole or half GiB
  bool no_ecc = false;                   // u
  bool memory_oversubscribed = false;    // o
  std::optional<FlavorDisks> disks;      // none: boot from volume
  HypervisorKind hypervisor = HypervisorKind::kUnspecified;
  bool nested_virtualisation = false;
  std::optional<FlavorCpuVendor> cpu_vendor;
  std::optional<FlavorGpu> gpu;
  bool infiniband = false;
  friend bool operator==(const FlavorName&, const FlavorName&) = default;
};

// So that no sum or product of what a name says can overflow.
inline constexpr size_t kMaxFlavorNameLength = 128;
inline constexpr int64_t kMaxFlavorVcpus = 65'536;
inline constexpr int64_t kMaxFlavorMemoryGib = 1'000'000;
inline constexpr int64_t kMaxFlavorDiskGb = 1'000'000;
inline constexpr int64_t kMaxFlavorDisks = 1'000;

// InvalidArgument that says which part is wrong and what would do ("SCS-02V-8": the number of
// vCPUs has a leading zero; write SCS-2V-8).
absl::StatusOr<FlavorName> parse_flavor_name(std::string_view name);
// Only for what parse_flavor_name could have returned.
std::string format_flavor_name(const FlavorName& name);

// "SCS-2V-4-20s_kvm" becomes "SCS-2V:4:20s-kvm", the older spelling of the extra spec scs:name-v1.
std::string flavor_name_v1(std::string_view name);

}  // namespace stellwerk
