#include "orchestrator/controller/bootstrap.h"

#include <algorithm>

#include "core/scs_flavors.h"
#include "orchestrator/records/keys.h"
#include "placement/capacity.h"

namespace stellwerk::controller {
namespace {

Uuid uid_in_cell(const Ledger& ledger, std::string_view kind, std::string_view id) {
  const std::string name = std::string(kind) + "/" + std::string(id);
  return Uuid::v5(ledger.state().cell->uid.value(), name);
}

bool some_host_has(const Ledger& ledger, DiskType type) {
  const auto& hosts = ledger.state().hosts;
  return std::any_of(hosts.begin(), hosts.end(), [type](const auto& entry) {
    return placement::offers(entry.second.facts.disk_type, type);
  });
}

bool needs_local_disk(const Flavor& flavor) {
  if (!flavor.disks) return false;
  return flavor.disks->type == DiskType::kSsd || flavor.disks->type == DiskType::kNvme ||
         flavor.disks->type == DiskType::kHardDisk;
}

bool holds(const Network& network, uint32_t address) {
  const uint32_t mask = ~uint32_t{0} << (32 - network.prefix_length);
  return (address & mask) == network.subnet;
}

absl::Status check_addresses(const Ledger& ledger, const Network& network) {
  for (const auto& [uid, instance] : ledger.state().instances) {
    for (const Port& port : instance.ports) {
      if (port.network != network.uid) continue;
      if (holds(network, port.address) && port.address != network.gateway) continue;
      return failed_precondition(
          "network {}: instance {} has the address {}, which does not fit {}/{} with gateway {}; "
          "restore the old subnet or delete the instance first",
          network.id, instance.id, ipv4_to_string(port.address), ipv4_to_string(network.subnet),
          network.prefix_length, ipv4_to_string(network.gateway));
    }
  }
  return absl::OkStatus();
}

// Cells may share one Ethernet: each counts from a place of its own. The uid is the cell's, too.
uint64_t first_mac(const NetworkUid& network) {
  const auto& bytes = network.value().bytes();
  return uint64_t{bytes[0]} << 16 | uint64_t{bytes[1]} << 8 | bytes[2];
}

absl::Status put_network(Ledger& ledger, Network network) {
  const Network* known = ledger.network(network.id);
  if (!known && ledger.state().invalid.contains(
                    records::network_key(NetworkUid(uid_in_cell(ledger, "network", network.id))))) {
    return absl::OkStatus();  // left as it is; instances without a network can still be made
  }
  network.uid = known ? known->uid : NetworkUid(uid_in_cell(ledger, "network", network.id));
  SW_RETURN_IF_ERROR(check_addresses(ledger, network));
  if (known) {
    network.next_address = known->next_address;
    network.next_mac = known->next_mac;
    const bool same = known->bridge == network.bridge && known->subnet == network.subnet &&
                      known->prefix_length == network.prefix_length &&
                      known->gateway == network.gateway &&
                      known->dns_servers == network.dns_servers;
    if (same) return absl::OkStatus();
  }
  if (!known) {
    network.next_mac = first_mac(network.uid);
    // No MAC is given twice in the cell, whichever network it was on.
    for (const auto& [uid, other] : ledger.state().networks) {
      network.next_mac = std::max(network.next_mac, other.next_mac);
    }
  }
  ledger.put(std::move(network));
  return absl::OkStatus();
}

}  // namespace

void add_mandatory_flavors(Ledger& ledger, Now now) {
  for (const ScsFlavor& mandatory : mandatory_scs_flavors()) {
    if (ledger.flavor(mandatory.id)) continue;
    Flavor flavor = flavor_from_name(mandatory.id, mandatory.name);
    if (needs_local_disk(flavor) && !some_host_has(ledger, flavor.disks->type)) continue;
    flavor.uid = FlavorUid(uid_in_cell(ledger, "flavor", mandatory.id));
    if (ledger.state().invalid.contains(records::flavor_key(flavor.uid))) continue;
    flavor.builtin = true;
    flavor.created_at = now.wall;
    ledger.put(std::move(flavor));
  }
}

absl::Status bootstrap(Ledger& ledger, const CellUid& fresh_cell,
                       const std::vector<Network>& networks, Now now) {
  if (!ledger.state().cell) ledger.put_cell({.uid = fresh_cell, .created_at = now.wall});
  const ProjectUid project(uid_in_cell(ledger, "project", kDefaultProject));
  if (!ledger.project(kDefaultProject) &&
      !ledger.state().invalid.contains(records::project_key(project))) {
    ledger.put(Project{.uid = project, .id = std::string(kDefaultProject), .created_at = now.wall});
  }
  add_mandatory_flavors(ledger, now);
  for (const Network& network : networks) {
    SW_RETURN_IF_ERROR(put_network(ledger, network));
  }
  return absl::OkStatus();
}

}  // namespace stellwerk::controller
