// The Sovereign Cloud Stack's standard flavors (SCS-0103) and what a flavor's name promises.
// Values only; thread-safe.
// https://docs.scs.community/standards/scs-0103-v1-standard-flavors
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/flavor_name.h"
#include "core/model.h"
#include "core/validate.h"

namespace stellwerk {

struct ScsFlavor {
  std::string_view id;
  FlavorName name;
};

// The 15 mandatory ones, in the standard's order. Those whose name asks for a local SSD can be
// placed only where a host declares such a disk.
const std::vector<ScsFlavor>& mandatory_scs_flavors();

// What the name says of the size: id, CPU class, vCPUs, memory and disks; the rest is left as it
// is in a new Flavor.
Flavor flavor_from_name(std::string_view id, const FlavorName& name);

// What the name promises and this version cannot give (another hypervisor, nested virtualisation,
// a CPU vendor, a GPU, InfiniBand, several disks); nothing if all of it can be given. A name that
// understates is honest; L, i, u and o are.
Problem check_promises(const FlavorName& name);

// scs:cpu-type always; scs:disk0-type where the flavor fixes it; scs:name-v1 and scs:name-v2 where
// the id is an SCS name.
std::map<std::string, std::string> scs_extra_specs(const Flavor& flavor);

}  // namespace stellwerk
