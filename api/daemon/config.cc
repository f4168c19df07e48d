#include "api/daemon/config.h"

#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <filesystem>
#include <fstream>

#include "api/daemon/config_images.h"
#include "api/daemon/config_network.h"
#include "api/daemon/config_section.h"
#include "core/model.h"
#include "core/parse_number.h"
#include "core/suggestion.h"
#include "core/validate.h"

namespace stellwerk::daemon {
namespace {

constexpr size_t kLongestFile = 1 << 20;
constexpr size_t kLongestSocketPath = sizeof(sockaddr_un::sun_path) - 1;
constexpr int64_t kMostMebibytes = int64_t{1} << 30;  // a pebibyte
constexpr std::array<std::string_view, 8> kSections = {
    "daemon", "host", "placement", "hypervisor", "storage", "network", "metrics", "images"};

template <class Value>
void assign(Value& into, const std::optional<Value>& value) {
  if (value) into = *value;
}

void read_mebibytes(Section& section, std::string_view key, int64_t least, Bytes& into) {
  const auto count = section.integer(key, {.least = least, .most = kMostMebibytes});
  if (count) into = mebibytes(*count);
}

bool is_name_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.';
}

DaemonConfig read_daemon(Section section) {
  DaemonConfig config;
  assign(config.state_dir, section.absolute_path("state_dir"));
  assign(config.socket, section.absolute_path("socket"));
  if (config.socket.size() > kLongestSocketPath) {
    section.reject("socket", fmt::format("has {} bytes; a Unix socket's path has at most {}",
                                         config.socket.size(), kLongestSocketPath));
  }
  assign(config.operator_group, section.text("operator_group"));
  if (!std::ranges::all_of(config.operator_group, is_name_character) ||
      config.operator_group.size() > 32 || config.operator_group.starts_with('-')) {
    section.reject("operator_group",
                   quoted(config.operator_group) + " is no group name; give \"\" for root alone");
  }
  assign(config.log_level, section.one_of<std::string>("log_level", {{"trace", "trace"},
                                                                     {"debug", "debug"},
                                                                     {"info", "info"},
                                                                     {"warning", "warning"},
                                                                     {"error", "error"},
                                                                     {"critical", "critical"}}));
  assign(config.log_format, section.one_of<LogFormat>("log_format", {{"text", LogFormat::kText},
                                                                     {"json", LogFormat::kJson}}));
  assign(config.max_log_records,
         section.integer("max_log_records", {.least = 1'000, .most = 10'000'000}));
  section.reject_unknown_keys();
  return config;
}

HostConfig read_host(Section section) {
  HostConfig config;
  config.id = section.text("id");
  if (config.id) {
    if (const Problem problem = check_dns_label(*config.id)) section.reject("id", *problem);
  }
  const auto memory = section.integer("memory_mib", {.least = 256, .most = kMostMebibytes});
  if (memory) config.memory = mebibytes(*memory);
  read_mebibytes(section, "memory_reserve_mib", 0, config.memory_reserve);
  if (config.memory && config.memory_reserve >= *config.memory) {
    section.reject(section.has("memory_reserve_mib") ? "memory_reserve_mib" : "memory_mib",
                   fmt::format("the reserve of {} leaves nothing of the host's {} to guests",
                               to_string(config.memory_reserve), to_string(*config.memory)));
  }
  read_mebibytes(section, "disk_reserve_mib", 0, config.disk_reserve);
  assign(config.local_disk_type,
         section.one_of<DiskType>("local_disk_type", {{"", DiskType::kUnspecified},
                                                      {"ssd", DiskType::kSsd},
                                                      {"nvme", DiskType::kNvme},
                                                      {"hdd", DiskType::kHardDisk}}));
  section.reject_unknown_keys();
  return config;
}

placement::Settings read_placement(Section section) {
  // SCS-0100 promises these of every V flavor.
  constexpr std::string_view kStandard = ", SCS-0100's maximum";
  placement::Settings settings;
  placement::CpuLimits& limits = settings.cpu_limits;
  assign(limits.shared_per_core,
         section.integer("shared_vcpus_per_core", {.least = 1, .most = 5, .why_most = kStandard}));
  assign(limits.shared_per_thread, section.integer("shared_vcpus_per_thread",
                                                   {.least = 1, .most = 3, .why_most = kStandard}));
  assign(limits.low_performance_per_thread,
         section.integer("low_performance_vcpus_per_thread", {.least = 1, .most = 256}));
  assign(limits.shared_threads_min,
         section.integer("shared_threads_min", {.least = 1, .most = 4096}));
  assign(settings.guarantee,
         section.one_of<std::optional<DomainLevel>>("failover", {{"off", std::nullopt},
                                                                 {"host", DomainLevel::kHost},
                                                                 {"rack", DomainLevel::kRack},
                                                                 {"zone", DomainLevel::kZone},
                                                                 {"site", DomainLevel::kSite}}));
  assign(settings.expect_full,
         section.one_of<std::optional<bool>>(
             "expect_full", {{"auto", std::nullopt}, {"true", true}, {"false", false}}));
  section.reject_unknown_keys();
  return settings;
}

// Disks lie on this host, so the hypervisor must, too.
bool is_on_this_host(std::string_view uri) {
  return uri.starts_with("qemu:///") || uri.starts_with("qemu+unix:///") || uri == kMockUri;
}

HypervisorConfig read_hypervisor(Section section) {
  using Mode = hypervisor::AcceleratorMode;
  HypervisorConfig config;
  assign(config.uri, section.text("uri"));
  if (!is_on_this_host(config.uri)) {
    section.reject("uri", quoted(config.uri) +
                              " is no libvirt of this host's; begin it with qemu:/// or "
                              "qemu+unix:///, such as \"qemu:///system\"");
  }
  assign(config.accel,
         section.one_of<Mode>("accel",
                              {{"auto", Mode::kAuto}, {"kvm", Mode::kKvm}, {"tcg", Mode::kTcg}}));
  const auto kernel = section.text("probe_kernel");
  if (kernel && !kernel->empty() && !kernel->starts_with('/')) {
    section.reject("probe_kernel", quoted(*kernel) +
                                       " is not an absolute path; give \"\" for the newest "
                                       "/boot/vmlinuz-*");
  }
  assign(config.probe_kernel, kernel);
  const auto seconds = section.integer("probe_seconds", {.least = 1, .most = 600});
  if (seconds) config.probe_time = std::chrono::seconds(*seconds);
  section.reject_unknown_keys();
  return config;
}

StorageConfig read_storage(Section section, const DaemonConfig& daemon) {
  StorageConfig config;
  config.directory = daemon.state_dir + "/storage";
  assign(config.directory, section.absolute_path("directory"));
  read_mebibytes(section, "max_image_mib", 1, config.largest_image);
  read_mebibytes(section, "max_virtual_mib", 1, config.largest_virtual_size);
  section.reject_unknown_keys();
  return config;
}

std::optional<MetricsConfig> parse_metrics_place(std::string_view text) {
  constexpr std::string_view kUnix = "unix:";
  if (text.empty()) return MetricsConfig();
  if (text.starts_with(kUnix)) {
    const std::string path(text.substr(kUnix.size()));
    if (!path.starts_with('/') || path.size() > kLongestSocketPath) return std::nullopt;
    return MetricsConfig{.unix_path = path};
  }
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = parse_number<uint16_t>(text.substr(colon + 1));
  if (!port || *port == 0) return std::nullopt;
  const std::string_view host = text.substr(0, colon);
  if (host == "[::1]") return MetricsConfig{.address = "::1", .port = *port};
  const auto address = IpAddress::parse(host);
  if (!address || !address->is_v4() || address->bytes()[0] != 127) return std::nullopt;
  return MetricsConfig{.address = std::string(host), .port = *port};
}

MetricsConfig read_metrics(Section section) {
  MetricsConfig config;
  if (const auto given = section.text("listen")) {
    const auto place = parse_metrics_place(*given);
    if (!place) {
      section.reject(
          "listen",
          quoted(*given) +
              " is no place on this host alone; give \"unix:/run/stellwerk/metrics.sock\", "
              "\"127.0.0.1:9464\", \"[::1]:9464\", or \"\" for none");
    }
    assign(config, place);
  }
  section.reject_unknown_keys();
  return config;
}

void reject_unknown_sections(const toml::table& root, Mistakes& mistakes) {
  const std::vector<std::string_view> known(kSections.begin(), kSections.end());
  for (const auto& [key, node] : root) {
    if (std::ranges::find(known, key.str()) != known.end()) continue;
    mistakes.add(key.source().begin.line, shown_key(key.str()),
                 std::string(node.is_table() ? "is no section" : "stands in no section") +
                     suggestion(key.str(), known));
  }
}

absl::StatusOr<Config> read_config(const toml::table& root, std::string_view origin) {
  Mistakes mistakes;
  Config config;
  config.daemon = read_daemon(Section(root, "daemon", mistakes));
  config.host = read_host(Section(root, "host", mistakes));
  config.placement = read_placement(Section(root, "placement", mistakes));
  config.hypervisor = read_hypervisor(Section(root, "hypervisor", mistakes));
  config.storage = read_storage(Section(root, "storage", mistakes), config.daemon);
  config.network = read_network(Section(root, "network", mistakes));
  config.metrics = read_metrics(Section(root, "metrics", mistakes));
  config.images = read_images(Section(root, "images", mistakes));
  reject_unknown_sections(root, mistakes);
  if (mistakes.empty()) return config;
  return invalid_argument("{}", mistakes.report(origin));
}

}  // namespace

absl::StatusOr<Config> parse_config(std::string_view text, std::string_view origin) {
  // Debian's toml++ is built to throw; nothing of it leaves this function.
  try {
    return read_config(toml::parse(text), origin);
  } catch (const toml::parse_error& error) {
    return invalid_argument("{}:{}: not TOML: {}", origin, error.source().begin.line,
                            error.description());
  }
}

absl::StatusOr<Config> load_config(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    const int error = errno;
    if (error == ENOENT && path == kDefaultConfigPath) return Config();
    const std::string text = std::generic_category().message(error);
    return error == ENOENT ? not_found("cannot read {}: {}", path, text)
                           : failed_precondition("cannot read {}: {}", path, text);
  }
  std::string text(kLongestFile + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return failed_precondition("cannot read {}; is it a file?", path);
  text.resize(static_cast<size_t>(file.gcount()));
  if (text.size() > kLongestFile) {
    return invalid_argument("{} has more than {}; is it the configuration?", path,
                            to_string(Bytes(kLongestFile)));
  }
  return parse_config(text, path);
}

std::string source_of_config(const std::string& path) {
  std::error_code unknown;
  const bool missing = path == kDefaultConfigPath && !std::filesystem::exists(path, unknown);
  if (!missing || unknown) return path;
  return fmt::format("there is no {}; defaults hold", path);
}

absl::StatusOr<std::string> host_id(const HostConfig& host, std::string_view machine_name) {
  if (host.id) return *host.id;
  std::string id(machine_name.substr(0, machine_name.find('.')));
  std::ranges::transform(id, id.begin(), [](unsigned char c) { return std::tolower(c); });
  if (!check_dns_label(id)) return id;
  return failed_precondition(
      "the machine's name {} makes no host id, which is a DNS label; set "
      "host.id in the configuration",
      quoted(machine_name));
}

}  // namespace stellwerk::daemon
