#include "drivers/hypervisor/libvirt/console_sockets.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace stellwerk::hypervisor {
namespace {

// Enough of a name-based UUID to be an instance's own on one host, and short.
constexpr size_t kNameLength = 16;

std::string socket_name(const InstanceUid& instance) {
  std::string name;
  for (const char c : instance.to_string()) {
    if (c != '-') name += c;
  }
  return name.substr(0, kNameLength);
}

}  // namespace

absl::StatusOr<std::unique_ptr<ConsoleSockets>> ConsoleSockets::open_folder(std::string folder) {
  static_assert(kLongestConsoleFolder + 1 + kNameLength < sizeof(sockaddr_un::sun_path));
  if (folder.size() > kLongestConsoleFolder) {
    return invalid_argument("the consoles' folder {} has {} bytes; its path has at most {}", folder,
                            folder.size(), kLongestConsoleFolder);
  }
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return failed_precondition("cannot make the consoles' folder {}: {}", folder,
                               std::strerror(errno));
  }
  return std::unique_ptr<ConsoleSockets>(new ConsoleSockets(std::move(folder)));
}

std::string ConsoleSockets::socket_of(const InstanceUid& instance) const {
  return folder_ + "/" + socket_name(instance);
}

absl::StatusOr<Descriptor> ConsoleSockets::open(const InstanceUid& instance) {
  Descriptor console(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (console.get() < 0) {
    return resource_exhausted("cannot make a socket: {}", std::strerror(errno));
  }
  const std::string path = socket_of(instance);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  if (::connect(console.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
    return console;
  }
  const int error = errno;
  if (error == ENOENT || error == ECONNREFUSED) {
    return not_found("instance {} has no console at {}", instance.to_string(), path);
  }
  return unavailable("the console of instance {} at {}: {}", instance.to_string(), path,
                     std::strerror(error));
}

}  // namespace stellwerk::hypervisor
