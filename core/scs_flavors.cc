#include "core/scs_flavors.h"

#include <array>

namespace stellwerk {
namespace {

constexpr std::array<std::string_view, 15> kMandatoryFlavors = {
    "SCS-1V-4",  "SCS-2V-8",  "SCS-4V-16", "SCS-8V-32",    "SCS-1V-2",
    "SCS-2V-4",  "SCS-4V-8",  "SCS-8V-16", "SCS-16V-32",   "SCS-1V-8",
    "SCS-2V-16", "SCS-4V-32", "SCS-1L-1",  "SCS-2V-4-20s", "SCS-4V-16-100s"};

std::string_view cpu_type(CpuClass value) {
  switch (value) {
    case CpuClass::kLowPerformance:
      return "crowded-core";
    case CpuClass::kShared:
      return "shared-core";
    case CpuClass::kDedicatedThread:
      return "dedicated-thread";
    case CpuClass::kDedicatedCore:
      return "dedicated-core";
  }
  return "invalid";
}

std::vector<ScsFlavor> parse_mandatory() {
  std::vector<ScsFlavor> flavors;
  for (const std::string_view id : kMandatoryFlavors) {
    flavors.push_back({id, parse_flavor_name(id).value()});
  }
  return flavors;
}

}  // namespace

const std::vector<ScsFlavor>& mandatory_scs_flavors() {
  static const std::vector<ScsFlavor> flavors = parse_mandatory();
  return flavors;
}

Flavor flavor_from_name(std::string_view id, const FlavorName& name) {
  Flavor flavor;
  flavor.id = id;
  flavor.cpu_class = name.cpu_class;
  flavor.vcpus = VcpuCount(name.vcpus);
  flavor.memory = name.memory;
  flavor.disks = name.disks;
  return flavor;
}

Problem check_promises(const FlavorName& name) {
  const bool kvm =
      name.hypervisor == HypervisorKind::kUnspecified || name.hypervisor == HypervisorKind::kKvm;
  if (!kvm) return "promises a hypervisor other than KVM; leave it out or write _kvm";
  if (name.nested_virtualisation) return "promises nested virtualisation; leave _hwv out";
  if (name.cpu_vendor) return "promises a CPU vendor; leave it out";
  if (name.gpu) return "promises a GPU; leave it out";
  if (name.infiniband) return "promises InfiniBand; leave _ib out";
  if (name.disks && name.disks->count != 1) return "promises several disks; leave the count out";
  return std::nullopt;
}

std::map<std::string, std::string> scs_extra_specs(const Flavor& flavor) {
  std::map<std::string, std::string> specs;
  specs["scs:cpu-type"] = cpu_type(flavor.cpu_class);
  if (flavor.disks && flavor.disks->type != DiskType::kUnspecified) {
    specs["scs:disk0-type"] = to_string(flavor.disks->type);
  }
  if (flavor.id.starts_with("SCS-")) {
    specs["scs:name-v1"] = flavor_name_v1(flavor.id);
    specs["scs:name-v2"] = flavor.id;
  }
  return specs;
}

}  // namespace stellwerk
