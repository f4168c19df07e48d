// The hypervisor of the simulated machine, after the contract of drivers/hypervisor/hypervisor.h.
// Each call happens at once and whole; when it happens, and what the caller hears of it, is the
// executor's affair.
#pragma once

#include <functional>
#include <vector>

#include "drivers/hypervisor/hypervisor.h"
#include "tests/sim/guests.h"
#include "tests/sim/world.h"

namespace stellwerk::sim {

class SimHypervisor final : public hypervisor::Hypervisor {
 public:
  SimHypervisor(World& world, Guests& guests, CellUid cell)
      : world_(world), guests_(guests), cell_(cell) {}

  absl::StatusOr<std::vector<hypervisor::ObservedDomain>> list() override;
  absl::Status start(const hypervisor::DomainSpec& spec) override;
  absl::Status resume(const InstanceUid& instance) override;
  absl::Status request_shutdown(const InstanceUid& instance) override;
  absl::Status reboot(const InstanceUid& instance, const RebootOrder& order) override;
  absl::Status pin(const InstanceUid& instance, const hypervisor::CpuPins& pins) override;
  absl::Status destroy(const InstanceUid& instance) override;
  absl::StatusOr<HostFacts> host_facts() override;
  void listen(std::function<void(const hypervisor::DomainEvent&)> listener) override;

  // From now on reboots happen and leave no trace in the metadata.
  void stop_recording_reboots() { records_reboots_ = false; }

  // The first half of `start`: a paused domain, after which the caller may die.
  absl::Status define(const hypervisor::DomainSpec& spec);

 private:
  using Found = std::vector<Process>::iterator;
  // NotFound, or PermissionDenied for what is not this cell's.
  absl::StatusOr<Found> find(const InstanceUid& instance);

  World& world_;
  Guests& guests_;
  const CellUid cell_;
  bool records_reboots_ = true;
};

}  // namespace stellwerk::sim
