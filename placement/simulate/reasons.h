// Why a guest found no host, in one word that can be counted. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "placement/engine.h"

namespace stellwerk::placement::simulate {

enum class Reason : uint8_t {
  kTooLarge,        // no host would hold it even if it were empty
  kVcpus,           // no host has so many vCPUs left; memory would suffice somewhere
  kMemory,          // the other way round
  kVcpusAndMemory,  // no host has enough of either
  kFragmented,      // enough of each, but not on one host
  kNuma,            // hosts have enough, but not on as many NUMA nodes as asked
  kDevices,         // likewise of GPUs
  kGroup,           // the group's rule
  kPower,           // the budget of racks or feeds
  kFailover,        // a host, but none that keeps room for its loss
  kStillWaiting,    // it waited until the trace was over
};
inline constexpr std::array kReasons = {
    Reason::kTooLarge,   Reason::kVcpus,    Reason::kMemory,      Reason::kVcpusAndMemory,
    Reason::kFragmented, Reason::kNuma,     Reason::kDevices,     Reason::kGroup,
    Reason::kPower,      Reason::kFailover, Reason::kStillWaiting};

std::string_view to_string(Reason reason);  // "vcpus-and-memory"

// Of a request for one instance that the engine has just refused. Asks every host.
Reason reason_of_refusal(const Engine& engine, const Request& request);

// Whether some host that takes guests would hold it if nothing else were on it.
bool fits_when_empty(const Engine& engine, const Request& request);

}  // namespace stellwerk::placement::simulate
