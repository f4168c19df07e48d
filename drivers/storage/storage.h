// Images and instance disks on this host.
//
// Contract: what a call makes appears whole or not at all, also after a crash in the middle;
// left-overs of a crash are removed when the driver opens. Creating what exists and deleting what
// does not are OK. Calls block and may come from any thread; for one instance or image, from one
// at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/model.h"
#include "core/status.h"

namespace stellwerk::storage {

struct ImageFacts {
  ImageFormat format = ImageFormat::kRaw;
  Bytes file_size;
  Bytes virtual_size;
  Sha256 sha256{};
};

// A stream of bytes on its way to becoming an image. Destroyed before `finish` succeeds, it leaves
// nothing behind.
class ImageUpload {
 public:
  virtual ~ImageUpload() = default;
  // ResourceExhausted when the disk is full: says how much was there. InvalidArgument when the
  // image is larger than the configured limit.
  virtual absl::Status write(std::string_view bytes) = 0;
  // Checks the digest if one is given, inspects the content, and publishes it. InvalidArgument
  // names what is wrong: a backing file, an external data file, a truncated or unknown format.
  virtual absl::StatusOr<ImageFacts> finish(const std::optional<Sha256>& expected) = 0;
};

// An upload that outlives its process: destroyed before `finish` succeeds, it leaves what had come
// by its last checkpoint, and the next upload of the image goes on from there.
class ResumableUpload : public ImageUpload {
 public:
  virtual Bytes received() const = 0;
  // Of the checkpoint that was gone on from or was made last; empty: from the start.
  virtual const std::string& note() const = 0;
  // What was written and `note`, at most 4 KiB, are durable together.
  virtual absl::Status checkpoint(std::string_view note) = 0;
  // Forgets what has come, checkpoint and note.
  virtual absl::Status restart() = 0;
  // InvalidArgument or ResourceExhausted if a file of that size could not be taken.
  virtual absl::Status expect(Bytes total) = 0;
};

struct DiskSpec {
  InstanceUid instance;
  ImageUid image;
  ImageFormat image_format = ImageFormat::kRaw;
  Bytes size;  // at least the image's virtual size
};

// The content of a cloud-init NoCloud seed: file names and bytes.
struct SeedSpec {
  InstanceUid instance;
  std::string meta_data;
  std::string user_data;
  std::string network_config;  // empty: none
};

struct InstanceFiles {
  InstanceUid instance;
  bool has_disk = false;
  bool has_seed = false;
  // The run last passed to mark_started: tells an ended guest from one never started.
  std::optional<Generation> started;
  std::optional<Bytes> disk_size;  // that the guest sees; none: no disk, or not to be read
  friend bool operator==(const InstanceFiles&, const InstanceFiles&) = default;
};

struct Inventory {
  std::vector<InstanceFiles> instances;  // ordered by uid
  std::vector<ImageUid> images;          // published ones, ordered
  std::vector<ImageUid> unfinished;      // of resumable uploads, ordered
  Bytes capacity;                        // of the file system
  Bytes available;
};

class Storage {
 public:
  virtual ~Storage() = default;

  // `announced` is the size of the image's file, if that is known before. One over the configured
  // limit is InvalidArgument of the field "size_bytes".
  virtual absl::StatusOr<std::unique_ptr<ImageUpload>> begin_upload(
      const ImageUid& image, std::optional<Bytes> announced) = 0;
  // Goes on where the last one of this image broke off. Aborted while another is under way.
  virtual absl::StatusOr<std::unique_ptr<ResumableUpload>> resume_upload(const ImageUid& image) = 0;
  // Of an image whose upload has finished: what `finish` told, from a new look at all of its bytes.
  // Nothing of the upload is left afterwards. NotFound if there is no such image.
  virtual absl::StatusOr<ImageFacts> published(const ImageUid& image) = 0;
  // The image and what an upload that may be resumed has left of it. FailedPrecondition while a
  // disk refers to it.
  virtual absl::Status delete_image(const ImageUid& image) = 0;

  // A disk that is there and smaller is grown; none ever shrinks.
  virtual absl::Status create_disk(const DiskSpec& spec) = 0;
  virtual absl::Status create_seed(const SeedSpec& spec) = 0;
  // Durable before it returns.
  virtual absl::Status mark_started(const InstanceUid& instance, Generation run) = 0;
  // Disk, seed, mark and console log.
  virtual absl::Status delete_instance(const InstanceUid& instance) = 0;

  virtual absl::StatusOr<Inventory> inventory() = 0;

  // Where a hypervisor finds an instance's files; they need not exist yet.
  struct Paths {
    std::string disk;
    ImageFormat disk_format = ImageFormat::kQcow2;
    std::string seed;
    std::string console_log;
  };
  virtual Paths paths(const InstanceUid& instance) const = 0;
};

}  // namespace stellwerk::storage
