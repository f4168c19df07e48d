// What a domain remembers of its instance, for a controller that has lost it. Pure.
#pragma once

#include <optional>
#include <string>

#include "core/model.h"
#include "drivers/hypervisor/hypervisor.h"

namespace stellwerk::agent {

// The instance's whole record, printable: for Ownership::adoption.
std::string adoption_of(const Instance& instance);
// Nothing if it is not readable.
std::optional<Instance> adopted(const hypervisor::Ownership& owner);

}  // namespace stellwerk::agent
