// The daemon's configuration: TOML text in, checked values out.
//
// Invariants: a Config that was returned is consistent (paths absolute, the gateway inside the
// subnet, …); every mistake in a file is reported at once with its line and key; unknown keys are
// mistakes. Pure but for load_config, which reads one file, and source_of_config. Any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/flavor_name.h"
#include "core/model.h"
#include "core/status.h"
#include "core/units.h"
#include "drivers/hypervisor/libvirt/accelerator.h"
#include "placement/engine.h"

namespace stellwerk::daemon {

inline constexpr std::string_view kDefaultConfigPath = "/etc/stellwerk/stellwerk.toml";

enum class LogFormat : uint8_t { kText, kJson };

struct DaemonConfig {
  std::string state_dir = "/var/lib/stellwerk";
  std::string socket = "/run/stellwerk/stellwerkd.sock";
  std::string operator_group = "stellwerk";  // empty: root alone
  std::string log_level = "info";            // one of spdlog's names
  LogFormat log_format = LogFormat::kText;
  int64_t max_log_records = 100'000;
};

struct HostConfig {
  std::optional<std::string> id;  // a DNS label; none: see host_id
  std::optional<Bytes> memory;    // none: what the kernel reports
  Bytes memory_reserve = mebibytes(1024);
  Bytes disk_reserve = mebibytes(1024);
  DiskType local_disk_type = DiskType::kUnspecified;
};

// libvirt's own mock: it lives in this process, and no guest runs on it.
inline constexpr const char* kMockUri = "test:///default";

struct HypervisorConfig {
  std::string uri = "qemu:///system";
  hypervisor::AcceleratorMode accel = hypervisor::AcceleratorMode::kAuto;
  std::string probe_kernel;  // empty: the newest /boot/vmlinuz-*
  std::chrono::seconds probe_time{20};
};

struct StorageConfig {
  std::string directory = "/var/lib/stellwerk/storage";
  Bytes largest_image = mebibytes(102'400);
  Bytes largest_virtual_size = mebibytes(2'097'152);
};

// The network `flat`, which is open to every project.
struct NetworkConfig {
  std::string bridge = "stellwerk0";
  bool create_bridge = true;
  Subnet v4{.range = {IpAddress::v4(0x0A400000), 24},  // 10.64.0.0
            .gateway = IpAddress::v4(0x0A400001),
            .next = {}};
  std::optional<Subnet> v6;
  std::vector<IpAddress> dns;  // IPv4 before IPv6
  int64_t mtu = kEthernetMtu;
};

// Where Prometheus may ask, on this host alone: off, a Unix socket, or a loopback address.
struct MetricsConfig {
  std::string unix_path;
  std::string address;
  uint16_t port = 0;

  bool on() const { return !unix_path.empty() || port != 0; }
};

// What images are fetched from, and how long that may take.
struct ImagesConfig {
  std::vector<IpPrefix> allowed_addresses;  // besides the public Internet
  std::string ca_file;                      // empty: the system's authorities
  int64_t parallel_downloads = 2;
  int64_t attempts = 6;
  std::chrono::minutes longest_download{360};
  std::chrono::seconds connect_within{20};
  Bytes least_per_second{1024};
  std::chrono::seconds slow_for{60};
  // How long files of images stay that no record knows.
  std::chrono::seconds collect_after{86'400};
};

struct Config {
  DaemonConfig daemon;
  HostConfig host;
  placement::Settings placement;
  HypervisorConfig hypervisor;
  StorageConfig storage;
  NetworkConfig network;
  MetricsConfig metrics;
  ImagesConfig images;
};

// InvalidArgument: one line for each mistake, "ORIGIN:LINE: section.key: what is wrong; what would
// do". A syntax error is reported alone, for nothing after it can be read.
absl::StatusOr<Config> parse_config(std::string_view text, std::string_view origin);

// A file that is missing at kDefaultConfigPath means the defaults; elsewhere it is NotFound.
absl::StatusOr<Config> load_config(const std::string& path);
// `path`, or that there is no such file and the defaults hold.
std::string source_of_config(const std::string& path);

// The configured id, or the machine's name up to its first dot in lower case.
absl::StatusOr<std::string> host_id(const HostConfig& host, std::string_view machine_name);

}  // namespace stellwerk::daemon
