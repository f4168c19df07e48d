#include "orchestrator/records/upgrade.h"

#include <string>

namespace stellwerk::records {

namespace wire = stellwerk::store::v1;

namespace {

std::string address_bytes(uint32_t number) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(number >> shift & 255);
  return bytes;
}

}  // namespace

void upgrade(uint32_t version, wire::Network& network) {
  if (version >= 2) return;
  network.set_state(wire::NETWORK_STATE_ACTIVE);
  network.set_make_bridge(true);
  network.set_mtu(1500);
  wire::Subnet& v4 = *network.mutable_v4();
  v4.set_address(address_bytes(network.old_subnet()));
  v4.set_prefix_length(network.old_prefix_length());
  if (network.old_gateway() != 0) v4.set_gateway(address_bytes(network.old_gateway()));
  if (network.old_next_address() != 0) v4.set_next(address_bytes(network.old_next_address()));
  for (const uint32_t server : network.old_dns_servers()) {
    network.add_dns_servers(address_bytes(server));
  }
  network.set_project(std::string(16, '\0'));
  network.clear_old_subnet();
  network.clear_old_prefix_length();
  network.clear_old_gateway();
  network.clear_old_dns_servers();
  network.clear_old_next_address();
}

void upgrade(uint32_t version, wire::Instance& instance) {
  if (version >= 2) return;
  for (wire::Port& port : *instance.mutable_ports()) {
    if (port.old_address() != 0) port.add_addresses(address_bytes(port.old_address()));
    port.clear_old_address();
  }
  wire::RebootOrder& reboot = *instance.mutable_reboot();
  reboot.set_kind(reboot.old_hard() ? wire::REBOOT_KIND_RESET : wire::REBOOT_KIND_SOFT);
  reboot.clear_old_hard();
  // Nobody wrote it down; an instance that is not known to be fresh is taken for one that ran.
  instance.set_ever_started(true);
  // What was noted beside its disk and in its domain is the generation.
  instance.set_run(instance.generation());
}

void upgrade(uint32_t version, wire::Request& request) {
  if (request.has_instance()) upgrade(version, *request.mutable_instance());
}

}  // namespace stellwerk::records
