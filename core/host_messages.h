// What controller and agent say to each other. Orders are the full set of what a host should run;
// a missing instance is not an order. Every message carries epoch and sequence, and an agent
// refuses lower ones than it has seen.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/model.h"
#include "core/time.h"

namespace stellwerk {

struct HostOrders {
  CellUid cell;
  HostUid host;
  Epoch epoch;
  Sequence sequence;                // of the newest durable commit that these orders reflect
  std::vector<Instance> instances;  // ordered by uid; also those in deletion
  // All of the cell, ordered by uid: guests that no order names may have ports on any, and keep
  // them.
  std::vector<Network> networks;
  // The host's hardware threads that no claim names, ascending: for shared guests and for
  // emulators. Empty: the host's topology is not known, and nothing is pinned.
  std::vector<int32_t> shared_cpus;
};

// Sent first on every connection.
struct HostHello {
  CellUid cell;
  HostUid host;
  std::string id;
  HostFacts facts;
  HostReserve reserve;
};

// Why a guest that should run does not, and will not unless the controller orders it anew.
enum class FinalEnd : uint8_t {
  kShutDownByGuest,
  kCrashedAndNotRestarted,  // restart policy never
};

struct InstanceReport {
  InstanceUid instance;
  Observed observed;
  std::optional<FinalEnd> final_end;
  bool has_disk = false;  // its disk is on the host
};

struct OrphanReport {
  Uuid uuid;
  std::string name;
  std::string project_id;  // from a host its uid, as the domain has it; for callers its id
  std::string instance_id;
  // What its domain remembers that it was given: nobody else may get it. Empty: it cannot be read.
  std::vector<Port> ports = {};
  std::vector<int32_t> cpus = {};  // hardware threads of its own
  friend bool operator==(const OrphanReport&, const OrphanReport&) = default;
};

struct HostStatus {
  HostUid host;
  Epoch epoch;  // of the orders that this reports on
  Sequence sequence;
  std::vector<InstanceReport> instances;  // every instance of the orders, ordered by uid
  std::vector<OrphanReport> orphans;      // domains of this cell that no order names
  // Of every domain that no order names, orphans included; `domains` counts the foreign alone.
  ForeignUse foreign;
  Bytes disk_available;
  std::vector<NetworkUid> networks_gone;  // of those in deletion: nothing is left here
};

}  // namespace stellwerk
