// Decides where an instance goes. Pure: no I/O, no clock, no randomness, no hidden state; the same
// fleet and request always give the same answer.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "placement/fleet.h"

namespace stellwerk::placement {

struct Request {
  CpuClass cpu_class = CpuClass::kShared;
  VcpuCount vcpus;
  Bytes memory;  // with overhead: core's memory_with_overhead
  Bytes disk;
  DiskType disk_type = DiskType::kUnspecified;
};

// One named hard constraint that one host fails: `rule` is stable ("memory"), `detail` is for
// operators ("12 GiB asked, 3 GiB free of 16 GiB").
struct Refusal {
  HostUid host;
  std::string rule;
  std::string detail;
};

struct Placed {
  Claim claim;
};
struct Refused {
  std::vector<Refusal> refusals;  // one per host, in fleet order: the first rule that it fails
  // One sentence without host names, for those who asked:
  // "memory: 12 TiB asked, the largest free is 1.5 TiB; ask for less memory or another flavor".
  std::string summary;
};
using Decision = std::variant<Placed, Refused>;

// Best fit: among the hosts that pass every rule, the one left with the least free memory
// (then vCPUs, then the lowest index). Claims of dedicated classes name their threads: choose_cpus.
Decision place(const Fleet& fleet, const Request& request);

}  // namespace stellwerk::placement
