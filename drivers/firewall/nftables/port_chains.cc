#include "drivers/firewall/nftables/port_chains.h"

#include <algorithm>

namespace stellwerk::firewall {
namespace {

// How long an answer is awaited. A guest's TCP keeps a silent connection alive every two hours
// (RFC 1122, 4.2.3.6).
constexpr std::string_view kEstablished = "3h";
constexpr std::string_view kEnding = "1m";
constexpr std::string_view kRememberEnding = "90s";
constexpr std::string_view kOtherwise = "3m";
// About 20 MB of the kernel's memory when full, and hundreds of new connections a second.
constexpr int kMostConversations = 131072;
constexpr int kMostEnding = 262144;
// A port adds so many peers a second, so that within their 3 minutes fifty guests that do nothing
// else leave room for the others.
constexpr int kMostPeers = 1048576;
constexpr std::string_view kNewPeers = "100/second burst 1000 packets";
constexpr int kMostPorts = 65536;

std::string keep(std::string_view set, std::string_view key, std::string_view timeout) {
  return fmt::format("update @{} {{ {} timeout {} }}", set, key, timeout);
}

// As the guest sends it; `inward` looks the same key up with both ends swapped.
std::string conversation_from(const Family& family) {
  return fmt::format("{} daddr . meta l4proto . th sport . th dport", family.header);
}
std::string conversation_to(const Family& family) {
  return fmt::format("{} saddr . meta l4proto . th dport . th sport", family.header);
}

std::string from(const IngressRule& rule, const Family& family) {
  if (rule.from.length == 0) return {};
  return fmt::format("{} saddr {} ", family.header, rule.from.to_string());
}

std::vector<std::string> lines_of(const IngressRule& rule, const Family& family) {
  const std::string source = from(rule, family);
  const auto with_ports = [&](std::string_view protocol) -> std::vector<std::string> {
    if (rule.ports.first == 0) return {fmt::format("{}meta l4proto {} accept", source, protocol)};
    std::vector<std::string> lines = {fmt::format("{}{} dport {}-{} accept", source, protocol,
                                                  rule.ports.first, rule.ports.last)};
    // The rest of a datagram shows no ports, and is nothing without its first fragment.
    if (rule.protocol == IpProtocol::kUdp) {
      lines.push_back(fmt::format("{}meta l4proto udp {} accept", source, family.fragment));
    }
    return lines;
  };
  switch (rule.protocol) {
    case IpProtocol::kAny:
      return {source + "accept"};
    case IpProtocol::kTcp:
      return with_ports("tcp");
    case IpProtocol::kUdp:
      return with_ports("udp");
    case IpProtocol::kIcmp:
      return {fmt::format("{}meta l4proto {} accept", source,
                          family.value == IpAddress::Family::kV4 ? "icmp" : "icmpv6")};
  }
  return {};
}

}  // namespace

std::vector<Family> families_of(const GuardedPort& port) {
  std::vector<Family> families;
  for (const Family& family : kFamilies) {
    const auto speaks = [&](const IpAddress& address) { return address.family() == family.value; };
    if (std::ranges::any_of(port.addresses, speaks)) families.push_back(family);
  }
  return families;
}

std::vector<Set> shared_sets(const Family& family) {
  return {{fmt::format("closing{}", family.digit),
           fmt::format("type ifname . {} . inet_proto . inet_service . inet_service; size {}; "
                       "flags dynamic,timeout;",
                       family.address, kMostEnding)},
          {fmt::format("peers{}", family.digit),
           fmt::format("type ifname . {} . inet_proto; size {}; flags dynamic,timeout;",
                       family.address, kMostPeers)},
          {fmt::format("busy{}", family.digit),
           fmt::format("type ifname; size {}; flags dynamic,timeout;", kMostPorts)}};
}

std::vector<Set> sets_of(const GuardedPort& port) {
  std::vector<Set> sets;
  for (const Family& family : families_of(port)) {
    sets.push_back({name_of("flow", family, port.interface_name),
                    fmt::format("type {} . inet_proto . inet_service . inet_service; size {}; "
                                "flags dynamic,timeout;",
                                family.address, kMostConversations)});
  }
  return sets;
}

Chain meet(const Family& family) {
  const std::string peer = fmt::format("iifname . {} daddr . meta l4proto", family.header);
  return {fmt::format("meet{}", family.digit),
          {fmt::format("update @busy{} {{ iifname timeout {} limit rate over {} }} return",
                       family.digit, kOtherwise, kNewPeers),
           keep(fmt::format("peers{}", family.digit), peer, kOtherwise)}};
}

Chain mark_ending(const Family& family) {
  const std::string marked = "iifname . " + conversation_from(family);
  return {fmt::format("mark_ending{}", family.digit),
          {fmt::format("tcp flags & (syn | ack) == syn delete @closing{} {{ {} }}", family.digit,
                       marked),
           fmt::format("tcp flags & (fin | rst) != 0 {}",
                       keep(fmt::format("closing{}", family.digit), marked, kRememberEnding))}};
}

std::vector<Chain> outward(const GuardedPort& port, const Family& family) {
  const std::string flow = name_of("flow", family, port.interface_name);
  const std::string key = conversation_from(family);
  return {{name_of("open", family, port.interface_name), {keep(flow, key, kOtherwise)}},
          {name_of("live", family, port.interface_name),
           {fmt::format("{} != @{} return", key, flow),
            fmt::format("iifname . {} @closing{} {} return", key, family.digit,
                        keep(flow, key, kEnding)),
            keep(flow, key, kEstablished)}}};
}

std::vector<std::string> answers(const Family& family) {
  const bool v4 = family.value == IpAddress::Family::kV4;
  const std::string_view icmp = v4 ? "icmp" : "icmpv6";
  const std::string from_peer =
      fmt::format("oifname . {} saddr . meta l4proto @peers{} accept", family.header, family.digit);
  return {fmt::format("{} {}", family.fragment, from_peer),
          fmt::format("{} type {{ destination-unreachable, time-exceeded, parameter-problem{} }} "
                      "accept",
                      icmp, v4 ? "" : ", packet-too-big"),
          fmt::format("{} type echo-reply {}", icmp, from_peer),
          fmt::format("ether type {} meta l4proto != {{ tcp, udp, icmp, icmpv6 }} {}",
                      family.header, from_peer)};
}

Chain inward(const GuardedPort& port, const Family& family, const std::string& neighbours) {
  Chain chain{name_of("in", family, port.interface_name), {}};
  if (!neighbours.empty()) chain.lines.push_back("jump " + neighbours);
  chain.lines.push_back(fmt::format("{} @{} accept", conversation_to(family),
                                    name_of("flow", family, port.interface_name)));
  for (const IngressRule& rule : port.ingress) {
    if (rule.from.address.family() != family.value) continue;
    for (std::string& line : lines_of(rule, family)) chain.lines.push_back(std::move(line));
  }
  chain.lines.emplace_back("drop");
  return chain;
}

}  // namespace stellwerk::firewall
