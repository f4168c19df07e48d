// Rulesets that several tests use.
#pragma once

#include "drivers/firewall/firewall.h"

namespace stellwerk::firewall::testing {

inline IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}
inline IpPrefix range(const char* text) {
  return IpPrefix::parse(text).value();
}

// Two guests on one network, one of both families with rules, one of IPv4 alone; and one with no
// address but the link's on another.
inline Ruleset town_hall() {
  using Protocol = IpProtocol;
  Ruleset ruleset{.port_prefix = "sw"};
  ruleset.networks = {
      {.key = "office", .neighbours = {range("10.64.0.1/32"), range("fd00:64::/64")}},
      {.key = "isolated"}};
  ruleset.ports = {
      {.interface_name = "sw0000000000b2",
       .mac = 0x0200000000b2,
       .addresses = {ip("10.64.0.12")},
       .network = "office"},
      {.interface_name = "sw0000000000a1",
       .mac = 0x0200000000a1,
       .addresses = {ip("10.64.0.11"), ip("fd00:64::11")},
       .network = "office",
       .ingress = {{Protocol::kTcp, {22, 22}, range("192.0.2.0/24")},
                   {Protocol::kTcp, {8000, 8099}, range("::/0")},
                   {Protocol::kTcp, {0, 0}, range("198.51.100.7/32")},
                   {Protocol::kUdp, {53, 53}, range("0.0.0.0/0")},
                   {Protocol::kIcmp, {0, 0}, range("0.0.0.0/0")},
                   {Protocol::kIcmp, {0, 0}, range("::/0")},
                   {Protocol::kAny, {0, 0}, range("203.0.113.0/24")}}},
      {.interface_name = "sw0000000000c3", .mac = 0x0200000000c3, .network = "isolated"}};
  return ruleset;
}

}  // namespace stellwerk::firewall::testing
