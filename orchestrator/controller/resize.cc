#include "orchestrator/controller/resize.h"

#include <algorithm>

#include "core/validate.h"

namespace stellwerk::controller {
namespace {

bool fixes_disk(const Flavor& flavor) {
  return flavor.disks && flavor.disks->size > Bytes();
}

std::vector<FieldViolation> mistakes(const ResizeInstance& resize, const Flavor& flavor,
                                     const Instance& instance, const Ledger& ledger) {
  std::vector<FieldViolation> violations;
  if (fixes_disk(flavor) && resize.boot_disk && *resize.boot_disk != flavor.disks->size) {
    add_once(violations, "boot_disk_bytes",
             fmt::format("flavor {} fixes the disk at {} bytes; leave this out", flavor.id,
                         flavor.disks->size.count()));
  }
  if (resize.boot_disk && *resize.boot_disk > kLargestDisk) {
    add_once(violations, "boot_disk_bytes",
             fmt::format("{} asked; at most {} are possible", to_string(*resize.boot_disk),
                         to_string(kLargestDisk)));
  }
  const auto image = ledger.state().images.find(instance.image);
  if (image != ledger.state().images.end() && flavor.memory < image->second.minimum_memory) {
    add_once(violations, "flavor",
             fmt::format("flavor {} has {} of memory; image {} needs {}", flavor.id,
                         to_string(flavor.memory), image->second.id,
                         to_string(image->second.minimum_memory)));
  }
  return violations;
}

}  // namespace

ProjectUse demand_of(const Sizing& sizing) {
  const Flavor& flavor = *sizing.flavor;
  ProjectUse demand{.instances = 1,
                    .vcpus = {{flavor.cpu_class, flavor.vcpus}},
                    .memory = flavor.memory,
                    .disk = sizing.boot_disk};
  for (const Network* network : sizing.networks) {
    // One of each family that the network has, chosen or not.
    demand.addresses += (network->v4 ? 1 : 0) + (network->v6 ? 1 : 0);
  }
  return demand;
}

absl::StatusOr<NewSize> check_resize(const ResizeInstance& resize, const Instance& instance,
                                     const Ledger& ledger) {
  const Flavor* flavor = ledger.flavor(resize.flavor);
  if (!flavor) {
    return invalid_fields({{"flavor", fmt::format("there is no flavor {}; list them: stellwerk "
                                                  "flavor list",
                                                  quoted(resize.flavor))}});
  }
  if (const auto wrong = mistakes(resize, *flavor, instance, ledger); !wrong.empty()) {
    return invalid_fields(wrong);
  }
  const Bytes disk =
      fixes_disk(*flavor) ? flavor->disks->size : resize.boot_disk.value_or(instance.boot_disk);
  if (disk >= instance.boot_disk) return NewSize{flavor, disk};
  return with_reason(
      failed_precondition(
          "a disk never shrinks: instance {} has {} ({} bytes), {} {} ({} bytes); {}", instance.id,
          to_string(instance.boot_disk), instance.boot_disk.count(),
          fixes_disk(*flavor) ? "flavor " + flavor->id + " has" : "asked are", to_string(disk),
          disk.count(),
          fixes_disk(*flavor) ? "choose a flavor with a larger disk, or one without"
                              : "ask for at least what it has, or leave the disk's size out"),
      "DISK_WOULD_SHRINK");
}

}  // namespace stellwerk::controller
