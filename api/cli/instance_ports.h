// Ports and ingress rules as the command line writes them. Pure.
#pragma once

#include <string>
#include <vector>

#include "core/status.h"
#include "stellwerk/v1/instances.pb.h"

namespace stellwerk::cli {

// "back" or "back=10.8.0.5,fd00:8::5". Networks are named under `prefix`.
void add_port(const std::string& prefix, const std::string& text, v1::Instance& instance);

// "tcp:443=0.0.0.0/0", "udp:6000-6100=10.0.0.0/8", "icmp=::/0", "any=192.0.2.0/24".
// A usage error says what would do.
absl::StatusOr<v1::IngressRule> parse_ingress(const std::string& text);
std::string ingress_text(const v1::IngressRule& rule);

}  // namespace stellwerk::cli
