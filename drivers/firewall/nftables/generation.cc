#include "drivers/firewall/nftables/generation.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "core/descriptor.h"

namespace stellwerk::firewall {
namespace {

constexpr time_t kReplySeconds = 10;

Descriptor open_socket() {
  Descriptor socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
  const timeval limit{.tv_sec = kReplySeconds, .tv_usec = 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  return socket;
}

absl::Status failed(int error) {
  const std::string text = fmt::format(
      "cannot ask the kernel for the generation of nftables' rules: {}", std::strerror(error));
  if (error == EPERM) return permission_denied("{}; run as root or with CAP_NET_ADMIN", text);
  if (error == EAGAIN) return deadline_exceeded("{}: it did not answer", text);
  return failed_precondition("{}; the kernel must have nftables", text);
}

// The attribute NFTA_GEN_ID of a message, in network order.
absl::StatusOr<uint32_t> generation_in(const char* message, size_t size) {
  nlmsghdr header{};
  if (size < sizeof header) return internal_error("netlink: an answer of {} bytes", size);
  std::memcpy(&header, message, sizeof header);
  if (header.nlmsg_type == NLMSG_ERROR && size >= sizeof header + sizeof(nlmsgerr)) {
    nlmsgerr error{};
    std::memcpy(&error, message + NLMSG_HDRLEN, sizeof error);
    return failed(-error.error);
  }
  size_t at = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(nfgenmsg));
  while (at + sizeof(nlattr) <= size) {
    nlattr attribute{};
    std::memcpy(&attribute, message + at, sizeof attribute);
    uint32_t value = 0;
    if (attribute.nla_type == NFTA_GEN_ID && at + NLA_HDRLEN + sizeof value <= size) {
      std::memcpy(&value, message + at + NLA_HDRLEN, sizeof value);
      return ntohl(value);
    }
    if (attribute.nla_len < sizeof attribute) break;
    at += NLA_ALIGN(attribute.nla_len);
  }
  return internal_error("netlink: an answer without the generation of nftables' rules");
}

}  // namespace

absl::StatusOr<uint32_t> ruleset_generation() {
  const Descriptor socket = open_socket();
  if (!socket.is_open()) return failed(errno);
  struct {
    nlmsghdr header;
    nfgenmsg body;
  } request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN;
  request.header.nlmsg_flags = NLM_F_REQUEST;
  request.body.nfgen_family = AF_UNSPEC;
  request.body.version = NFNETLINK_V0;
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  if (::sendto(socket.get(), &request, sizeof request, 0, reinterpret_cast<sockaddr*>(&kernel),
               sizeof kernel) < 0) {
    return failed(errno);
  }
  std::array<char, 4096> answer{};
  ssize_t size = 0;
  do {
    size = ::recv(socket.get(), answer.data(), answer.size(), 0);
  } while (size < 0 && errno == EINTR);
  if (size < 0) return failed(errno);
  return generation_in(answer.data(), static_cast<size_t>(size));
}

}  // namespace stellwerk::firewall
