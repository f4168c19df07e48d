#include "tests/sim/sim_storage.h"

#include <algorithm>
#include <utility>

namespace stellwerk::sim {
namespace {

constexpr Bytes kImageFile = mebibytes(200);
const storage::ImageFacts kFacts = {
    .format = ImageFormat::kQcow2, .file_size = kImageFile, .virtual_size = gibibytes(2)};

class SimUpload final : public storage::ImageUpload {
 public:
  SimUpload(SimStorage& storage, const ImageUid& image) : storage_(storage), image_(image) {
    storage_.begin_image(image_);
  }
  ~SimUpload() override { storage_.abandon_image(image_); }

  absl::Status write(std::string_view) override { return absl::OkStatus(); }
  absl::StatusOr<storage::ImageFacts> finish(const std::optional<Sha256>&) override {
    return storage_.publish_image(image_);
  }

 private:
  SimStorage& storage_;
  const ImageUid image_;
};

}  // namespace

void SimStorage::clean_up() {
  std::erase_if(world_.machine().images,
                [](const auto& image) { return image.second == ImageFile::kPartial; });
  for (auto& [uid, files] : world_.machine().files) files.partial = false;
  std::erase_if(world_.machine().files, [](const auto& entry) {
    return !entry.second.disk && !entry.second.seed && !entry.second.started;
  });
}

absl::StatusOr<std::unique_ptr<storage::ImageUpload>> SimStorage::begin_upload(
    const ImageUid& image, std::optional<Bytes> /*announced*/) {
  return std::make_unique<SimUpload>(*this, image);
}

// Fetches are simulated as a whole: see Executor::import_image.
absl::StatusOr<std::unique_ptr<storage::ResumableUpload>> SimStorage::resume_upload(
    const ImageUid& /*image*/) {
  return make_status(absl::StatusCode::kUnimplemented, "nobody resumes an upload here");
}

absl::StatusOr<storage::ImageFacts> SimStorage::published(const ImageUid& image) {
  const auto found = world_.machine().images.find(image);
  if (found == world_.machine().images.end() || found->second != ImageFile::kPublished) {
    return not_found("there is no image {}", image.to_string());
  }
  return kFacts;
}

void SimStorage::begin_image(const ImageUid& image) {
  world_.machine().images.emplace(image, ImageFile::kPartial);
}

storage::ImageFacts SimStorage::publish_image(const ImageUid& image) {
  world_.machine().images[image] = ImageFile::kPublished;
  return kFacts;
}

void SimStorage::abandon_image(const ImageUid& image) {
  const auto found = world_.machine().images.find(image);
  if (found == world_.machine().images.end() || found->second == ImageFile::kPublished) return;
  world_.machine().images.erase(found);
}

absl::Status SimStorage::delete_image(const ImageUid& image) {
  world_.machine().images.erase(image);
  return absl::OkStatus();
}

void SimStorage::begin_disk(const InstanceUid& instance) {
  DiskFiles& files = world_.machine().files[instance];
  if (!files.disk) files.partial = true;
}

void SimStorage::abandon_disk(const InstanceUid& instance) {
  const auto found = world_.machine().files.find(instance);
  if (found == world_.machine().files.end()) return;
  found->second.partial = false;
  if (!found->second.seed && !found->second.started && !found->second.disk) {
    world_.machine().files.erase(found);
  }
}

absl::Status SimStorage::create_disk(const storage::DiskSpec& spec) {
  DiskFiles& files = world_.machine().files[spec.instance];
  if (files.disk) {
    if (grows_disks_) files.size = std::max(files.size, spec.size);
    return absl::OkStatus();
  }
  const auto image = world_.machine().images.find(spec.image);
  if (image == world_.machine().images.end() || image->second != ImageFile::kPublished) {
    return not_found("image {} has no file on this host", spec.image.to_string());
  }
  files.partial = false;
  files.disk = true;
  files.size = spec.size;
  return absl::OkStatus();
}

absl::Status SimStorage::create_seed(const storage::SeedSpec& spec) {
  world_.machine().files[spec.instance].seed = true;
  return absl::OkStatus();
}

absl::Status SimStorage::mark_started(const InstanceUid& instance, Generation run) {
  world_.machine().files[instance].started = run;
  return absl::OkStatus();
}

absl::Status SimStorage::delete_instance(const InstanceUid& instance) {
  world_.machine().files.erase(instance);
  return absl::OkStatus();
}

absl::StatusOr<storage::Inventory> SimStorage::inventory() {
  const Machine& machine = world_.machine();
  storage::Inventory inventory{.capacity = machine.facts.disk, .available = machine.facts.disk};
  for (const auto& [uid, files] : machine.files) {
    if (!files.disk && !files.seed && !files.started) continue;
    inventory.instances.push_back(
        {.instance = uid,
         .has_disk = files.disk,
         .has_seed = files.seed,
         .started = files.started,
         .disk_size = files.disk ? std::optional(files.size) : std::nullopt});
    inventory.available -= kFacts.virtual_size;
  }
  for (const auto& [uid, file] : machine.images) {
    if (file == ImageFile::kPublished) inventory.images.push_back(uid);
  }
  return inventory;
}

storage::Storage::Paths SimStorage::paths(const InstanceUid& instance) const {
  const std::string folder = "/simulated/" + instance.to_string();
  return {.disk = folder + "/disk",
          .disk_format = ImageFormat::kQcow2,
          .seed = folder + "/seed.iso",
          .console_log = folder + "/console.log"};
}

absl::Status SimNetwork::ensure_bridge(const network::BridgeSpec& bridge) {
  world_.machine().bridges.insert(bridge.name);
  return absl::OkStatus();
}

absl::Status SimNetwork::remove_bridge(const std::string& name) {
  for (const auto& [port, bridge] : world_.machine().ports) {
    if (bridge == name) return failed_precondition("{} hangs on {}", port, name);
  }
  world_.machine().bridges.erase(name);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<network::ObservedPort>> SimNetwork::ports(const std::string& prefix) {
  std::vector<network::ObservedPort> ports;
  for (const auto& [name, bridge] : world_.machine().ports) {
    if (name.starts_with(prefix)) ports.push_back({name, bridge});
  }
  return ports;
}

absl::Status SimNetwork::remove_port(const std::string& interface_name) {
  world_.machine().ports.erase(interface_name);
  return absl::OkStatus();
}

}  // namespace stellwerk::sim
