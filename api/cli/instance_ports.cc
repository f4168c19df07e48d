#include "api/cli/instance_ports.h"

#include <fmt/format.h>

#include <map>

#include "core/parse_number.h"
#include "core/validate.h"

namespace stellwerk::cli {
namespace {

const std::map<std::string, v1::IngressRule::Protocol> kProtocols = {
    {"any", v1::IngressRule::ANY},
    {"icmp", v1::IngressRule::ICMP},
    {"tcp", v1::IngressRule::TCP},
    {"udp", v1::IngressRule::UDP}};

absl::Status bad_rule(const std::string& text) {
  return in_field(invalid_argument("{} is no rule; write PROTOCOL[:PORT[-PORT]]=RANGE, such as "
                                   "tcp:443=0.0.0.0/0, udp:6000-6100=10.0.0.0/8 or icmp=::/0",
                                   quoted(text)),
                  "--allow");
}

// Zero: not a number.
int port_of(std::string_view text) {
  return parse_number<uint16_t>(text).value_or(0);
}

}  // namespace

void add_port(const std::string& prefix, const std::string& text, v1::Instance& instance) {
  auto* interface = instance.add_network_interfaces();
  const size_t equals = text.find('=');
  const std::string network = text.substr(0, equals);
  interface->set_network(network.find('/') == std::string::npos ? prefix + network : network);
  if (equals == std::string::npos) return;
  std::string rest = text.substr(equals + 1);
  while (true) {
    const size_t comma = rest.find(',');
    interface->add_ip_addresses(rest.substr(0, comma));
    if (comma == std::string::npos) return;
    rest.erase(0, comma + 1);
  }
}

absl::StatusOr<v1::IngressRule> parse_ingress(const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos) return bad_rule(text);
  const std::string what = text.substr(0, equals);
  const size_t colon = what.find(':');
  const auto protocol = kProtocols.find(what.substr(0, colon));
  if (protocol == kProtocols.end()) return bad_rule(text);
  v1::IngressRule rule;
  rule.set_protocol(protocol->second);
  rule.set_source(text.substr(equals + 1));
  if (colon == std::string::npos) return rule;
  const std::string ports = what.substr(colon + 1);
  const size_t dash = ports.find('-');
  rule.set_first_port(port_of(std::string_view(ports).substr(0, dash)));
  rule.set_last_port(dash == std::string::npos ? rule.first_port()
                                               : port_of(ports.substr(dash + 1)));
  if (rule.first_port() == 0 || rule.last_port() == 0) return bad_rule(text);
  return rule;
}

std::string ingress_text(const v1::IngressRule& rule) {
  std::string text = "any";
  for (const auto& [name, protocol] : kProtocols) {
    if (protocol == rule.protocol()) text = name;
  }
  if (rule.first_port() != 0) text += fmt::format(":{}", rule.first_port());
  if (rule.last_port() != rule.first_port()) text += fmt::format("-{}", rule.last_port());
  return text + " from " + rule.source();
}

}  // namespace stellwerk::cli
