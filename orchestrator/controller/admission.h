// What an instance would be, before anything is decided: the semantic checks of a creation, every
// mistake at once, and the numbers that follow from flavor and image. Pure.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/controller/claims.h"
#include "orchestrator/controller/ledger.h"
#include "orchestrator/controller/requests.h"
#include "orchestrator/controller/wishes.h"

namespace stellwerk::controller {

inline constexpr Bytes kLargestDisk = gibibytes(64 * 1024);

struct Sizing {
  const Flavor* flavor = nullptr;
  const Image* image = nullptr;
  std::vector<const Network*> networks;  // of the ports, in their order
  Bytes boot_disk;
  Placing placing;
};

// Adds to `violations`; the result is complete if nothing was added.
Sizing check_instance(const CreateInstance& create, const Ledger& ledger,
                      std::vector<FieldViolation>& violations, int64_t count = 1);
Sizing check_instances(const CreateInstances& create, const Ledger& ledger,
                       std::vector<FieldViolation>& violations);
// "web-1", "web-2" and so on; no more than may be booked at once.
std::vector<std::string> ids_of(const CreateInstances& create);
// What is asked of placement beside the size.
Asked asked_of(const CreateInstance& create, const Sizing& sizing, int64_t count);

// The size and class of a new flavor from its name and the request's fields.
Flavor check_flavor(const CreateFlavor& create, std::vector<FieldViolation>& violations);

}  // namespace stellwerk::controller
