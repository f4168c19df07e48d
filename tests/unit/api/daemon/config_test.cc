#include "api/daemon/config.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string_view>

#include "../../../support/in_child.h"
#include "../../../support/status_assertions.h"
#include "../../../support/temporary_directory.h"

namespace stellwerk::daemon {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

std::string mistakes_in(std::string_view text) {
  const auto config = parse_config(text, "f");
  if (config.ok()) return "";
  EXPECT_EQ(config.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(message_of(config.status()));
}

// The mistakes of `section` with this one line, which is the file's second.
std::string mistakes_of(const std::string& section, const std::string& line) {
  return mistakes_in("[" + section + "]\n" + line + "\n");
}

TEST(Config, IsTheDocumentedDefaultWhenTheFileIsEmpty) {
  const auto config = parse_config("", "f");
  ASSERT_OK(config);
  EXPECT_EQ(config->daemon.state_dir, "/var/lib/stellwerk");
  EXPECT_EQ(config->daemon.socket, "/run/stellwerk/stellwerkd.sock");
  EXPECT_EQ(config->daemon.operator_group, "stellwerk");
  EXPECT_EQ(config->daemon.log_level, "info");
  EXPECT_EQ(config->daemon.log_format, LogFormat::kText);
  EXPECT_EQ(config->daemon.max_log_records, 100'000);
  EXPECT_EQ(config->host.id, std::nullopt);
  EXPECT_EQ(config->host.memory, std::nullopt);
  EXPECT_EQ(config->host.memory_reserve, gibibytes(1));
  EXPECT_EQ(config->host.disk_reserve, gibibytes(1));
  EXPECT_EQ(config->host.local_disk_type, DiskType::kUnspecified);
  EXPECT_EQ(config->placement.cpu_limits.shared_per_core, 5);
  EXPECT_EQ(config->placement.cpu_limits.shared_per_thread, 3);
  EXPECT_EQ(config->placement.cpu_limits.low_performance_per_thread, 16);
  EXPECT_EQ(config->placement.guarantee, std::nullopt);
  EXPECT_EQ(config->placement.expect_full, std::nullopt);
  EXPECT_EQ(config->hypervisor.uri, "qemu:///system");
  EXPECT_EQ(config->hypervisor.accel, hypervisor::AcceleratorMode::kAuto);
  EXPECT_EQ(config->hypervisor.probe_kernel, "");
  EXPECT_EQ(config->hypervisor.probe_time, std::chrono::seconds(20));
  EXPECT_EQ(config->storage.directory, "/var/lib/stellwerk/storage");
  EXPECT_EQ(config->storage.largest_image, gibibytes(100));
  EXPECT_EQ(config->storage.largest_virtual_size, gibibytes(2048));
  EXPECT_EQ(config->network.bridge, "stellwerk0");
  EXPECT_TRUE(config->network.create_bridge);
  EXPECT_EQ(config->network.v4.range.to_string(), "10.64.0.0/24");
  EXPECT_EQ(config->network.v4.gateway, IpAddress::parse("10.64.0.1"));
  EXPECT_EQ(config->network.v6, std::nullopt);
  EXPECT_EQ(config->network.mtu, 1500);
  EXPECT_THAT(config->network.dns, IsEmpty());
  EXPECT_FALSE(config->metrics.on());
}

constexpr std::string_view kEveryKey = R"(
[daemon]
state_dir = "/srv/sw"
socket = "/tmp/sw.sock"
operator_group = ""
log_level = "debug"
log_format = "json"
max_log_records = 5000
[host]
id = "rack-1"
memory_mib = 65536
memory_reserve_mib = 2048
disk_reserve_mib = 0
local_disk_type = "nvme"
[placement]
shared_vcpus_per_core = 4
shared_vcpus_per_thread = 2
low_performance_vcpus_per_thread = 8
shared_threads_min = 3
failover = "rack"
expect_full = "true"
[hypervisor]
uri = "qemu:///system?socket=/tmp/libvirt-sock"
accel = "tcg"
probe_kernel = "/boot/vmlinuz-test"
probe_seconds = 5
[storage]
max_image_mib = 10
max_virtual_mib = 20
[network]
bridge = "br-guests"
create_bridge = false
subnet = "192.168.4.0/22"
gateway = "192.168.7.254"
subnet_v6 = "fd00:4::/64"
gateway_v6 = "fd00:4::fe"
dns = ["2620:fe::fe", "9.9.9.9", "1.1.1.1"]
mtu = 9000
[metrics]
listen = "127.0.0.1:9464"
)";

TEST(Config, TakesEveryKey) {
  const auto config = parse_config(kEveryKey, "f");
  ASSERT_OK(config);
  EXPECT_EQ(config->daemon.state_dir, "/srv/sw");
  EXPECT_EQ(config->daemon.socket, "/tmp/sw.sock");
  EXPECT_EQ(config->daemon.operator_group, "");
  EXPECT_EQ(config->daemon.log_level, "debug");
  EXPECT_EQ(config->daemon.log_format, LogFormat::kJson);
  EXPECT_EQ(config->daemon.max_log_records, 5000);
  EXPECT_EQ(config->host.id, "rack-1");
  EXPECT_EQ(config->host.memory, gibibytes(64));
  EXPECT_EQ(config->host.memory_reserve, gibibytes(2));
  EXPECT_EQ(config->host.disk_reserve, Bytes(0));
  EXPECT_EQ(config->host.local_disk_type, DiskType::kNvme);
  EXPECT_EQ(config->placement.cpu_limits.shared_per_core, 4);
  EXPECT_EQ(config->placement.cpu_limits.shared_per_thread, 2);
  EXPECT_EQ(config->placement.cpu_limits.low_performance_per_thread, 8);
  EXPECT_EQ(config->placement.cpu_limits.shared_threads_min, 3);
  EXPECT_EQ(config->placement.guarantee, DomainLevel::kRack);
  EXPECT_EQ(config->placement.expect_full, true);
  EXPECT_EQ(config->hypervisor.uri, "qemu:///system?socket=/tmp/libvirt-sock");
  EXPECT_EQ(config->hypervisor.accel, hypervisor::AcceleratorMode::kTcg);
  EXPECT_EQ(config->hypervisor.probe_kernel, "/boot/vmlinuz-test");
  EXPECT_EQ(config->hypervisor.probe_time, std::chrono::seconds(5));
  EXPECT_EQ(config->storage.directory, "/srv/sw/storage");
  EXPECT_EQ(config->storage.largest_image, mebibytes(10));
  EXPECT_EQ(config->storage.largest_virtual_size, mebibytes(20));
  EXPECT_EQ(config->network.bridge, "br-guests");
  EXPECT_FALSE(config->network.create_bridge);
  EXPECT_EQ(config->network.v4.range.to_string(), "192.168.4.0/22");
  EXPECT_EQ(config->network.v4.gateway, IpAddress::parse("192.168.7.254"));
  ASSERT_TRUE(config->network.v6);
  EXPECT_EQ(config->network.v6->range.to_string(), "fd00:4::/64");
  EXPECT_EQ(config->network.v6->gateway, IpAddress::parse("fd00:4::fe"));
  EXPECT_THAT(config->network.dns,
              ElementsAre(*IpAddress::parse("9.9.9.9"), *IpAddress::parse("1.1.1.1"),
                          *IpAddress::parse("2620:fe::fe")));
  EXPECT_EQ(config->network.mtu, 9000);
  EXPECT_EQ(config->metrics.address, "127.0.0.1");
  EXPECT_EQ(config->metrics.port, 9464);
}

TEST(Config, ReportsEveryMistakeAtOnceWithLineAndKeyInOrder) {
  EXPECT_EQ(mistakes_in("[network]\n"
                        "bridge = 3\n"
                        "\n"
                        "[daemon]\n"
                        "sokcet = \"/x\"\n"
                        "state_dir = \"var\"\n"),
            "f:2: network.bridge: is an integer; give a string in quotes\n"
            "f:5: daemon.sokcet: is no key of this section; did you mean \"socket\"?\n"
            "f:6: daemon.state_dir: \"var\" is not an absolute path; begin it with '/'");
}

TEST(Config, ReportsASyntaxErrorWithItsLine) {
  EXPECT_THAT(mistakes_in("[daemon]\nsocket = = 3\n"), StartsWith("f:2: not TOML: "));
  EXPECT_THAT(mistakes_in("[daemon]\nsocket = \"/a\"\nsocket = \"/b\"\n"),
              StartsWith("f:3: not TOML: "));
  EXPECT_THAT(mistakes_in("\xff\xfe"), StartsWith("f:1: not TOML: "));
}

TEST(Config, RejectsUnknownSectionsAndKeys) {
  EXPECT_EQ(mistakes_in("[netwrok]\n"), "f:1: netwrok: is no section; did you mean \"network\"?");
  EXPECT_EQ(mistakes_in("colour = 1\n"), "f:1: colour: stands in no section");
  EXPECT_EQ(mistakes_of("host", "zebra = 1"), "f:2: host.zebra: is no key of this section");
  EXPECT_EQ(mistakes_of("host", "\"a\\u0007b\" = 1"),
            "f:2: host.\"a\\x07b\": is no key of this section");
}

TEST(Config, RejectsWrongTypes) {
  EXPECT_THAT(mistakes_in("network = 3\n"), HasSubstr("f:1: network: is an integer; begin"));
  EXPECT_THAT(mistakes_in("[[network]]\n"), HasSubstr("f:1: network: is an array"));
  EXPECT_THAT(mistakes_of("daemon", "socket = true"), HasSubstr("daemon.socket: is a boolean"));
  EXPECT_THAT(mistakes_of("network", "create_bridge = \"yes\""), HasSubstr("give true or false"));
  EXPECT_THAT(mistakes_of("host", "memory_mib = \"4G\""), HasSubstr("is a string; give an int"));
  EXPECT_THAT(mistakes_of("host", "memory_mib = 1.5"), HasSubstr("is a floating-point number"));
  EXPECT_THAT(mistakes_of("network", "dns = \"9.9.9.9\""), HasSubstr("give an array of strings"));
  EXPECT_THAT(mistakes_of("network", "dns = [1]"), HasSubstr("give an array of strings"));
  EXPECT_THAT(mistakes_of("network", "dns = [\"9.9.9.9\", 1]"), HasSubstr("array of strings"));
}

TEST(Config, RejectsNumbersOutOfRange) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"daemon", "max_log_records = 0"},
      {"host", "memory_mib = 255"},
      {"host", "memory_reserve_mib = -1"},
      {"host", "disk_reserve_mib = 9223372036854775807"},
      {"placement", "shared_vcpus_per_core = 0"},
      {"placement", "low_performance_vcpus_per_thread = 257"},
      {"placement", "shared_threads_min = 0"},
      {"hypervisor", "probe_seconds = 0"},
      {"storage", "max_image_mib = 0"},
      {"storage", "max_virtual_mib = 9223372036854775807"},
  };
  for (const auto& [section, line] : cases) {
    EXPECT_THAT(mistakes_of(section, line),
                AllOf(StartsWith("f:2: " + section + "." + line.substr(0, line.find(' '))),
                      HasSubstr("give an integer from")));
  }
}

TEST(Config, RejectsMoreSharingThanTheStandardAllows) {
  EXPECT_THAT(mistakes_of("placement", "shared_vcpus_per_core = 6"), HasSubstr("SCS-0100"));
  EXPECT_THAT(mistakes_of("placement", "shared_vcpus_per_thread = 4"), HasSubstr("SCS-0100"));
}

TEST(Config, RejectsWhatIsNoneOfTheChoices) {
  EXPECT_THAT(mistakes_of("hypervisor", "accel = \"xen\""),
              HasSubstr("\"xen\" is none of \"auto\", \"kvm\", \"tcg\""));
  EXPECT_THAT(mistakes_of("daemon", "log_level = \"loud\""), HasSubstr("\"info\""));
  EXPECT_THAT(mistakes_of("host", "local_disk_type = \"floppy\""), HasSubstr("\"ssd\""));
  EXPECT_THAT(mistakes_of("daemon", "log_format = \"xml\""),
              HasSubstr("\"xml\" is none of \"text\", \"json\""));
}

TEST(Config, RejectsRelativePathsAndControlCharacters) {
  EXPECT_THAT(mistakes_of("storage", "directory = \"disks\""), HasSubstr("not an absolute path"));
  EXPECT_THAT(mistakes_of("daemon", "socket = \"\""), HasSubstr("not an absolute path"));
  EXPECT_THAT(mistakes_of("hypervisor", "probe_kernel = \"vmlinuz\""), HasSubstr("absolute path"));
  EXPECT_THAT(mistakes_of("daemon", "state_dir = \"/a\\u0000b\""), HasSubstr("control character"));
}

TEST(Config, RejectsASocketPathThatTheKernelCannotHold) {
  const std::string longest = "/" + std::string(106, 's');
  EXPECT_EQ(mistakes_of("daemon", "socket = \"" + longest + "\""), "");
  EXPECT_THAT(mistakes_of("daemon", "socket = \"" + longest + "s\""),
              HasSubstr("has 108 bytes; a Unix socket's path has at most 107"));
}

TEST(Config, RejectsNamesThatCannotBe) {
  EXPECT_THAT(mistakes_of("host", "id = \"Host_1\""), HasSubstr("not a DNS label"));
  EXPECT_EQ(mistakes_of("network", "bridge = \"fifteen-letters\""), "");
  EXPECT_THAT(mistakes_of("network", "bridge = \"sixteen-letters-\""), HasSubstr("1 to 15"));
  for (const char* name : {"", "a b", "a/b", "..", "-a"}) {
    EXPECT_THAT(mistakes_of("network", "bridge = \"" + std::string(name) + "\""),
                HasSubstr("no name of a bridge"));
  }
  EXPECT_THAT(mistakes_of("daemon", "operator_group = \"a:b\""), HasSubstr("no group name"));
  EXPECT_THAT(mistakes_of("hypervisor", "uri = \"qemu+ssh://other/system\""),
              HasSubstr("no libvirt of this host's"));
  EXPECT_THAT(mistakes_of("hypervisor", "uri = \"test:///default2\""),
              HasSubstr("no libvirt of this host's"));
  EXPECT_EQ(mistakes_of("hypervisor", "uri = \"test:///default\""), "");
}

TEST(Config, TakesMetricsOnThisHostAlone) {
  EXPECT_EQ(parse_config("[metrics]\nlisten = \"unix:/run/m.sock\"", "f")->metrics.unix_path,
            "/run/m.sock");
  EXPECT_EQ(parse_config("[metrics]\nlisten = \"[::1]:80\"", "f")->metrics.address, "::1");
  EXPECT_FALSE(parse_config("[metrics]\nlisten = \"\"", "f")->metrics.on());
  for (const char* place :
       {"0.0.0.0:9464", "10.0.0.1:9464", "[::]:9464", "[fe80::1]:9464", "localhost:9464", ":9464",
        "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:x", "unix:metrics.sock",
        "unix:", "/run/metrics.sock", "::1:9464"}) {
    EXPECT_THAT(mistakes_of("metrics", "listen = \"" + std::string(place) + "\""),
                HasSubstr("no place on this host alone"))
        << place;
  }
}

TEST(Config, RejectsSubnetsThatCannotHoldGuests) {
  EXPECT_THAT(mistakes_of("network", "subnet = \"10.0.0.0/30\""), HasSubstr("/30 is too small"));
  EXPECT_THAT(mistakes_of("network", "subnet = \"10.0.0.0/32\""), HasSubstr("/32 is too small"));
  EXPECT_THAT(mistakes_of("network", "subnet = \"10.0.0.0/8\""), HasSubstr("/8 is too large"));
  EXPECT_THAT(mistakes_of("network", "subnet = \"0.0.0.0/0\""), HasSubstr("/0 is too large"));
  EXPECT_THAT(mistakes_of("network", "subnet = \"10.1.2.3/24\""), HasSubstr("\"10.1.2.0/24\"?"));
  for (const char* reserved : {"0.0.0.0/24", "127.0.0.0/24", "224.0.0.0/24"}) {
    EXPECT_THAT(mistakes_of("network", "subnet = \"" + std::string(reserved) + "\""),
                HasSubstr("is reserved"));
  }
  for (const char* text : {"10.0.0.0", "10.0.0/24", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/+9",
                           "10.0.0.0/24x", "10.0.0.0/280"}) {
    EXPECT_THAT(mistakes_of("network", "subnet = \"" + std::string(text) + "\""),
                HasSubstr("no IPv4 network"));
  }
}

TEST(Config, RejectsAGatewayThatContradictsTheSubnet) {
  const auto with = [](const std::string& gateway) {
    return mistakes_of("network", "subnet = \"10.5.0.0/24\"\ngateway = \"" + gateway + "\"");
  };
  EXPECT_EQ(with("10.5.0.254"), "");
  EXPECT_EQ(with("10.64.0.1"),
            "f:3: network.gateway: 10.64.0.1 is outside the subnet, 10.5.0.0/24");
  EXPECT_THAT(with("10.5.0.0"), HasSubstr("is the network address"));
  EXPECT_THAT(with("10.5.0.255"), HasSubstr("is the broadcast address"));
  EXPECT_THAT(with("gate"), HasSubstr("no IPv4 address"));
  // The default subnet counts, too.
  EXPECT_THAT(mistakes_of("network", "gateway = \"10.5.0.1\""), HasSubstr("outside"));
}

TEST(Config, TakesTheSubnetsFirstAddressAsGatewayUnlessToldOtherwise) {
  EXPECT_EQ(parse_config("[network]\nsubnet = \"10.5.0.0/24\"", "f")->network.v4.gateway,
            IpAddress::parse("10.5.0.1"));
  EXPECT_EQ(parse_config("[network]\ngateway = \"\"", "f")->network.v4.gateway, std::nullopt);
}

TEST(Config, RejectsIpv6SubnetsAndGatewaysThatCannotBe) {
  const auto mistakes = [](const std::string& lines) { return mistakes_of("network", lines); };
  EXPECT_EQ(mistakes("subnet_v6 = \"fd00:4::/64\""), "");
  EXPECT_THAT(mistakes("subnet_v6 = \"10.0.0.0/24\""),
              HasSubstr("network.subnet_v6: \"10.0.0.0/24\" is no IPv6 network"));
  EXPECT_THAT(mistakes("subnet = \"fd00:4::/64\""), HasSubstr("no IPv4 network"));
  EXPECT_THAT(mistakes("subnet_v6 = \"fd00::/47\""), HasSubstr("/47 is too large"));
  EXPECT_THAT(mistakes("subnet_v6 = \"fd00::/121\""), HasSubstr("/121 is too small"));
  EXPECT_THAT(mistakes("subnet_v6 = \"fd00::1/64\""), HasSubstr("did you mean \"fd00::/64\"?"));
  EXPECT_THAT(mistakes("subnet_v6 = \"fe80::/64\""), HasSubstr("is reserved"));
  EXPECT_THAT(mistakes("gateway_v6 = \"fd00:4::1\""), HasSubstr("needs a subnet_v6 beside it"));
  const std::string subnet = "subnet_v6 = \"fd00:4::/64\"\n";
  EXPECT_THAT(mistakes(subnet + "gateway_v6 = \"fd00:5::1\""), HasSubstr("outside the subnet"));
  EXPECT_THAT(mistakes(subnet + "gateway_v6 = \"10.64.0.1\""), HasSubstr("no IPv6 address"));
}

TEST(Config, TakesTheFirstIpv6AddressAsGatewayUnlessToldOtherwise) {
  const std::string subnet = "[network]\nsubnet_v6 = \"fd00:4::/64\"\n";
  EXPECT_EQ(parse_config(subnet, "f")->network.v6->gateway, IpAddress::parse("fd00:4::1"));
  EXPECT_EQ(parse_config(subnet + "gateway_v6 = \"\"", "f")->network.v6->gateway, std::nullopt);
}

TEST(Config, RejectsMtusThatNobodyCanUse) {
  EXPECT_EQ(mistakes_of("network", "mtu = 576"), "");
  EXPECT_THAT(mistakes_of("network", "mtu = 575"), HasSubstr("network.mtu"));
  EXPECT_THAT(mistakes_of("network", "mtu = 9217"), HasSubstr("network.mtu"));
  EXPECT_THAT(mistakes_of("network", "mtu = \"1500\""), HasSubstr("network.mtu"));
  EXPECT_THAT(mistakes_of("network", "subnet_v6 = \"fd00::/64\"\nmtu = 1279"),
              HasSubstr("IPv6 needs at least 1280"));
}

TEST(Config, RejectsNameServersThatCannotBe) {
  EXPECT_THAT(mistakes_of("network", "dns = [\"9.9.9.9\", \"dns.example\"]"),
              HasSubstr("f:2: network.dns: [1] \"dns.example\" is no IP address"));
  EXPECT_THAT(mistakes_of("network", "dns = [\"0.0.0.0\"]"), HasSubstr("no IP address"));
  std::string many = "dns = [";
  for (int i = 0; i < 9; ++i) many += "\"9.9.9.9\",";
  EXPECT_THAT(mistakes_of("network", many + "]"), HasSubstr("has 9 addresses; at most 8"));
}

TEST(Config, RejectsAReserveThatLeavesNothing) {
  EXPECT_THAT(mistakes_of("host", "memory_mib = 1024"),
              AllOf(StartsWith("f:2: host.memory_mib"), HasSubstr("leaves nothing")));
  EXPECT_THAT(mistakes_of("host", "memory_mib = 4096\nmemory_reserve_mib = 8192"),
              StartsWith("f:3: host.memory_reserve_mib"));
}

TEST(Config, ShowsHostileTextEscapedAndShortened) {
  const std::string shown =
      mistakes_of("network", "bridge = \"" + std::string(5000, 'x') + "\\u001b[31m\"");
  EXPECT_THAT(shown, Not(HasSubstr("\x1b")));
  EXPECT_LT(shown.size(), 300u);
  EXPECT_LT(mistakes_of("network", std::string(100'000, 'k') + " = 1").size(), 300u);
}

RC_GTEST_PROP(ConfigText, NeverThrowsWhateverItIs, (const std::string& text)) {
  const auto config = parse_config(text, "f");
  RC_ASSERT(config.ok() || !message_of(config.status()).empty());
}

TEST(ConfigFile, IsReadFromItsPath) {
  const testing::TemporaryDirectory directory;
  const std::string path = directory / "stellwerk.toml";
  std::ofstream(path) << "[host]\nid = \"h1\"\n";
  EXPECT_EQ(load_config(path)->host.id, "h1");
  EXPECT_EQ(source_of_config(path), path);
  std::ofstream(path) << "[host]\nid = 1\n";
  EXPECT_THAT(std::string(message_of(load_config(path).status())),
              StartsWith(path + ":2: host.id"));
}

TEST(ConfigFile, IsAMistakeWhenMissingDirectoryOrHuge) {
  const testing::TemporaryDirectory directory;
  EXPECT_EQ(load_config(directory / "none.toml").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(load_config(directory.path()).status().code(), absl::StatusCode::kFailedPrecondition);
  std::ofstream(directory / "huge.toml") << std::string((1 << 20) + 1, '#');
  EXPECT_EQ(load_config(directory / "huge.toml").status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(ConfigFile, MeansTheDefaultsWhenMissingAtTheDefaultPath) {
  // A machine that runs Stellwerk has a file there; the child does not see it.
  EXPECT_EQ(testing::in_child([] {
              if (::access("/etc/stellwerk", F_OK) == 0) {
                ASSERT_EQ(::unshare(CLONE_NEWNS), 0) << "needs root";
                ASSERT_EQ(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
                ASSERT_EQ(::mount("tmpfs", "/etc/stellwerk", "tmpfs", 0, nullptr), 0);
              }
              EXPECT_OK(load_config(std::string(kDefaultConfigPath)));
              EXPECT_EQ(source_of_config(std::string(kDefaultConfigPath)),
                        "there is no /etc/stellwerk/stellwerk.toml; defaults hold");
            }),
            0);
}

// The example shows each key with its default, so uncommenting all of it changes nothing but what
// depends on the machine, and IPv6, which there is none of by default.
TEST(ConfigFile, ExampleShowsEveryKeyWithItsDefault) {
  std::ifstream file(STELLWERK_EXAMPLE_CONFIG);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  ASSERT_OK(parse_config(text, "example"));
  std::string uncommented;
  int keys = 0;
  for (size_t at = 0; at < text.size();) {
    const std::string line = text.substr(at, text.find('\n', at) - at);
    at += line.size() + 1;
    const bool key = line.starts_with('#') && !line.starts_with("# ") && line.size() > 1;
    keys += key ? 1 : 0;
    uncommented += (key ? line.substr(1) : line) + "\n";
  }
  EXPECT_EQ(keys, 42);
  const auto config = parse_config(uncommented, "example");
  ASSERT_OK(config);
  const Config defaults;
  EXPECT_EQ(config->daemon.socket, defaults.daemon.socket);
  EXPECT_EQ(config->daemon.max_log_records, defaults.daemon.max_log_records);
  EXPECT_EQ(config->host.memory_reserve, defaults.host.memory_reserve);
  EXPECT_EQ(config->placement.cpu_limits.low_performance_per_thread,
            defaults.placement.cpu_limits.low_performance_per_thread);
  EXPECT_EQ(config->hypervisor.probe_time, defaults.hypervisor.probe_time);
  EXPECT_EQ(config->storage.largest_image, defaults.storage.largest_image);
  EXPECT_EQ(config->storage.largest_virtual_size, defaults.storage.largest_virtual_size);
  EXPECT_EQ(config->network.v4, defaults.network.v4);
  EXPECT_EQ(config->network.mtu, defaults.network.mtu);
  ASSERT_TRUE(config->network.v6);
  EXPECT_EQ(config->network.v6->gateway, config->network.v6->range.address.plus(1));
}

TEST(HostId, IsTheConfiguredOneOrTheMachinesFirstLabel) {
  HostConfig configured;
  configured.id = "configured";
  EXPECT_EQ(*host_id(configured, "Machine.example.org"), "configured");
  EXPECT_EQ(*host_id({}, "Machine-7.example.org"), "machine-7");
  for (const char* name : {"", "under_score", ".example.org"}) {
    EXPECT_EQ(host_id({}, name).status().code(), absl::StatusCode::kFailedPrecondition);
  }
}

TEST(Config, SaysWhereImagesMayBeFetchedFrom) {
  const auto defaults = parse_config("", "f");
  ASSERT_OK(defaults);
  EXPECT_THAT(defaults->images.allowed_addresses, IsEmpty());
  EXPECT_EQ(defaults->images.ca_file, "");
  EXPECT_EQ(defaults->images.parallel_downloads, 2);
  EXPECT_EQ(defaults->images.attempts, 6);
  EXPECT_EQ(defaults->images.longest_download, std::chrono::hours(6));
  EXPECT_EQ(defaults->images.connect_within, std::chrono::seconds(20));
  EXPECT_EQ(defaults->images.least_per_second, Bytes(1024));
  EXPECT_EQ(defaults->images.slow_for, std::chrono::seconds(60));
  EXPECT_EQ(defaults->images.collect_after, std::chrono::hours(24));

  const auto config = parse_config(
      "[images]\nallowed_addresses = [\"10.1.0.0/16\", \"fd00::/8\"]\nca_file = \"/ca.pem\"\n"
      "parallel_downloads = 4\nattempts = 3\ndownload_minutes = 10\nconnect_seconds = 5\n"
      "least_bytes_per_second = 10\nslow_seconds = 7\ncollect_after_seconds = 0\n",
      "f");
  ASSERT_OK(config);
  EXPECT_THAT(config->images.allowed_addresses,
              ElementsAre(*IpPrefix::parse("10.1.0.0/16"), *IpPrefix::parse("fd00::/8")));
  EXPECT_EQ(config->images.ca_file, "/ca.pem");
  EXPECT_EQ(config->images.parallel_downloads, 4);
  EXPECT_EQ(config->images.attempts, 3);
  EXPECT_EQ(config->images.longest_download, std::chrono::minutes(10));
  EXPECT_EQ(config->images.connect_within, std::chrono::seconds(5));
  EXPECT_EQ(config->images.least_per_second, Bytes(10));
  EXPECT_EQ(config->images.slow_for, std::chrono::seconds(7));
  EXPECT_EQ(config->images.collect_after, std::chrono::seconds(0));
}

TEST(Config, TellsWhatIsWrongWithImages) {
  EXPECT_THAT(mistakes_of("images", "allowed_addresses = [\"10.1.2.3/16\"]"),
              HasSubstr("f:2: images.allowed_addresses: [0] \"10.1.2.3/16\" is no range"));
  for (const char* line :
       {"allowed_addresses = [\"host\"]", "allowed_addresses = [\"10.0.0.1\"]",
        "allowed_addresses = \"10.0.0.0/8\"", "ca_file = \"ca.pem\"", "parallel_downloads = 0",
        "parallel_downloads = 17", "attempts = 0", "download_minutes = 0", "connect_seconds = 0",
        "least_bytes_per_second = 0", "slow_seconds = 0", "collect_after_seconds = -1",
        "allow_private = true"}) {
    EXPECT_THAT(mistakes_of("images", line), StartsWith("f:2: images.")) << line;
  }
}

}  // namespace
}  // namespace stellwerk::daemon
