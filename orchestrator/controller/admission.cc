#include "orchestrator/controller/admission.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/resource_names.h"
#include "core/scs_flavors.h"
#include "core/validate.h"
#include "orchestrator/controller/addresses.h"
#include "orchestrator/controller/claims.h"
#include "orchestrator/controller/known_names.h"
#include "orchestrator/controller/wishes.h"

namespace stellwerk::controller {
namespace {

// An instance's record, which holds them, is one value of the store.
constexpr size_t kMostSshKeyBytes = 16 * 1024;
constexpr Bytes kLargestMemory = gibibytes(64 * 1024);
constexpr Bytes kSmallestMemory = mebibytes(16);

using Violations = std::vector<FieldViolation>;

void check_flavor_reference(const CreateInstance& create, const Ledger& ledger, Sizing& sizing,
                            Violations& violations) {
  sizing.flavor = ledger.flavor(create.flavor);
  if (sizing.flavor) return;
  const std::string known =
      some_names(ledger.flavor_names(), [](const std::string& id) { return id; });
  add_once(violations, "instance.flavor",
           fmt::format("there is no flavor {}; there are: {}", quoted(create.flavor), known));
}

// A private image of another project answers like a missing one.
const Image* usable_image(const CreateInstance& create, const Ledger& ledger) {
  const bool own = create.image_project.empty() || create.image_project == create.project;
  const Image* image = ledger.image(own ? create.project : create.image_project, create.image);
  return image && (own || image->is_public) ? image : nullptr;
}

// The project's own and those that are open to it.
std::string usable_image_names(const CreateInstance& create, const Ledger& ledger) {
  const std::string own = some_names(ledger.image_names(), [&](const Name& name) {
    return name.first == create.project ? name.second : std::string();
  });
  const std::string open = some_names(ledger.image_names(), [&](const Name& name) {
    const bool foreign = name.first != create.project;
    return foreign && ledger.image(name.first, name.second)->is_public
               ? image_name(name.first, name.second)
               : std::string();
  });
  if (open == "none") return own;
  return own == "none" ? open : own + ", " + open;
}

void check_image_reference(const CreateInstance& create, const Ledger& ledger, Sizing& sizing,
                           Violations& violations) {
  const Image* image = usable_image(create, ledger);
  if (!image) {
    const bool own = create.image_project.empty() || create.image_project == create.project;
    add_once(violations, "instance.image",
             fmt::format(
                 "there is no image {} {}; there are: {}", quoted(create.image),
                 own ? std::string("in this project")
                     : fmt::format("of project {} for this project", quoted(create.image_project)),
                 usable_image_names(create, ledger)));
  } else if (image->state != ImageState::kActive) {
    const std::string_view what =
        image->state == ImageState::kImporting ? "wait until it is active" : "choose another";
    add_once(violations, "instance.image",
             fmt::format("image {} is {}; {}", image->id, to_string(image->state), what));
  } else {
    sizing.image = image;
  }
}

// `chosen`: those of the ports before it, by network.
using Chosen = std::set<std::pair<NetworkUid, IpAddress>>;

void check_chosen_addresses(const PortRequest& port, const Network& network, const Ledger& ledger,
                            const std::string& field, Chosen& chosen, Violations& violations) {
  std::set<IpAddress::Family> families;
  for (const IpAddress& address : port.addresses) {
    if (const auto problem = check_address(network, address)) {
      add_once(violations, field + ".ip_addresses", *problem);
    } else if (ledger.is_taken(network.uid, address) || chosen.contains({network.uid, address})) {
      add_once(violations, field + ".ip_addresses",
               fmt::format("{} is taken; choose another or leave it out", address.to_string()));
    } else if (!families.insert(address.family()).second) {
      add_once(violations, field + ".ip_addresses",
               "a port has at most one address of each family; give it fewer");
    }
  }
  for (const IpAddress& address : port.addresses) chosen.emplace(network.uid, address);
}

std::string visible_network_names(const CreateInstance& create, const Ledger& ledger) {
  return some_names(ledger.network_names(), [&](const Name& name) {
    const bool visible = name.first.empty() || name.first == create.project;
    return visible && ledger.network(name.first, name.second)->state != NetworkState::kDeleting
               ? name.second
               : std::string();
  });
}

void check_network_reference(const CreateInstance& create, const Ledger& ledger, Sizing& sizing,
                             Violations& violations) {
  if (create.ports.size() > kMostNetworkInterfaces) {
    add_once(violations, "instance.network_interfaces",
             fmt::format("{} asked; an instance has at most {}", create.ports.size(),
                         kMostNetworkInterfaces));
    return;
  }
  Chosen chosen;
  for (size_t i = 0; i < create.ports.size(); ++i) {
    const PortRequest& port = create.ports[i];
    const Network* network = ledger.visible_network(create.project, port.network);
    sizing.networks.push_back(network);
    const std::string field = fmt::format("instance.network_interfaces[{}]", i);
    if (!network) {
      add_once(violations, field + ".network",
               fmt::format("there is no network {}; there are: {}", quoted(port.network),
                           visible_network_names(create, ledger)));
    } else if (network->state == NetworkState::kDeleting) {
      add_once(violations, field + ".network",
               fmt::format("network {} is being deleted", network->id));
    } else {
      check_chosen_addresses(port, *network, ledger, field, chosen, violations);
    }
  }
}

void check_boot_disk(const CreateInstance& create, Sizing& sizing, Violations& violations) {
  const Flavor& flavor = *sizing.flavor;
  const Image& image = *sizing.image;
  const Bytes needed = std::max(image.minimum_disk, image.virtual_size);
  const bool fixed = flavor.disks && flavor.disks->size > Bytes();
  sizing.boot_disk = fixed ? flavor.disks->size : create.boot_disk.value_or(needed);
  if (fixed && create.boot_disk && *create.boot_disk != flavor.disks->size) {
    add_once(violations, "instance.boot_disk_bytes",
             fmt::format("flavor {} fixes the disk at {} bytes; leave this out", flavor.id,
                         flavor.disks->size.count()));
  } else if (sizing.boot_disk < needed) {
    add_once(violations, fixed ? "instance.flavor" : "instance.boot_disk_bytes",
             fmt::format("a disk of {} is too small for image {}, which needs {}",
                         to_string(sizing.boot_disk), image.id, to_string(needed)));
  } else if (sizing.boot_disk > kLargestDisk) {
    add_once(violations, "instance.boot_disk_bytes",
             fmt::format("{} asked; at most {} are possible", to_string(sizing.boot_disk),
                         to_string(kLargestDisk)));
  }
}

void check_texts(const CreateInstance& create, Violations& violations) {
  if (create.ssh_keys.size() > kMostSshKeys) {
    add_once(violations, "instance.ssh_keys",
             fmt::format("{} given; at most {} are allowed", create.ssh_keys.size(), kMostSshKeys));
  }
  size_t bytes = 0;
  for (const std::string& key : create.ssh_keys) bytes += key.size();
  if (bytes > kMostSshKeyBytes) {
    add_once(
        violations, "instance.ssh_keys",
        fmt::format("have {} bytes together; at most {} are allowed", bytes, kMostSshKeyBytes));
  }
  if (create.desired == DesiredState::kDeleted) {
    add_once(violations, "instance.desired_state", "must be RUNNING or STOPPED at creation");
  }
}

void check_scs_contradictions(const CreateFlavor& create, const Flavor& named,
                              Violations& violations) {
  const auto differs = [&](std::string field, const auto& given, const auto& meant) {
    if (!given || *given == meant) return;
    add_once(violations, std::move(field),
             fmt::format("contradicts the name {}; leave it out", quoted(create.id)));
  };
  differs("flavor.cpu_class", create.cpu_class, named.cpu_class);
  differs("flavor.vcpus", create.vcpus, named.vcpus);
  differs("flavor.memory_mib", create.memory, named.memory);
  differs("flavor.disks", create.disks, named.disks);
}

Flavor check_scs_flavor(const CreateFlavor& create, Violations& violations) {
  const auto name = parse_flavor_name(create.id);
  if (!name.ok()) {
    add_once(violations, "flavor_id", std::string(message_of(name.status())));
    return {};
  }
  if (const Problem problem = check_promises(*name)) {
    add_once(violations, "flavor_id", *problem);
    return {};
  }
  Flavor flavor = flavor_from_name(create.id, *name);
  check_scs_contradictions(create, flavor, violations);
  return flavor;
}

Flavor check_free_flavor(const CreateFlavor& create, Violations& violations) {
  const auto vcpus = create.vcpus.value_or(VcpuCount());
  const auto memory = create.memory.value_or(Bytes());
  if (vcpus < VcpuCount(1) || vcpus > VcpuCount(kMostVcpus)) {
    add_once(violations, "flavor.vcpus",
             fmt::format("{} asked; give 1 to {}", vcpus.count(), kMostVcpus));
  }
  if (memory < kSmallestMemory || memory > kLargestMemory) {
    add_once(violations, "flavor.memory_mib",
             fmt::format("{} asked; give {} to {}", to_string(memory), to_string(kSmallestMemory),
                         to_string(kLargestMemory)));
  }
  const auto& disks = create.disks;
  if (disks && (disks->count != 1 || disks->size < Bytes() || disks->size > kLargestDisk)) {
    add_once(violations, "flavor.disks",
             fmt::format("give one disk of at most {}", to_string(kLargestDisk)));
  }
  return {.id = create.id,
          .cpu_class = create.cpu_class.value_or(CpuClass::kShared),
          .vcpus = vcpus,
          .memory = memory,
          .disks = disks};
}

// The field of a request to placement as callers know it.
std::string field_of(const std::string& field) {
  if (field == "count") return field;
  if (field == "group") return "instance.group";
  if (field.ends_with("_labels")) return "instance.wishes." + field;
  return field == "disk" ? "instance.boot_disk_bytes" : "instance.flavor";
}

void check_for_placement(const CreateInstance& create, const Sizing& sizing, int64_t count,
                         Violations& violations) {
  const placement::Request request =
      request_for({*sizing.flavor, sizing.boot_disk}, asked_of(create, sizing, count));
  for (const FieldViolation& violation : placement::check_request(request)) {
    add_once(violations, field_of(violation.field), violation.description);
  }
}

// The last is the longest: what holds for it holds for all.
void check_ids(const std::vector<std::string>& ids, Violations& violations) {
  if (ids.empty()) return;
  if (const Problem problem = check_dns_label(ids.back())) {
    add_once(violations, "instance_id", *problem);
  }
}

void check_count(const CreateInstances& create, Violations& violations) {
  if (create.count < 1 || create.count > kMostBooked) {
    add_once(violations, "count", fmt::format("{} asked; give 1 to {}", create.count, kMostBooked));
  }
  for (size_t i = 0; i < create.ports.size() && create.count > 1; ++i) {
    if (create.ports[i].addresses.empty()) continue;
    add_once(violations, fmt::format("instance.network_interfaces[{}].ip_addresses", i),
             "several instances cannot have one address; leave it out, or create them one by one");
  }
}

}  // namespace

Asked asked_of(const CreateInstance& create, const Sizing& sizing, int64_t count) {
  return {.wishes = sizing.placing.wishes,
          .group = sizing.placing.group,
          .failover = create.failover,
          .count = count};
}

std::vector<std::string> ids_of(const CreateInstances& create) {
  std::vector<std::string> ids;
  for (int64_t i = 1; i <= std::min(create.count, kMostBooked); ++i) {
    ids.push_back(fmt::format("{}-{}", create.id, i));
  }
  return ids;
}

Sizing check_instances(const CreateInstances& create, const Ledger& ledger,
                       std::vector<FieldViolation>& violations) {
  if (const Problem problem = check_dns_label(create.id)) {
    add_once(violations, "instance_id", *problem);
  }
  check_ids(ids_of(create), violations);
  check_count(create, violations);
  return check_instance(create, ledger, violations, create.count);
}

Sizing check_instance(const CreateInstance& create, const Ledger& ledger,
                      std::vector<FieldViolation>& violations, int64_t count) {
  Sizing sizing;
  if (const Problem problem = check_dns_label(create.id)) {
    add_once(violations, "instance_id", *problem);
  }
  check_texts(create, violations);
  sizing.placing = check_placing(create, ledger, violations);
  check_flavor_reference(create, ledger, sizing, violations);
  check_image_reference(create, ledger, sizing, violations);
  check_network_reference(create, ledger, sizing, violations);
  if (!sizing.flavor || !sizing.image) return sizing;
  if (sizing.flavor->memory < sizing.image->minimum_memory) {
    add_once(violations, "instance.flavor",
             fmt::format("flavor {} has {} of memory; image {} needs {}", sizing.flavor->id,
                         to_string(sizing.flavor->memory), sizing.image->id,
                         to_string(sizing.image->minimum_memory)));
  }
  check_boot_disk(create, sizing, violations);
  check_for_placement(create, sizing, count, violations);
  return sizing;
}

Flavor check_flavor(const CreateFlavor& create, std::vector<FieldViolation>& violations) {
  if (create.id.starts_with("SCS-")) return check_scs_flavor(create, violations);
  if (const Problem problem = check_flavor_id(create.id)) {
    add_once(violations, "flavor_id", *problem);
  }
  return check_free_flavor(create, violations);
}

}  // namespace stellwerk::controller
