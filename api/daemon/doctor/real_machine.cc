#include "api/daemon/doctor/real_machine.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>

#include "core/descriptor.h"
#include "drivers/firewall/nftables/nftables_firewall.h"
#include "drivers/hypervisor/libvirt/libvirt_hypervisor.h"

namespace stellwerk::daemon::doctor {
namespace {

constexpr size_t kMostRead = 1 << 20;

absl::Status system_error(int error) {
  const char* const text = std::strerror(error);
  if (error == ENOENT || error == ENOTDIR) return not_found("{}", text);
  if (error == EACCES || error == EPERM) return permission_denied("{}", text);
  return failed_precondition("{}", text);
}

std::optional<IpAddress> address_in(const sockaddr* generic) {
  if (generic == nullptr) return std::nullopt;
  if (generic->sa_family == AF_INET) {
    sockaddr_in address{};
    std::memcpy(&address, generic, sizeof address);
    return IpAddress::v4(ntohl(address.sin_addr.s_addr));
  }
  if (generic->sa_family != AF_INET6) return std::nullopt;
  sockaddr_in6 address{};
  std::memcpy(&address, generic, sizeof address);
  std::array<uint8_t, 16> bytes{};
  std::copy_n(address.sin6_addr.s6_addr, bytes.size(), bytes.begin());
  return IpAddress::v6(bytes);
}

bool is_link(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0 && S_ISLNK(info.st_mode);
}

}  // namespace

// Links under /proc are their targets' names.
absl::StatusOr<std::string> RealMachine::read(const std::string& path) {
  std::string text(kMostRead, '\0');
  if (path.starts_with("/proc/") && is_link(path)) {
    const ssize_t size = ::readlink(path.c_str(), text.data(), text.size());
    if (size < 0) return system_error(errno);
    text.resize(static_cast<size_t>(size));
    return text;
  }
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return system_error(errno);
  size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = ::read(file.get(), text.data() + size, text.size() - size);
    if (got < 0) return system_error(errno);
    if (got == 0) break;
    size += static_cast<size_t>(got);
  }
  text.resize(size);
  return text;
}

absl::StatusOr<FileFacts> RealMachine::look(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return system_error(errno);
  return FileFacts{.directory = S_ISDIR(info.st_mode), .mode = info.st_mode & 07777};
}

absl::Status RealMachine::open_device(const std::string& path) {
  const Descriptor device(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  return device.is_open() ? absl::OkStatus() : system_error(errno);
}

absl::Status RealMachine::try_writing(const std::string& folder) {
  // Without a name, so that nothing is left however this ends.
  const Descriptor file(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!file.is_open()) return system_error(errno);
  constexpr std::array<char, 4096> kPage{};
  if (::write(file.get(), kPage.data(), kPage.size()) < 0) return system_error(errno);
  return ::fsync(file.get()) == 0 ? absl::OkStatus() : system_error(errno);
}

absl::StatusOr<Space> RealMachine::space(const std::string& path) {
  struct statvfs info {};
  if (::statvfs(path.c_str(), &info) != 0) return system_error(errno);
  const auto bytes = [&info](fsblkcnt_t blocks) {
    return Bytes(static_cast<int64_t>(blocks * info.f_frsize));
  };
  return Space{.available = bytes(info.f_bavail), .total = bytes(info.f_blocks)};
}

absl::StatusOr<bool> RealMachine::clock_is_synchronised() {
  struct timex state {};
  if (::adjtimex(&state) < 0) return system_error(errno);
  return (state.status & STA_UNSYNC) == 0;
}

absl::StatusOr<std::vector<Interface>> RealMachine::interfaces() {
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return system_error(errno);
  std::map<std::string, Interface> found;
  for (const ifaddrs* at = first; at != nullptr; at = at->ifa_next) {
    Interface& interface = found[at->ifa_name];
    interface.name = at->ifa_name;
    interface.up |= (at->ifa_flags & IFF_UP) != 0;
    if (const auto address = address_in(at->ifa_addr)) interface.addresses.push_back(*address);
  }
  ::freeifaddrs(first);
  std::vector<Interface> all;
  for (auto& [name, interface] : found) {
    interface.bridge = look("/sys/class/net/" + name + "/bridge").ok();
    all.push_back(std::move(interface));
  }
  return all;
}

absl::StatusOr<std::string> RealMachine::libvirt_version(const HypervisorConfig& config) {
  hypervisor::LibvirtConfig libvirt;
  libvirt.uri = config.uri;
  libvirt.cell = CellUid(Uuid({1}));  // owns nothing, and nothing is asked of it
  // Deciding would boot a kernel.
  libvirt.accelerator.mode = hypervisor::AcceleratorMode::kTcg;
  SW_ASSIGN_OR_RETURN(const auto driver, hypervisor::LibvirtHypervisor::connect(libvirt));
  SW_ASSIGN_OR_RETURN(const HostFacts facts, driver->host_facts());
  return facts.hypervisor_version;
}

absl::StatusOr<int> RealMachine::listener_of(const std::string& socket) {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  if (socket.size() >= sizeof address.sun_path) return system_error(ENAMETOOLONG);
  socket.copy(address.sun_path, socket.size());
  const Descriptor client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!client.is_open() ||
      ::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return system_error(errno);
  }
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(client.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    return system_error(errno);
  }
  return peer.pid;
}

absl::Status RealMachine::firewall() {
  return firewall::try_table();
}

bool RealMachine::group_exists(const std::string& name) {
  return ::getgrnam(name.c_str()) != nullptr;
}

}  // namespace stellwerk::daemon::doctor
