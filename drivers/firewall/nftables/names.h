// How chains and sets of one family or port are named, and the words of the two address families.
// Pure.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "core/ip.h"

namespace stellwerk::firewall {

struct Family {
  IpAddress::Family value;
  std::string_view digit;     // in names
  std::string_view header;    // also its ether type
  std::string_view address;   // the type of a set's key
  std::string_view fragment;  // true of every fragment but a packet's first
};
inline constexpr Family kFamilies[] = {
    {IpAddress::Family::kV4, "4", "ip", "ipv4_addr", "ip frag-off & 0x1fff != 0"},
    {IpAddress::Family::kV6, "6", "ip6", "ipv6_addr", "frag frag-off != 0"},
};

// "flow4_sw0123456789ab"
inline std::string name_of(std::string_view kind, const Family& family, std::string_view of) {
  return fmt::format("{}{}_{}", kind, family.digit, of);
}

}  // namespace stellwerk::firewall
