#include "drivers/download/address_policy.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace stellwerk::download {
namespace {

struct Special {
  std::string_view range;
  std::string_view what;
};

// IANA's registries of special-purpose addresses (RFC 6890 and its updates), as far as they are not
// globally reachable.
constexpr std::array<Special, 16> kSpecialV4 = {{
    {"0.0.0.0/8", "an address of this host"},
    {"10.0.0.0/8", "a private address"},
    {"100.64.0.0/10", "a carrier's shared address"},
    {"127.0.0.0/8", "a loopback address"},
    {"169.254.0.0/16", "a link-local address"},
    {"172.16.0.0/12", "a private address"},
    {"192.0.0.0/24", "a reserved address"},
    {"192.0.2.0/24", "a documentation address"},
    {"192.88.99.0/24", "a reserved address"},
    {"192.168.0.0/16", "a private address"},
    {"198.18.0.0/15", "a benchmarking address"},
    {"198.51.100.0/24", "a documentation address"},
    {"203.0.113.0/24", "a documentation address"},
    {"224.0.0.0/4", "a multicast address"},
    {"255.255.255.255/32", "a broadcast address"},
    {"240.0.0.0/4", "a reserved address"},
}};
constexpr std::array<Special, 11> kSpecialV6 = {{
    {"::/128", "an address of this host"},
    {"::1/128", "a loopback address"},
    {"64:ff9b:1::/48", "a private translation address"},
    {"2001:db8::/32", "a documentation address"},
    {"2001::/23", "a reserved address"},
    {"3fff::/20", "a documentation address"},
    {"5f00::/16", "a segment-routing address"},
    {"fc00::/7", "a private address"},
    {"fe80::/10", "a link-local address"},
    {"fec0::/10", "a site-local address"},
    {"ff00::/8", "a multicast address"},
}};

template <size_t Count>
std::vector<std::pair<IpPrefix, std::string_view>> parsed(
    const std::array<Special, Count>& specials) {
  std::vector<std::pair<IpPrefix, std::string_view>> result;
  for (const Special& special : specials) {
    // A range that does not parse would be a hole.
    result.emplace_back(IpPrefix::parse(special.range).value(), special.what);
  }
  return result;
}

std::optional<std::string> special(const IpAddress& address) {
  static const auto v4 = parsed(kSpecialV4);
  static const auto v6 = parsed(kSpecialV6);
  for (const auto& [range, what] : address.is_v4() ? v4 : v6) {
    if (range.contains(address)) return std::string(what);
  }
  static const IpPrefix global = IpPrefix::parse("2000::/3").value();
  if (!address.is_v4() && !global.contains(address)) return "no public address";
  return std::nullopt;
}

IpAddress v4_at(const IpAddress& address, size_t at) {
  const auto& bytes = address.bytes();
  return IpAddress::v4(uint32_t{bytes[at]} << 24 | uint32_t{bytes[at + 1]} << 16 |
                       uint32_t{bytes[at + 2]} << 8 | uint32_t{bytes[at + 3]});
}

// The IPv4 address that packets to this IPv6 address end at.
std::optional<IpAddress> carried(const IpAddress& address) {
  if (address.is_v4()) return std::nullopt;
  static const IpPrefix mapped = IpPrefix::parse("::ffff:0:0/96").value();
  static const IpPrefix compatible = IpPrefix::parse("::/96").value();
  static const IpPrefix translated = IpPrefix::parse("::ffff:0:0:0/96").value();
  static const IpPrefix nat64 = IpPrefix::parse("64:ff9b::/96").value();
  static const IpPrefix six_to_four = IpPrefix::parse("2002::/16").value();
  if (six_to_four.contains(address)) return v4_at(address, 2);
  const bool at_end = mapped.contains(address) || translated.contains(address) ||
                      nat64.contains(address) || compatible.contains(address);
  const bool is_own = address <= IpAddress::parse("::1").value();  // unspecified, loopback
  return at_end && !is_own ? std::optional(v4_at(address, 12)) : std::nullopt;
}

}  // namespace

std::optional<std::string> AddressPolicy::refusal(const IpAddress& address) const {
  const bool allowed = std::any_of(allowed_.begin(), allowed_.end(),
                                   [&](const IpPrefix& range) { return range.contains(address); });
  if (allowed) return std::nullopt;
  if (const auto inner = carried(address)) return refusal(*inner);
  return special(address);
}

}  // namespace stellwerk::download
