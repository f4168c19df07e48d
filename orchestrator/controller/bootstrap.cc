#include "orchestrator/controller/bootstrap.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/scs_flavors.h"
#include "orchestrator/controller/addresses.h"
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

absl::Status check_addresses(const Ledger& ledger, const Network& network) {
  for (const auto& [uid, instance] : ledger.state().instances) {
    for (const Port& port : instance.ports) {
      if (port.network != network.uid) continue;
      for (const IpAddress& address : port.addresses) {
        const auto problem = check_address(network, address);
        if (!problem) continue;
        return failed_precondition(
            "network {}: instance {} has an address that does not fit: {}; restore the old subnet "
            "or delete the instance first",
            network.id, instance.id, *problem);
      }
    }
  }
  return absl::OkStatus();
}

// The host could not tell which bridge leads to a guest.
absl::Status check_neighbours(const Ledger& ledger, const Network& network) {
  for (const auto& [uid, other] : ledger.state().networks) {
    if (uid == network.uid) continue;
    const std::string whose =
        other.project.is_nil()
            ? "network " + other.id
            : fmt::format("network {} of project {}", other.id, ledger.project_id(other.project));
    if (other.bridge == network.bridge) {
      return failed_precondition("network {}: its bridge {} carries {} already; name another",
                                 network.id, network.bridge, whose);
    }
    for (const auto& [mine, theirs] :
         {std::pair(&network.v4, &other.v4), std::pair(&network.v6, &other.v6)}) {
      if (!*mine || !*theirs || !(*mine)->range.overlaps((*theirs)->range)) continue;
      return failed_precondition(
          "network {}: {} overlaps {} of {}; configure another subnet or delete that network first",
          network.id, (*mine)->range.to_string(), (*theirs)->range.to_string(), whose);
    }
  }
  return absl::OkStatus();
}

// Cells may share one Ethernet: each counts from a place of its own. The uid is the cell's, too.
uint64_t first_mac(const CellUid& cell) {
  const auto& bytes = cell.value().bytes();
  return uint64_t{bytes[0]} << 16 | uint64_t{bytes[1]} << 8 | bytes[2];
}

// No MAC is given twice in the cell, whichever network it was on.
void begin_macs(Ledger& ledger) {
  records::Cell cell = *ledger.state().cell;
  if (cell.next_mac != 0) return;
  cell.next_mac = first_mac(cell.uid) + 1;
  for (const auto& [uid, network] : ledger.state().networks) {
    cell.next_mac = std::max(cell.next_mac, network.next_mac);
  }
  ledger.put_cell(cell);
}

// Its cursor stays where it was, as long as that is in the range.
std::optional<Subnet> keep_cursor(std::optional<Subnet> now, const std::optional<Subnet>& before) {
  if (!now || !before || !before->next || !now->range.contains(*before->next)) return now;
  now->next = before->next;
  return now;
}

absl::Status put_network(Ledger& ledger, Network network, Now now) {
  const Network* known = ledger.network("", network.id);
  if (!known && ledger.state().invalid.contains(
                    records::network_key(NetworkUid(uid_in_cell(ledger, "network", network.id))))) {
    return absl::OkStatus();  // left as it is; instances without a network can still be made
  }
  network.uid = known ? known->uid : NetworkUid(uid_in_cell(ledger, "network", network.id));
  SW_RETURN_IF_ERROR(check_addresses(ledger, network));
  SW_RETURN_IF_ERROR(check_neighbours(ledger, network));
  if (known) {
    network.v4 = keep_cursor(network.v4, known->v4);
    network.v6 = keep_cursor(network.v6, known->v6);
    network.next_mac = known->next_mac;
    network.created_at = known->created_at;
    if (!differ_beyond_cursors(*known, network)) return absl::OkStatus();
  } else {
    network.created_at = now.wall;
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
  begin_macs(ledger);
  add_mandatory_flavors(ledger, now);
  for (const Network& network : networks) {
    SW_RETURN_IF_ERROR(put_network(ledger, network, now));
  }
  return absl::OkStatus();
}

}  // namespace stellwerk::controller
