// Files of the simulated machine, after the contract of drivers/storage/storage.h. What takes time
// has two halves, so that a death can fall between them: `begin_disk` leaves a partial file,
// `create_disk` publishes it.
#pragma once

#include <memory>

#include "drivers/network/network.h"
#include "drivers/storage/storage.h"
#include "tests/sim/world.h"

namespace stellwerk::sim {

class SimStorage final : public storage::Storage {
 public:
  explicit SimStorage(World& world) : world_(world) {}

  // Removes what a crash left half made; once, when the daemon begins.
  void clean_up();

  absl::StatusOr<std::unique_ptr<storage::ImageUpload>> begin_upload(
      const ImageUid& image, std::optional<Bytes> announced) override;
  absl::StatusOr<std::unique_ptr<storage::ResumableUpload>> resume_upload(
      const ImageUid& image) override;
  absl::StatusOr<storage::ImageFacts> published(const ImageUid& image) override;
  absl::Status delete_image(const ImageUid& image) override;
  absl::Status create_disk(const storage::DiskSpec& spec) override;
  absl::Status create_seed(const storage::SeedSpec& spec) override;
  absl::Status mark_started(const InstanceUid& instance, Generation run) override;
  absl::Status delete_instance(const InstanceUid& instance) override;
  absl::StatusOr<storage::Inventory> inventory() override;
  Paths paths(const InstanceUid& instance) const override;

  // From now on a disk stays as large as it was made.
  void stop_growing_disks() { grows_disks_ = false; }

  void begin_disk(const InstanceUid& instance);
  void abandon_disk(const InstanceUid& instance);
  void begin_image(const ImageUid& image);
  storage::ImageFacts publish_image(const ImageUid& image);
  void abandon_image(const ImageUid& image);

 private:
  World& world_;
  bool grows_disks_ = true;
};

// Ports on the simulated machine, after the contract of drivers/network/network.h.
class SimNetwork final : public network::Network {
 public:
  explicit SimNetwork(World& world) : world_(world) {}

  absl::Status ensure_bridge(const network::BridgeSpec& bridge) override;
  absl::Status require_bridge(const std::string&) override { return absl::OkStatus(); }
  absl::Status remove_bridge(const std::string& name) override;
  absl::StatusOr<std::vector<network::ObservedPort>> ports(const std::string& prefix) override;
  absl::Status remove_port(const std::string& interface_name) override;

 private:
  World& world_;
};

}  // namespace stellwerk::sim
