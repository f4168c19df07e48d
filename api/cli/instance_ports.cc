#include "api/cli/instance_ports.h"

#include <fmt/format.h>

#include <map>

#include "api/cli/exit_code.h"
#include "core/parse_number.h"
#include "core/validate.h"

namespace stellwerk::cli {
namespace {

const std::map<std::string, v1::IngressRule::Protocol> kProtocols = {
    {"any", v1::IngressRule::ANY},
    {"icmp", v1::IngressRule::ICMP},
    {"tcp", v1::IngressRule::TCP},
    {"udp", v1::IngressRule::UDP}};

constexpr int64_t kLastPort = 65535;

absl::Status bad_rule(const std::string& text) {
  return usage_error(
      "--allow: {} is no rule; write PROTOCOL[:PORT[-PORT]]=RANGE, such as "
      "tcp:443=0.0.0.0/0, udp:6000-6100=10.0.0.0/8 or icmp=::/0",
      quoted(text));
}

absl::StatusOr<int> port_of(const std::string& rule, std::string_view text) {
  const auto port = parse_number<int64_t>(text);
  if (!port || *port < 0) return bad_rule(rule);
  if (*port >= 1 && *port <= kLastPort) return static_cast<int>(*port);
  return usage_error("--allow: {} is no port in {}; ports are 1 to {}", *port, quoted(rule),
                     kLastPort);
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
  SW_ASSIGN_OR_RETURN(const int first, port_of(text, ports.substr(0, dash)));
  rule.set_first_port(first);
  rule.set_last_port(first);
  if (dash == std::string::npos) return rule;
  SW_ASSIGN_OR_RETURN(const int last, port_of(text, ports.substr(dash + 1)));
  rule.set_last_port(last);
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
