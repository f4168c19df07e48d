// What an instance would be, before anything is decided: the semantic checks of a creation, every
// mistake at once, and the numbers that follow from flavor and image. Pure.
#pragma once

#include <vector>

#include "orchestrator/controller/ledger.h"
#include "orchestrator/controller/requests.h"

namespace stellwerk::controller {

inline constexpr Bytes kLargestDisk = gibibytes(64 * 1024);

struct Sizing {
  const Flavor* flavor = nullptr;
  const Image* image = nullptr;
  std::vector<const Network*> networks;  // of the ports, in their order
  Bytes boot_disk;
};

// Adds to `violations`; the result is complete if nothing was added.
Sizing check_instance(const CreateInstance& create, const Ledger& ledger,
                      std::vector<FieldViolation>& violations);

// The size and class of a new flavor from its name and the request's fields.
Flavor check_flavor(const CreateFlavor& create, std::vector<FieldViolation>& violations);

}  // namespace stellwerk::controller
