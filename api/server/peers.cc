#include "api/server/peers.h"

#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/parse_number.h"

namespace stellwerk::server {
namespace {

constexpr size_t kMostGroups = 65536;  // the kernel's own limit

std::optional<ino_t> inode_of(int descriptor) {
  struct stat status {};
  if (fstat(descriptor, &status) != 0 || !S_ISSOCK(status.st_mode)) return std::nullopt;
  return status.st_ino;
}

std::optional<gid_t> find_group(const std::string& name) {
  std::vector<char> buffer(64 * 1024);
  group entry{};
  group* found = nullptr;
  while (getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) == ERANGE &&
         buffer.size() < (size_t{1} << 24)) {
    buffer.resize(buffer.size() * 2);
  }
  return found == nullptr ? std::nullopt : std::optional(found->gr_gid);
}

}  // namespace

absl::StatusOr<Peer> peer_of(int socket) {
  ucred credentials{};
  socklen_t length = sizeof credentials;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) {
    return internal_error("SO_PEERCRED: {}", std::strerror(errno));
  }
  std::vector<gid_t> groups(64);
  length = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
  while (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &length) != 0) {
    if (errno != ERANGE || groups.size() > kMostGroups) {
      return internal_error("SO_PEERGROUPS: {}", std::strerror(errno));
    }
    groups.resize(groups.size() * 2);
    length = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
  }
  groups.resize(length / sizeof(gid_t));
  groups.push_back(credentials.gid);
  return Peer{.uid = credentials.uid, .groups = std::move(groups)};
}

std::string caller_of(const Peer& peer) {
  return peer.uid == 0 ? "root" : fmt::format("uid {}", peer.uid);
}

OperatorRule OperatorRule::of_group(const std::string& name, std::string* warning) {
  OperatorRule rule;
  rule.name_ = name;
  if (name.empty()) return rule;
  rule.group_ = find_group(name);
  if (!rule.group_) {
    *warning = fmt::format(
        "the group {} does not exist: only root may use the API; create it (groupadd --system {}) "
        "and restart",
        name, name);
  }
  return rule;
}

bool OperatorRule::allows(const Peer& peer) const {
  if (peer.uid == 0) return true;
  return group_ && std::find(peer.groups.begin(), peer.groups.end(), *group_) != peer.groups.end();
}

absl::Status OperatorRule::refusal(const Peer& peer) const {
  const std::string caller = caller_of(peer);
  if (!group_) {
    return with_reason(permission_denied("{} may not use this daemon: only root may; set "
                                         "operator_group in its configuration to an existing group",
                                         caller),
                       "NOT_AN_OPERATOR");
  }
  return with_reason(permission_denied("{} may not use this daemon: be root or a member of the "
                                       "group {} (usermod -aG {} NAME, then log in again)",
                                       caller, name_, name_),
                     "NOT_AN_OPERATOR");
}

absl::Status PeerTable::add(int socket, const Peer& peer, size_t limit) {
  const std::optional<ino_t> inode = inode_of(socket);
  if (!inode) return internal_error("the descriptor {} is not a socket", socket);
  const std::lock_guard lock(mutex_);
  if (open_.size() >= limit) forget_closed();
  if (open_.size() >= limit) {
    return resource_exhausted("{} connections are open; close some", limit);
  }
  open_.insert_or_assign(socket, Entry{.inode = *inode, .peer = peer});
  return absl::OkStatus();
}

std::optional<Peer> PeerTable::find(std::string_view grpc_peer) const {
  if (!grpc_peer.starts_with("fd:")) return std::nullopt;
  grpc_peer.remove_prefix(3);
  const std::optional<int> descriptor = parse_number<int>(grpc_peer);
  if (!descriptor) return std::nullopt;
  const std::lock_guard lock(mutex_);
  const auto found = open_.find(*descriptor);
  if (found == open_.end()) return std::nullopt;
  return found->second.peer;
}

void PeerTable::forget_closed() {
  std::erase_if(open_, [](const auto& entry) {
    return inode_of(entry.first) != std::optional(entry.second.inode);
  });
}

}  // namespace stellwerk::server
