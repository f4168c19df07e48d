// Where the daemon listens: a Unix socket, never TCP. Values only.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/status.h"

namespace stellwerk::client {

inline constexpr std::string_view kDefaultEndpoint = "unix:///run/stellwerk/stellwerkd.sock";

struct Endpoint {
  std::string socket_path;

  // As gRPC wants it: a URI, so with everything unusual in the path percent-encoded.
  std::string grpc_target() const;
};

// Accepts unix:///absolute/path and nothing else.
absl::StatusOr<Endpoint> parse_endpoint(std::string_view text);

// Reasons of the errors below.
inline constexpr std::string_view kSocketMissing = "SOCKET_MISSING";
inline constexpr std::string_view kSocketDenied = "SOCKET_DENIED";
inline constexpr std::string_view kSocketRefused = "SOCKET_REFUSED";  // nobody listens
inline constexpr std::string_view kNotASocket = "NOT_A_SOCKET";

// Why a connection cannot be made, as far as the file system tells; does not connect.
std::optional<absl::Status> socket_file_problem(const Endpoint& endpoint);
// The same, but tries a connection, too.
std::optional<absl::Status> socket_problem(const Endpoint& endpoint);

}  // namespace stellwerk::client
