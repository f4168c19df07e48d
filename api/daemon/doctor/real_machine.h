// This machine as it is. As machine.h says.
#pragma once

#include "api/daemon/doctor/machine.h"

namespace stellwerk::daemon::doctor {

class RealMachine final : public Machine {
 public:
  absl::StatusOr<std::string> read(const std::string& path) override;
  absl::StatusOr<FileFacts> look(const std::string& path) override;
  absl::Status open_device(const std::string& path) override;
  absl::Status try_writing(const std::string& folder) override;
  absl::StatusOr<Space> space(const std::string& path) override;
  absl::StatusOr<bool> clock_is_synchronised() override;
  absl::StatusOr<std::vector<Interface>> interfaces() override;
  absl::StatusOr<std::string> libvirt_version(const HypervisorConfig& config) override;
  absl::Status firewall() override;
  absl::StatusOr<int> listener_of(const std::string& socket) override;
  bool group_exists(const std::string& name) override;
};

}  // namespace stellwerk::daemon::doctor
