// Files of one simulated machine, and the images that all machines see, after the contract of
// drivers/storage/storage.h. What takes time has two halves, so that a death can fall between them:
// `begin_disk` leaves a partial file, `create_disk` publishes it.
#pragma once

#include <memory>

#include "drivers/network/network.h"
#include "drivers/storage/storage.h"
#include "tests/sim/world.h"

namespace stellwerk::sim {

class SimStorage final : public storage::Storage {
 public:
  SimStorage(World& world, Machine& machine) : world_(world), machine_(machine) {}

  // Remove what a crash left half made; once, when the daemon begins. Images are the controller's.
  void clean_up_disks();
  void clean_up_images();

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
  Machine& machine_;
  bool grows_disks_ = true;
};

// Ports on one simulated machine, after the contract of drivers/network/network.h.
class SimNetwork final : public network::Network {
 public:
  explicit SimNetwork(Machine& machine) : machine_(machine) {}

  absl::Status ensure_bridge(const network::BridgeSpec& bridge) override;
  absl::Status require_bridge(const std::string&) override { return absl::OkStatus(); }
  absl::Status remove_bridge(const std::string& name) override;
  absl::StatusOr<std::vector<network::ObservedPort>> ports(const std::string& prefix) override;
  absl::Status remove_port(const std::string& interface_name) override;

 private:
  Machine& machine_;
};

}  // namespace stellwerk::sim
