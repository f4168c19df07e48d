// Storage in a directory of this host: images as files, instance disks as thin qcow2 copies.
//
// Invariants: a name without ".partial" is whole and durable; an image that a disk refers to is
// never changed or removed; one process at a time owns the directory (a lock that dies with it).
//
// Permissions: files are 0600, so user-data and disks are no other user's to read; directories that
// QEMU must pass through are 0711. libvirt's DAC driver gives disk, seed and image to its QEMU user
// before a start (`dynamic_ownership`, its default). Production needs that default, and every
// directory above this one to be at least 0711; without `dynamic_ownership`, run QEMU as the
// owner of this directory.
//
// Any thread, under the contract of Storage.
#pragma once

#include <memory>
#include <shared_mutex>
#include <string>

#include "core/time.h"
#include "drivers/storage/local/file.h"
#include "drivers/storage/local/image_upload.h"
#include "drivers/storage/local/layout.h"
#include "drivers/storage/storage.h"

namespace stellwerk::storage {

class LocalStorage final : public Storage {
 public:
  struct Options {
    std::string directory;  // made if it is missing
    // What an earlier process made must be there: an empty folder is a disk that is not mounted.
    bool must_exist = false;
    Bytes largest_image_file = gibibytes(100);
    Bytes largest_virtual_size = gibibytes(2048);
    // Uploads leave at least this much free: running guests need room to grow.
    Bytes keep_available;
    // Thin copies are made by QEMU's own program: no library writes qcow2.
    std::string qemu_img = "qemu-img";
    Duration qemu_img_deadline = std::chrono::seconds(60);
  };

  // Removes what a crash left behind. FailedPrecondition: another process owns the directory, or
  // it must exist and does not.
  static absl::StatusOr<std::unique_ptr<LocalStorage>> open(const Options& options);

  // An image that no disk refers to is replaced when the upload finishes. The upload must not
  // outlive this object.
  absl::StatusOr<std::unique_ptr<ImageUpload>> begin_upload(
      const ImageUid& image, std::optional<Bytes> announced) override;
  absl::StatusOr<std::unique_ptr<ResumableUpload>> resume_upload(const ImageUid& image) override;
  absl::StatusOr<ImageFacts> published(const ImageUid& image) override;
  absl::Status delete_image(const ImageUid& image) override;

  absl::Status create_disk(const DiskSpec& spec) override;
  absl::Status create_seed(const SeedSpec& spec) override;
  absl::Status mark_started(const InstanceUid& instance, Generation run) override;
  absl::Status delete_instance(const InstanceUid& instance) override;

  absl::StatusOr<Inventory> inventory() override;
  Paths paths(const InstanceUid& instance) const override;

 private:
  LocalStorage(Options options, Layout layout, Descriptor lock)
      : options_(std::move(options)), layout_(std::move(layout)), lock_(std::move(lock)) {}

  UploadLimits limits() const;
  absl::Status remove_leftovers() const;
  absl::Status remove_leftovers_of(const std::string& instance_folder) const;
  absl::Status publish_image(const ImageUid& image, ImageFormat format, const std::string& partial);
  absl::Status check_unused(const ImageUid& image) const;
  absl::Status check_not_backing(const ImageUid& image) const;
  // Runs `create` in the instance's folder; a folder in which nothing was made does not stay.
  template <class Create>
  absl::Status create_in(const InstanceUid& instance, Create create) const;
  absl::Status check_disk_fits_image(const DiskSpec& spec) const;
  absl::Status grow_disk(const DiskSpec& spec) const;
  absl::Status make_overlay(const DiskSpec& spec, const std::string& partial) const;
  absl::Status explain_failed_disk(const absl::Status& failure) const;
  absl::StatusOr<std::vector<ImageUid>> unfinished_uploads() const;
  absl::StatusOr<InstanceFiles> files_of(const InstanceUid& instance) const;

  const Options options_;
  const Layout layout_;
  const Descriptor lock_;
  // Held shared while a disk is made from an image, alone while images go.
  std::shared_mutex images_mutex_;
};

}  // namespace stellwerk::storage
