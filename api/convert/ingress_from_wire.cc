#include "api/convert/ingress_from_wire.h"

#include "core/network_checks.h"

namespace stellwerk::convert {
namespace {

constexpr int kLastPort = 65535;

IpProtocol read_protocol(RequestReader& reader, const std::string& field,
                         const v1::IngressRule& rule) {
  switch (rule.protocol()) {
    case v1::IngressRule::PROTOCOL_UNSPECIFIED:
    case v1::IngressRule::ANY:
      return IpProtocol::kAny;
    case v1::IngressRule::TCP:
      return IpProtocol::kTcp;
    case v1::IngressRule::UDP:
      return IpProtocol::kUdp;
    case v1::IngressRule::ICMP:
      return IpProtocol::kIcmp;
    default:
      break;  // proto3 enums are open: any number may come
  }
  reader.add(field + ".protocol", fmt::format("{} is no protocol; give ANY, TCP, UDP or ICMP",
                                              static_cast<int>(rule.protocol())));
  return IpProtocol::kAny;
}

PortRange read_ports(RequestReader& reader, const std::string& field, const v1::IngressRule& rule,
                     IpProtocol protocol) {
  const int first = rule.first_port();
  const int last = rule.last_port() == 0 ? first : rule.last_port();
  if (first == 0 && last == 0) return {};
  if (protocol != IpProtocol::kTcp && protocol != IpProtocol::kUdp) {
    reader.add(field + ".first_port", "only TCP and UDP have ports; leave it out");
  } else if (first < 1 || last > kLastPort || first > last) {
    reader.add(field + ".first_port",
               fmt::format("{} to {} is no range of ports; give 1 to {}, the lower first", first,
                           last, kLastPort));
  } else {
    return {.first = static_cast<uint16_t>(first), .last = static_cast<uint16_t>(last)};
  }
  return {};
}

IpPrefix read_source(RequestReader& reader, const std::string& field, const std::string& text) {
  const auto range = parse_range(text);
  if (!range) {
    reader.add(field + ".source",
               quoted(text) +
                   " is no range of addresses; write one such as 203.0.113.0/24, "
                   "0.0.0.0/0 or ::/0");
    return {};
  }
  if (range->normalized() != *range) {
    reader.add(field + ".source", fmt::format("{} has bits behind its length; did you mean {}?",
                                              range->to_string(), range->normalized().to_string()));
  }
  return *range;
}

}  // namespace

std::vector<IngressRule> read_ingress(
    RequestReader& reader, std::string_view field,
    const google::protobuf::RepeatedPtrField<v1::IngressRule>& wire) {
  std::vector<IngressRule> rules;
  if (static_cast<size_t>(wire.size()) > kMostIngressRules) {
    reader.add(field, fmt::format("has {}; give at most {}", wire.size(), kMostIngressRules));
    return rules;
  }
  for (int i = 0; i < wire.size(); ++i) {
    const std::string at = fmt::format("{}[{}]", field, i);
    IngressRule rule{.protocol = read_protocol(reader, at, wire[i]), .ports = {}, .from = {}};
    rule.ports = read_ports(reader, at, wire[i], rule.protocol);
    rule.from = read_source(reader, at, wire[i].source());
    rules.push_back(rule);
  }
  return rules;
}

}  // namespace stellwerk::convert
