// Who is at the other end of a Unix socket, by the kernel's word, and who may do what.
#pragma once

#include <sys/types.h>

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/status.h"

namespace stellwerk::server {

struct Peer {
  uid_t uid = 0;
  std::vector<gid_t> groups;  // primary and supplementary, as of connect(2)
};

absl::StatusOr<Peer> peer_of(int socket);

// "root", "uid 1000": for the audit log.
std::string caller_of(const Peer& peer);

// Root, and whoever is in the group.
class OperatorRule {
 public:
  // An empty name, and one that no group has: root only; `warning` then says why.
  static OperatorRule of_group(const std::string& name, std::string* warning);

  bool allows(const Peer& peer) const;
  // PermissionDenied that says what would help.
  absl::Status refusal(const Peer& peer) const;
  const std::optional<gid_t>& group() const { return group_; }

 private:
  std::string name_;
  std::optional<gid_t> group_;
};

// The callers of one gRPC server's connections, by descriptor: gRPC 1.51 hides a Unix peer's
// credentials but names the descriptor ("fd:7"). gRPC closes a descriptor only after the last call
// of its connection has gone, so its number cannot have passed to another connection while a call
// asks; and only operators' connections reach the server that does anything, so even a mistake here
// could not let anybody in. Thread-safe.
class PeerTable {
 public:
  // Before the descriptor is handed to gRPC. ResourceExhausted when `limit` connections are open.
  absl::Status add(int socket, const Peer& peer, size_t limit);
  // `grpc_peer`: what ServerContext::peer() says.
  std::optional<Peer> find(std::string_view grpc_peer) const;

 private:
  struct Entry {
    ino_t inode = 0;  // of the socket: tells it from whatever has the number later
    Peer peer;
  };
  void forget_closed();

  mutable std::mutex mutex_;
  std::map<int, Entry> open_;
};

}  // namespace stellwerk::server
