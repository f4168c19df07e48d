#include "api/server/listener.h"

#include <fcntl.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace stellwerk::server {
namespace {

constexpr int kBacklog = 128;
constexpr int kPauseMilliseconds = 100;  // when the process is out of descriptors
constexpr int kTurnAttempts = 50;
constexpr mode_t kMode = 0660;
constexpr mode_t kPrivate = 0600;

absl::Status failed(std::string_view what, const std::string& path) {
  return failed_precondition("{} {}: {}", what, path, std::strerror(errno));
}

absl::StatusOr<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return invalid_argument("the socket's path has {} bytes; give 1 to {}", path.size(),
                            sizeof address.sun_path - 1);
  }
  path.copy(address.sun_path, path.size());
  return address;
}

const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

// Two daemons that start at once take turns, or one could remove the other's fresh socket. Nobody
// but the daemon's user can hold them up: the folder itself anybody could lock.
absl::StatusOr<Descriptor> take_turn(const std::string& socket) {
  const std::string path = socket + ".lock";
  Descriptor lock(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, kPrivate));
  if (!lock.is_open()) return failed("cannot open the lock of the socket,", path);
  for (int attempt = 0; flock(lock.get(), LOCK_EX | LOCK_NB) != 0; ++attempt) {
    if (errno != EWOULDBLOCK && errno != EINTR) return failed("cannot lock", path);
    if (attempt == kTurnAttempts) {
      return failed_precondition("another daemon is just starting on {}; try again when it has",
                                 socket);
    }
    poll(nullptr, 0, kPauseMilliseconds);
  }
  return lock;
}

// Removes what a dead daemon left at `path`, and nothing else.
absl::Status remove_stale(const std::string& path, const sockaddr_un& address) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) {
    return errno == ENOENT ? absl::OkStatus() : failed("cannot look at", path);
  }
  if (!S_ISSOCK(status.st_mode)) {
    return failed_precondition("{} exists and is not a socket; choose another path or remove it",
                               path);
  }
  const Descriptor probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe.is_open()) return failed("cannot make a socket for", path);
  const bool connected = connect(probe.get(), generic(address), sizeof address) == 0;
  if (connected || errno == EAGAIN) {  // EAGAIN: a full backlog, so somebody listens
    return failed_precondition("another daemon listens on {}; stop it first", path);
  }
  if (errno == ENOENT) return absl::OkStatus();
  if (errno != ECONNREFUSED) return failed("cannot tell whether anybody listens on", path);
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return failed("cannot remove the stale", path);
  return absl::OkStatus();
}

// Nobody can connect before listen(), so mode and group are right from the first connection on.
absl::Status bind_and_listen(const Descriptor& socket, const ListenerConfig& config,
                             const sockaddr_un& address) {
  if (bind(socket.get(), generic(address), sizeof address) != 0) {
    return failed("cannot bind", config.path);
  }
  const bool ready =
      chmod(config.path.c_str(), kMode) == 0 &&
      (!config.group || chown(config.path.c_str(), static_cast<uid_t>(-1), *config.group) == 0) &&
      listen(socket.get(), kBacklog) == 0;
  if (ready) return absl::OkStatus();
  const absl::Status status = failed("cannot prepare", config.path);
  unlink(config.path.c_str());
  return status;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Listener>> Listener::open(const ListenerConfig& config) {
  SW_ASSIGN_OR_RETURN(const sockaddr_un address, address_of(config.path));
  SW_ASSIGN_OR_RETURN(const Descriptor turn, take_turn(config.path));

  SW_RETURN_IF_ERROR(remove_stale(config.path, address));
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  Descriptor wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!socket.is_open() || !wake.is_open()) return failed("cannot make a socket for", config.path);
  SW_RETURN_IF_ERROR(bind_and_listen(socket, config, address));
  return std::unique_ptr<Listener>(new Listener(config.path, std::move(socket), std::move(wake)));
}

Listener::Listener(std::string path, Descriptor socket, Descriptor wake)
    : path_(std::move(path)), socket_(std::move(socket)), wake_(std::move(wake)) {
  struct stat status {};
  if (lstat(path_.c_str(), &status) == 0) {
    inode_ = status.st_ino;
    device_ = status.st_dev;
  }
}

Listener::~Listener() {
  close();
}

void Listener::accept_with(std::function<void(Descriptor)> accepted) {
  thread_ = std::thread([this, accepted = std::move(accepted)] { run(accepted); });
}

void Listener::close() {
  if (!socket_.is_open()) return;
  const uint64_t one = 1;
  if (::write(wake_.get(), &one, sizeof one) != sizeof one) spdlog::error("cannot wake listener");
  if (thread_.joinable()) thread_.join();
  struct stat status {};
  if (lstat(path_.c_str(), &status) == 0 && status.st_ino == inode_ && status.st_dev == device_) {
    unlink(path_.c_str());
  }
  socket_ = Descriptor();
}

void Listener::run(const std::function<void(Descriptor)>& accepted) {
  while (wait(-1, true)) {
    const int connection = accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (connection >= 0) {
      accepted(Descriptor(connection));
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      spdlog::warn("cannot accept on {}: {}; trying again", path_, std::strerror(errno));
      if (!wait(kPauseMilliseconds, false)) return;
    }
    // Anything else concerns that one connection, which has gone.
  }
}

// False once the thread is to end.
bool Listener::wait(int milliseconds, bool for_connections) {
  pollfd watched[2] = {{wake_.get(), POLLIN, 0}, {socket_.get(), POLLIN, 0}};
  while (poll(watched, for_connections ? 2 : 1, milliseconds) < 0 && errno == EINTR) {
  }
  return watched[0].revents == 0;
}

}  // namespace stellwerk::server
