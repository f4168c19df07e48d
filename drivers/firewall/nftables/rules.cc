#include "drivers/firewall/nftables/rules.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "drivers/firewall/nftables/names.h"
#include "drivers/firewall/nftables/port_chains.h"

namespace stellwerk::firewall {
namespace {

constexpr std::string_view kGroupBit = "01:00:00:00:00:00";
// The addresses that a bridge keeps for its own protocols (IEEE 802.1Q, table 8-1). What is sent
// to them takes a short cut past the prerouting hook.
constexpr std::string_view kBridgeProtocols =
    "ether daddr & ff:ff:ff:ff:ff:f0 == 01:80:c2:00:00:00";

std::string mac_text(uint64_t mac) {
  const auto byte = [&](int i) { return static_cast<unsigned>(mac >> (40 - 8 * i) & 0xff); };
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", byte(0), byte(1), byte(2),
                     byte(3), byte(4), byte(5));
}

// nftables 1.0 has no name for the target of a neighbour advertisement and takes but numbers there.
std::string hex_text(const IpAddress& address) {
  return fmt::format("0x{:02x}", fmt::join(address.bytes(), ""));
}

std::vector<IpAddress> addresses_of(const GuardedPort& port, IpAddress::Family family) {
  std::vector<IpAddress> all = port.addresses;
  all.push_back(link_local_of(port.mac));
  std::erase_if(all, [&](const IpAddress& address) { return address.family() != family; });
  std::ranges::sort(all);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

// Builds the chains that all ports share. Sets that would be empty are not written: nftables has
// no such thing.
class Writer {
 public:
  explicit Writer(const Ruleset& ruleset) : ruleset_(ruleset), ports_(ruleset.ports) {
    std::ranges::sort(ports_, {}, &GuardedPort::interface_name);
    std::ranges::sort(ruleset_.networks, {}, &GuardedNetwork::key);
    from_guests_ = any_guest("iifname");
    to_guests_ = any_guest("oifname");
  }

  Table table() {
    for (const Family& family : kFamilies) {
      for (Set& set : shared_sets(family)) table_.sets.push_back(std::move(set));
      table_.chains.push_back(meet(family));
      table_.chains.push_back(mark_ending(family));
    }
    hooks();
    only_its_own();
    from_guest();
    from_guest_arp();
    from_guest_ip4();
    from_guest_ip6();
    from_guest_unspecified();
    from_guest_icmp6();
    begin_conversation();
    neighbours();
    to_guest();
    for (const GuardedPort& port : ports_) own_chains(port);
    return std::move(table_);
  }

 private:
  void add(std::string name, std::vector<std::string> lines) {
    table_.chains.push_back({std::move(name), std::move(lines)});
  }

  // `expression` must be (`is`: "") or must not be ("!= ") one of `elements`, or else.
  static std::string match(std::string_view expression, std::string_view is,
                           const std::vector<std::string>& elements) {
    return fmt::format("{} {}{{ {} }}", expression, is, fmt::join(elements, ", "));
  }

  // Guarded or not yet.
  std::string any_guest(std::string_view side) const {
    std::string text = fmt::format("{} \"{}*\"", side, ruleset_.port_prefix);
    std::vector<std::string> strangers;
    for (const std::string& name : ruleset_.strangers) {
      strangers.push_back(fmt::format("\"{}\"", name));
    }
    std::ranges::sort(strangers);
    if (!strangers.empty()) text += " " + match(side, "!= ", strangers);
    return text;
  }

  template <class Text>
  std::vector<std::string> each_port(Text text) const {
    std::vector<std::string> all;
    for (const GuardedPort& port : ports_) {
      all.push_back(fmt::format("\"{}\"{}", port.interface_name, text(port)));
    }
    return all;
  }
  std::vector<std::string> macs() const {
    return each_port([](const GuardedPort& port) { return " . " + mac_text(port.mac); });
  }
  template <class Text>
  std::vector<std::string> each_address(IpAddress::Family family, Text text) const {
    std::vector<std::string> all;
    for (const GuardedPort& port : ports_) {
      for (const IpAddress& address : addresses_of(port, family)) {
        all.push_back(fmt::format("\"{}\" . {}", port.interface_name, text(port, address)));
      }
    }
    return all;
  }
  std::vector<std::string> sources(IpAddress::Family family) const {
    return each_address(
        family, [](const GuardedPort&, const IpAddress& address) { return address.to_string(); });
  }

  void hooks() {
    const auto hook = [](std::string_view name) {
      return fmt::format("type filter hook {} priority -300; policy accept;", name);
    };
    add("prerouting", {hook("prerouting"), fmt::format("{} goto from_guest", from_guests_)});
    add("input", {hook("input"), fmt::format("{} {} drop", from_guests_, kBridgeProtocols),
                  fmt::format("{} goto begin_conversation", from_guests_)});
    std::vector<std::string> forward = {hook("forward"),
                                        fmt::format("{} jump only_its_own", to_guests_)};
    if (!ports_.empty()) forward.push_back(same_network());
    forward.push_back(fmt::format("{} jump begin_conversation", from_guests_));
    forward.push_back(fmt::format("{} goto to_guest", to_guests_));
    add("forward", std::move(forward));
    add("output", {hook("output"), fmt::format("{} jump only_its_own", to_guests_),
                   fmt::format("{} goto to_guest", to_guests_)});
  }

  // Frames from another guarded port were looked at when they came in. Several networks may share
  // a bridge.
  std::string same_network() {
    std::vector<std::string> branches;
    for (size_t i = 0; i < ruleset_.networks.size(); ++i) {
      std::vector<std::string> members;
      for (const GuardedPort& port : ports_) {
        if (port.network != ruleset_.networks[i].key) continue;
        members.push_back(fmt::format("\"{}\"", port.interface_name));
        branches.push_back(fmt::format("\"{}\" : jump same_{}", port.interface_name, i));
      }
      if (members.empty()) continue;
      add(fmt::format("same_{}", i), {match("iifname", "", members) + " accept"});
    }
    return fmt::format("{} {}", from_guests_, match("oifname vmap", "", branches));
  }

  void only_its_own() {
    if (ports_.empty()) return add("only_its_own", {"drop"});
    add("only_its_own",
        {match("oifname", "!= ", each_port([](const GuardedPort&) { return ""; })) + " drop",
         fmt::format("ether daddr & {} != {} {} drop", kGroupBit, kGroupBit,
                     match("oifname . ether daddr", "!= ", macs()))});
  }

  void from_guest() {
    if (ports_.empty()) return add("from_guest", {"drop"});
    add("from_guest", {match("iifname . ether saddr", "!= ", macs()) + " drop",
                       fmt::format("{} drop", kBridgeProtocols),
                       "ether type vmap { arp : goto from_guest_arp, ip : goto from_guest_ip4, "
                       "ip6 : goto from_guest_ip6 }",
                       "drop"});
  }

  // 0.0.0.0 is a probe's (RFC 5227, 2.1.1).
  void from_guest_arp() {
    const auto claims =
        each_address(IpAddress::Family::kV4, [](const GuardedPort& port, const IpAddress& address) {
          return fmt::format("{} . {}", mac_text(port.mac), address.to_string());
        });
    std::vector<std::string> lines;
    if (!claims.empty()) {
      constexpr std::string_view kEthernetIp4 =
          "arp htype 1 arp ptype ip arp hlen 6 arp plen 4 arp operation";
      lines = {fmt::format("{} {{ request, reply }} {} accept", kEthernetIp4,
                           match("iifname . arp saddr ether . arp saddr ip", "", claims)),
               fmt::format("{} request arp saddr ip 0.0.0.0 {} accept", kEthernetIp4,
                           match("iifname . arp saddr ether", "", macs()))};
    }
    lines.emplace_back("drop");
    add("from_guest_arp", std::move(lines));
  }

  // What a rule cannot read in a packet it does not match: each protocol ends in a drop, so that a
  // header hidden behind a fragment or an option is refused.
  void from_guest_ip4() {
    add("from_guest_udp", {"udp sport != { 67, 547 } udp dport != { 68, 546 } accept", "drop"});
    add("from_guest_icmp4", {"icmp type != { redirect, router-advertisement } accept", "drop"});
    add("from_guest_igmp", {"igmp type != membership-query accept", "drop"});
    const auto allowed = sources(IpAddress::Family::kV4);
    if (allowed.empty()) return add("from_guest_ip4", {"drop"});
    add("from_guest_ip4",
        {match("iifname . ip saddr", "!= ", allowed) + " drop",
         fmt::format("{} accept", kFamilies[0].fragment),
         "meta l4proto vmap { udp : goto from_guest_udp, icmp : goto from_guest_icmp4, "
         "igmp : goto from_guest_igmp }",
         "meta l4proto 0-255 accept", "drop"});
  }

  // A fragment may have options neither before nor behind its header, and a first one must hold
  // what is read of it: what follows a packet's end in its frame would be taken for a header, and
  // the true one come in the next fragment.
  void from_guest_ip6() {
    if (ports_.empty()) return add("from_guest_ip6", {"drop"});
    add("from_guest_ip6",
        {"ip6 saddr :: goto from_guest_unspecified",
         match("iifname . ip6 saddr", "!= ", sources(IpAddress::Family::kV6)) + " drop",
         "exthdr frag exists ip6 nexthdr != 44 drop",
         fmt::format("{} accept", kFamilies[1].fragment), "exthdr frag exists ip6 length < 16 drop",
         "frag nexthdr { 0, 43, 44, 51, 60, 135, 139, 140 } drop",
         "meta l4proto vmap { udp : goto from_guest_udp, icmpv6 : goto from_guest_icmp6 }",
         "meta l4proto 0-255 accept", "drop"});
  }

  std::vector<std::string> targets() const {
    return each_address(IpAddress::Family::kV6,
                        [](const GuardedPort&, const IpAddress& a) { return hex_text(a); });
  }

  // Before it has an address a guest may but ask whether anybody has its own (RFC 4862, 5.4.2),
  // and join the group for that (RFC 3810, 5.2.13).
  void from_guest_unspecified() {
    if (ports_.empty()) return add("from_guest_unspecified", {"drop"});
    add("from_guest_unspecified",
        {"ip6 hoplimit 255 ip6 daddr ff02::1:ff00:0/104 icmpv6 type nd-neighbor-solicit " +
             match("iifname . @th,64,128", "", targets()) + " accept",
         "ip6 hoplimit 1 ip6 daddr ff02::16 icmpv6 type mld2-listener-report accept", "drop"});
  }

  // Neither router advertisements, redirects, queries for members, nor what nobody needs.
  void from_guest_icmp6() {
    if (ports_.empty()) return add("from_guest_icmp6", {"drop"});
    add("from_guest_icmp6",
        {"icmpv6 type nd-neighbor-advert " + match("iifname . @th,64,128", "", targets()) +
             " accept",
         "icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem, "
         "echo-request, echo-reply, mld-listener-report, mld-listener-done, nd-router-solicit, "
         "nd-neighbor-solicit, mld2-listener-report } accept",
         "drop"});
  }

  // The chain of each port that speaks the family: `"sw1" : goto in4_sw1`.
  std::vector<std::string> branches(std::string_view kind, const Family& family) const {
    std::vector<std::string> all;
    for (const GuardedPort& port : ports_) {
      if (!speaks(port, family)) continue;
      all.push_back(fmt::format("\"{0}\" : goto {1}", port.interface_name,
                                name_of(kind, family, port.interface_name)));
    }
    return all;
  }
  static bool speaks(const GuardedPort& port, const Family& family) {
    const std::vector<Family> all = families_of(port);
    return std::ranges::any_of(all, [&](const Family& f) { return f.value == family.value; });
  }
  void branch(std::vector<std::string>& lines, std::string_view condition, std::string_view name,
              std::string_view kind, const Family& family) const {
    const auto all = branches(kind, family);
    if (all.empty()) return;
    lines.push_back(fmt::format("ether type {} {}{}", family.header, condition,
                                match(fmt::format("{} vmap", name), "", all)));
  }

  void begin_conversation() {
    std::vector<std::string> lines = {
        fmt::format("ether daddr & {} == {} return", kGroupBit, kGroupBit)};
    for (const Family& family : kFamilies) {
      lines.push_back(fmt::format("ether type {} jump meet{}", family.header, family.digit));
      lines.push_back(fmt::format("ether type {} meta l4proto tcp jump mark_ending{}",
                                  family.header, family.digit));
      branch(lines, "tcp flags & (syn | ack) != syn ", "iifname", "live", family);
      branch(lines, "meta l4proto { tcp, udp } ", "iifname", "open", family);
    }
    add("begin_conversation", std::move(lines));
  }

  void neighbours() {
    for (size_t i = 0; i < ruleset_.networks.size(); ++i) {
      for (const Family& family : kFamilies) {
        // A guest of another network may have an address of the range.
        std::vector<std::string> lines = {fmt::format("{} return", from_guests_)};
        for (const IpPrefix& prefix : ruleset_.networks[i].neighbours) {
          if (prefix.address.family() != family.value) continue;
          const std::string range = prefix.normalized().to_string();
          lines.push_back(prefix.length == 0
                              ? "accept"
                              : fmt::format("{} saddr {} accept", family.header, range));
        }
        if (lines.size() == 1) continue;
        add(name_of("neighbours", family, fmt::to_string(i)), std::move(lines));
      }
    }
  }
  size_t index_of(const GuardedPort& port) const {
    const auto found = std::ranges::find(ruleset_.networks, port.network, &GuardedNetwork::key);
    return static_cast<size_t>(found - ruleset_.networks.begin());
  }

  std::string neighbours_of(const GuardedPort& port, const Family& family) const {
    const size_t index = index_of(port);
    const auto speaks = [&](const IpPrefix& p) { return p.address.family() == family.value; };
    if (std::ranges::none_of(ruleset_.networks[index].neighbours, speaks)) return {};
    return name_of("neighbours", family, fmt::to_string(index));
  }

  void to_guest() {
    std::vector<std::string> lines = {
        "ether type arp accept", "ether type ip meta l4proto igmp accept",
        "ether type ip6 ip6 hoplimit 255 icmpv6 type { nd-router-advert, nd-neighbor-solicit, "
        "nd-neighbor-advert, nd-redirect } accept",
        "ether type ip6 ip6 saddr fe80::/10 icmpv6 type mld-listener-query accept"};
    for (const Family& family : kFamilies) {
      for (std::string& line : answers(family)) lines.push_back(std::move(line));
      branch(lines, "", "oifname", "in", family);
    }
    lines.emplace_back("drop");
    add("to_guest", std::move(lines));
  }

  void own_chains(const GuardedPort& port) {
    for (Set& set : sets_of(port)) table_.sets.push_back(std::move(set));
    for (const Family& family : families_of(port)) {
      for (Chain& chain : outward(port, family)) table_.chains.push_back(std::move(chain));
      table_.chains.push_back(inward(port, family, neighbours_of(port, family)));
    }
  }

  Ruleset ruleset_;
  std::vector<GuardedPort> ports_;
  std::string from_guests_;
  std::string to_guests_;
  Table table_;
};

}  // namespace

Table table_of(const Ruleset& ruleset) {
  return Writer(ruleset).table();
}

}  // namespace stellwerk::firewall
