#include "drivers/network/bridge/bridge_network.h"

#include <linux/if_addr.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netlink/cache.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/bridge.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <memory>
#include <optional>

#include "core/failpoint.h"
#include "core/validate.h"
#include "drivers/network/bridge/link_local.h"

namespace stellwerk::network {
namespace {

// Marks what we made; `ip link show group 21335` lists it. ("SW")
constexpr uint32_t kOurGroup = 0x5357;
constexpr time_t kReplySeconds = 10;

struct NetlinkDeleter {
  void operator()(nl_sock* socket) const { nl_socket_free(socket); }
  void operator()(nl_cache* cache) const { nl_cache_free(cache); }
  void operator()(rtnl_link* link) const { rtnl_link_put(link); }
  void operator()(rtnl_addr* address) const { rtnl_addr_put(address); }
  void operator()(nl_addr* address) const { nl_addr_put(address); }
};
template <class Object>
using Owned = std::unique_ptr<Object, NetlinkDeleter>;

bool means_missing(int error) {
  return error == -NLE_NODEV || error == -NLE_OBJ_NOTFOUND;
}

absl::Status netlink_error(int error, std::string_view action, std::string_view name) {
  const std::string text = fmt::format("cannot {} {}: {}", action, name, nl_geterror(error));
  if (error == -NLE_PERM || error == -NLE_NOACCESS) {
    return permission_denied("{}; run as root or with CAP_NET_ADMIN", text);
  }
  if (error == -NLE_AGAIN) return deadline_exceeded("{}: the kernel did not answer", text);
  return internal_error("{}", text);
}

absl::StatusOr<Owned<nl_sock>> connect() {
  Owned<nl_sock> socket(nl_socket_alloc());
  if (!socket) return resource_exhausted("no memory for a netlink socket");
  const int error = nl_connect(socket.get(), NETLINK_ROUTE);
  if (error < 0) return netlink_error(error, "connect to", "the kernel's netlink");
  const timeval limit{.tv_sec = kReplySeconds, .tv_usec = 0};
  ::setsockopt(nl_socket_get_fd(socket.get()), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  return socket;
}

absl::Status check_interface_name(const std::string& name) {
  if (!name.empty() && name.size() <= kLongestInterfaceName &&
      name.find('/') == std::string::npos) {
    return absl::OkStatus();
  }
  return invalid_argument("\"{}\" is no interface name; use 1 to {} characters without '/'", name,
                          kLongestInterfaceName);
}

// Null if there is none.
absl::StatusOr<Owned<rtnl_link>> find_link(nl_sock* socket, const std::string& name) {
  rtnl_link* link = nullptr;
  const int error = rtnl_link_get_kernel(socket, 0, name.c_str(), &link);
  if (means_missing(error)) return Owned<rtnl_link>();
  if (error < 0) return netlink_error(error, "look up the interface", name);
  return Owned<rtnl_link>(link);
}

std::string_view kind_of(rtnl_link* link) {
  const char* kind = rtnl_link_get_type(link);
  return kind != nullptr ? kind : "";
}

bool is_bridge(rtnl_link* link) {
  return kind_of(link) == "bridge";
}

// The kernel has one kind for tap and tun; only a tap carries Ethernet.
bool is_tap(rtnl_link* link) {
  return kind_of(link) == "tun" && rtnl_link_get_arptype(link) == ARPHRD_ETHER;
}

// The one that is there in the end, whoever made it: several steps may want it at once.
absl::StatusOr<Owned<rtnl_link>> create_bridge(nl_sock* socket, const std::string& name) {
  const Owned<rtnl_link> wanted(rtnl_link_bridge_alloc());
  if (!wanted) return resource_exhausted("no memory for the bridge {}", name);
  rtnl_link_set_name(wanted.get(), name.c_str());
  rtnl_link_set_group(wanted.get(), kOurGroup);
  const int error = rtnl_link_add(socket, wanted.get(), NLM_F_CREATE | NLM_F_EXCL);
  if (error < 0 && error != -NLE_EXIST) return netlink_error(error, "create the bridge", name);
  SW_ASSIGN_OR_RETURN(Owned<rtnl_link> made, find_link(socket, name));
  if (!made) return aborted("the bridge {} went away while it was made", name);
  return made;
}

// An address with the length of its subnet; nothing where it is of no family of ours.
std::optional<IpPrefix> prefix_of(rtnl_addr* address) {
  nl_addr* local = rtnl_addr_get_local(address);
  const int family = nl_addr_get_family(local);
  if (family != AF_INET && family != AF_INET6) return std::nullopt;
  std::array<uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), nl_addr_get_binary_addr(local),
              std::min<size_t>(nl_addr_get_len(local), bytes.size()));
  const IpAddress ip = family == AF_INET6
                           ? IpAddress::v6(bytes)
                           : IpAddress::v4(static_cast<uint32_t>(bytes[0]) << 24 |
                                           static_cast<uint32_t>(bytes[1]) << 16 |
                                           static_cast<uint32_t>(bytes[2]) << 8 | bytes[3]);
  return IpPrefix{ip, static_cast<uint8_t>(rtnl_addr_get_prefixlen(address))};
}

// The kernel's own: every IPv6 interface has one.
bool is_link_local(rtnl_addr* address) {
  return rtnl_addr_get_scope(address) == RT_SCOPE_LINK;
}

struct HostAddress {
  std::string interface;
  IpPrefix prefix;
};

// But the link-local ones.
absl::StatusOr<std::vector<HostAddress>> host_addresses(nl_sock* socket) {
  nl_cache* read = nullptr;
  const int error = rtnl_addr_alloc_cache(socket, &read);
  if (error < 0) return netlink_error(error, "list the addresses of", "this host");
  const Owned<nl_cache> listed(read);
  std::vector<HostAddress> addresses;
  for (nl_object* at = nl_cache_get_first(read); at != nullptr; at = nl_cache_get_next(at)) {
    auto* address = reinterpret_cast<rtnl_addr*>(at);
    const auto prefix = prefix_of(address);
    if (!prefix || is_link_local(address)) continue;
    std::array<char, IF_NAMESIZE> name{};
    ::if_indextoname(static_cast<unsigned>(rtnl_addr_get_ifindex(address)), name.data());
    addresses.push_back({name.data(), *prefix});
  }
  return addresses;
}

// A guests' network over one that the host is in would take the host's own traffic. What the bridge
// has already is not judged again.
absl::Status refuse_ranges_of_the_host(nl_sock* socket, const BridgeSpec& bridge) {
  SW_ASSIGN_OR_RETURN(const std::vector<HostAddress> host, host_addresses(socket));
  for (const IpPrefix& address : bridge.addresses) {
    const auto is_there = [&](const HostAddress& one) {
      return one.interface == bridge.name && one.prefix == address;
    };
    if (std::ranges::any_of(host, is_there)) continue;
    for (const HostAddress& other : host) {
      if (other.interface == bridge.name || !other.prefix.overlaps(address)) continue;
      SW_ASSIGN_OR_RETURN(const Owned<rtnl_link> link, find_link(socket, other.interface));
      const bool ours = link && rtnl_link_get_group(link.get()) == kOurGroup;
      return failed_precondition(
          "{} overlaps {}, which this host has on {}; {}", address.normalized().to_string(),
          other.prefix.to_string(), other.interface,
          ours ? fmt::format("Stellwerk made it for another network; if that is gone: ip link "
                             "delete {}",
                             other.interface)
               : "choose another range for the network, or make it isolated");
    }
  }
  return absl::OkStatus();
}

absl::Status add_address(nl_sock* socket, rtnl_link* link, const IpPrefix& wanted,
                         const std::string& bridge) {
  const int family = wanted.address.is_v4() ? AF_INET : AF_INET6;
  const auto size = static_cast<size_t>(wanted.address.bits()) / 8;
  const Owned<nl_addr> local(nl_addr_build(family, wanted.address.bytes().data(), size));
  const Owned<rtnl_addr> address(rtnl_addr_alloc());
  if (!local || !address) return resource_exhausted("no memory for an address");
  nl_addr_set_prefixlen(local.get(), wanted.length);
  rtnl_addr_set_ifindex(address.get(), rtnl_link_get_ifindex(link));
  // Nobody else can have it: it is usable at once, also before the first guest's port is up.
  if (family == AF_INET6) rtnl_addr_set_flags(address.get(), IFA_F_NODAD);
  const int set = rtnl_addr_set_local(address.get(), local.get());
  const int error = set < 0 ? set : rtnl_addr_add(socket, address.get(), 0);
  if (error < 0 && error != -NLE_EXIST) {
    return netlink_error(error, "give an address to the bridge", bridge);
  }
  return absl::OkStatus();
}

// An address that the network no longer has would keep its subnet's route.
absl::Status remove_other_addresses(nl_sock* socket, rtnl_link* link, const BridgeSpec& bridge) {
  nl_cache* read = nullptr;
  const int listed = rtnl_addr_alloc_cache(socket, &read);
  if (listed < 0) return netlink_error(listed, "list the addresses of", bridge.name);
  const Owned<nl_cache> addresses(read);
  for (nl_object* at = nl_cache_get_first(read); at != nullptr; at = nl_cache_get_next(at)) {
    auto* address = reinterpret_cast<rtnl_addr*>(at);
    if (rtnl_addr_get_ifindex(address) != rtnl_link_get_ifindex(link)) continue;
    const auto prefix = prefix_of(address);
    const bool wanted =
        prefix && std::ranges::find(bridge.addresses, *prefix) != bridge.addresses.end();
    if (wanted || is_link_local(address)) continue;
    const int error = rtnl_addr_delete(socket, address, 0);
    if (error < 0 && error != -NLE_NOADDR) {
      return netlink_error(error, "take an address from", bridge.name);
    }
  }
  return absl::OkStatus();
}

// Pins the MAC that the kernel chose and the MTU, and switches the bridge on.
absl::Status set_up(nl_sock* socket, rtnl_link* link, const BridgeSpec& bridge) {
  const Owned<rtnl_link> change(rtnl_link_alloc());
  if (!change) return resource_exhausted("no memory for the bridge {}", bridge.name);
  rtnl_link_set_addr(change.get(), rtnl_link_get_addr(link));
  rtnl_link_set_mtu(change.get(), static_cast<unsigned int>(bridge.mtu));
  rtnl_link_set_flags(change.get(), IFF_UP);
  const int error = rtnl_link_change(socket, link, change.get(), 0);
  return error < 0 ? netlink_error(error, "set up the bridge", bridge.name) : absl::OkStatus();
}

}  // namespace

absl::Status BridgeNetwork::ensure_bridge(const BridgeSpec& bridge) {
  SW_RETURN_IF_ERROR(check_interface_name(bridge.name));
  for (const IpPrefix& address : bridge.addresses) {
    if (address.length <= address.address.bits()) continue;
    return invalid_argument("a prefix length of {} is more than {}", address.length,
                            address.address.bits());
  }
  failpoint("network.ensure-bridge.before");
  SW_ASSIGN_OR_RETURN(const Owned<nl_sock> socket, connect());
  SW_ASSIGN_OR_RETURN(Owned<rtnl_link> link, find_link(socket.get(), bridge.name));
  if (!link || rtnl_link_get_group(link.get()) == kOurGroup) {
    SW_RETURN_IF_ERROR(refuse_ranges_of_the_host(socket.get(), bridge));
  }
  if (!link) {
    SW_ASSIGN_OR_RETURN(link, create_bridge(socket.get(), bridge.name));
  }
  if (!is_bridge(link.get())) {
    return failed_precondition(
        "{} is an interface of the kind \"{}\", not a bridge; set "
        "network.bridge to another name",
        bridge.name, kind_of(link.get()));
  }
  if (rtnl_link_get_group(link.get()) == kOurGroup) {
    SW_RETURN_IF_ERROR(ignore_senders_of_link_protocols(
        socket.get(), rtnl_link_get_ifindex(link.get()), bridge.name));
    SW_RETURN_IF_ERROR(remove_other_addresses(socket.get(), link.get(), bridge));
    for (const IpPrefix& address : bridge.addresses) {
      SW_RETURN_IF_ERROR(add_address(socket.get(), link.get(), address, bridge.name));
    }
    SW_RETURN_IF_ERROR(set_up(socket.get(), link.get(), bridge));
  }
  failpoint("network.ensure-bridge.after");
  return absl::OkStatus();
}

absl::Status BridgeNetwork::require_bridge(const std::string& name) {
  SW_RETURN_IF_ERROR(check_interface_name(name));
  SW_ASSIGN_OR_RETURN(const Owned<nl_sock> socket, connect());
  SW_ASSIGN_OR_RETURN(const Owned<rtnl_link> link, find_link(socket.get(), name));
  if (!link) {
    return not_found("this host has no bridge {}; make it: ip link add {} type bridge", name, name);
  }
  if (is_bridge(link.get())) return absl::OkStatus();
  return failed_precondition("{} is no bridge on this host but an interface of the kind \"{}\"",
                             name, kind_of(link.get()));
}

absl::Status BridgeNetwork::remove_bridge(const std::string& name) {
  SW_RETURN_IF_ERROR(check_interface_name(name));
  failpoint("network.remove-bridge.before");
  SW_ASSIGN_OR_RETURN(const Owned<nl_sock> socket, connect());
  SW_ASSIGN_OR_RETURN(const Owned<rtnl_link> link, find_link(socket.get(), name));
  if (!link) return absl::OkStatus();
  if (!is_bridge(link.get()) || rtnl_link_get_group(link.get()) != kOurGroup) {
    return permission_denied("{} is no bridge of ours; it is left alone", name);
  }
  SW_ASSIGN_OR_RETURN(const std::vector<ObservedPort> every, ports(""));
  const auto hangs_on = [&name](const ObservedPort& port) { return port.bridge == name; };
  if (const auto port = std::ranges::find_if(every, hangs_on); port != every.end()) {
    return failed_precondition("{} hangs on the bridge {}; it stays", port->interface_name, name);
  }
  const int error = rtnl_link_delete(socket.get(), link.get());
  if (error < 0 && !means_missing(error)) return netlink_error(error, "remove the bridge", name);
  failpoint("network.remove-bridge.after");
  return absl::OkStatus();
}

absl::StatusOr<std::vector<ObservedPort>> BridgeNetwork::ports(const std::string& prefix) {
  SW_ASSIGN_OR_RETURN(const Owned<nl_sock> socket, connect());
  nl_cache* read = nullptr;
  const int error = rtnl_link_alloc_cache(socket.get(), AF_UNSPEC, &read);
  if (error < 0) return netlink_error(error, "list", "interfaces");
  const Owned<nl_cache> links(read);

  std::map<int, std::string> bridges;
  for (nl_object* at = nl_cache_get_first(read); at != nullptr; at = nl_cache_get_next(at)) {
    auto* link = reinterpret_cast<rtnl_link*>(at);
    if (is_bridge(link)) bridges[rtnl_link_get_ifindex(link)] = rtnl_link_get_name(link);
  }
  std::vector<ObservedPort> ports;
  for (nl_object* at = nl_cache_get_first(read); at != nullptr; at = nl_cache_get_next(at)) {
    auto* link = reinterpret_cast<rtnl_link*>(at);
    const std::string_view name = rtnl_link_get_name(link);
    const auto bridge = bridges.find(rtnl_link_get_master(link));
    if (bridge == bridges.end() || !name.starts_with(prefix)) continue;
    ports.push_back({.interface_name = std::string(name), .bridge = bridge->second});
  }
  std::sort(ports.begin(), ports.end(), [](const ObservedPort& a, const ObservedPort& b) {
    return a.interface_name < b.interface_name;
  });
  return ports;
}

absl::Status BridgeNetwork::remove_port(const std::string& interface_name) {
  SW_RETURN_IF_ERROR(check_interface_name(interface_name));
  failpoint("network.remove-port.before");
  SW_ASSIGN_OR_RETURN(const Owned<nl_sock> socket, connect());
  SW_ASSIGN_OR_RETURN(const Owned<rtnl_link> link, find_link(socket.get(), interface_name));
  if (link && !is_tap(link.get())) {
    return permission_denied(
        "{} is not a tap interface (its kind is \"{}\"), so not a guest's; it "
        "is left alone",
        interface_name, kind_of(link.get()));
  }
  if (link) {
    const int error = rtnl_link_delete(socket.get(), link.get());
    // A tap also goes by itself, with its QEMU.
    if (error < 0 && !means_missing(error)) {
      return netlink_error(error, "remove the port", interface_name);
    }
  }
  failpoint("network.remove-port.after");
  return absl::OkStatus();
}

}  // namespace stellwerk::network
