#include "api/client/endpoint.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <fcntl.h>

#include <cerrno>
#include <cstring>

#include "core/validate.h"

namespace stellwerk::client {
namespace {

constexpr std::string_view kScheme = "unix://";
constexpr size_t kLongestPath = sizeof(sockaddr_un::sun_path) - 1;

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
         c == '-' || c == '_' || c == '.' || c == '~';
}

absl::Status problem(std::string_view reason, std::string_view path, std::string_view what) {
  return with_reason(unavailable("cannot connect to the daemon at {}: {}", path, what), reason);
}

absl::Status problem_of_errno(int error, std::string_view path) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return problem(kSocketMissing, path, "there is no such socket");
    case EACCES:
    case EPERM:
      return problem(kSocketDenied, path, "permission denied");
    default:
      return problem(kSocketRefused, path,
                     error == ECONNREFUSED ? "nobody listens on the socket" : strerror(error));
  }
}

}  // namespace

std::string Endpoint::grpc_target() const {
  std::string target(kScheme);
  for (const char c : socket_path) {
    if (is_plain(c)) {
      target += c;
    } else {
      target += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return target;
}

absl::StatusOr<Endpoint> parse_endpoint(std::string_view text) {
  if (!text.starts_with(kScheme) || text.substr(kScheme.size()).find('/') != 0) {
    return invalid_argument(
        "endpoint: {} is not a Unix socket; give unix:///path/to/socket (there is no plaintext "
        "TCP)",
        quoted(text));
  }
  const std::string_view path = text.substr(kScheme.size());
  if (path.size() > kLongestPath) {
    return invalid_argument("endpoint: the path of a Unix socket has at most {} bytes, this one {}",
                            kLongestPath, path.size());
  }
  return Endpoint{std::string(path)};
}

std::optional<absl::Status> socket_file_problem(const Endpoint& endpoint) {
  const char* path = endpoint.socket_path.c_str();
  struct stat info {};
  if (stat(path, &info) != 0) return problem_of_errno(errno, endpoint.socket_path);
  if (!S_ISSOCK(info.st_mode)) {
    return problem(kNotASocket, endpoint.socket_path, "this is a file of another kind");
  }
  if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) != 0) {
    return problem_of_errno(errno, endpoint.socket_path);
  }
  return std::nullopt;
}

std::optional<absl::Status> socket_problem(const Endpoint& endpoint) {
  if (auto found = socket_file_problem(endpoint)) return found;
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return problem_of_errno(errno, endpoint.socket_path);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, endpoint.socket_path.data(), endpoint.socket_path.size());
  const int result = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  const int error = result == 0 ? 0 : errno;
  close(fd);
  // EAGAIN: the daemon is there, its backlog is full.
  if (error == 0 || error == EAGAIN) return std::nullopt;
  return problem_of_errno(error, endpoint.socket_path);
}

}  // namespace stellwerk::client
