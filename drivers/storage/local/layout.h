// Where what lies in a storage directory. Names are made of uids alone, so no text of a caller's
// ever becomes a path. Values; any thread.
//
//   images/UID.raw|.qcow2        published images, never written again
//   incoming/UID.partial         uploads under way
//   incoming/UID.resumable       an upload that may go on after a restart
//   incoming/UID.checkpoint      how much of it is durable, and its note
//   instances/UID/disk.qcow2     thin copy of an image
//   instances/UID/seed.iso       cloud-init's
//   instances/UID/started        the run (instance.run) that was last started
//   instances/UID/console.log    what the guest wrote last, and .1: see agent/console_history.h
//   instances/UID.deleting       a deleted instance on its way out
#pragma once

#include <string>
#include <string_view>

#include "core/ids.h"
#include "core/model.h"

namespace stellwerk::storage {

inline constexpr std::string_view kPartialSuffix = ".partial";
inline constexpr std::string_view kResumableSuffix = ".resumable";
inline constexpr std::string_view kCheckpointSuffix = ".checkpoint";
inline constexpr std::string_view kDeletingSuffix = ".deleting";

class Layout {
 public:
  // An absolute path without symbolic links.
  explicit Layout(std::string root) : root_(std::move(root)) {}

  const std::string& root() const { return root_; }
  std::string lock() const { return root_ + "/lock"; }
  std::string images() const { return root_ + "/images"; }
  std::string incoming() const { return root_ + "/incoming"; }
  std::string instances() const { return root_ + "/instances"; }

  std::string upload(const ImageUid& image) const {
    return incoming() + "/" + image.to_string() + std::string(kPartialSuffix);
  }
  std::string resumable(const ImageUid& image) const {
    return incoming() + "/" + image.to_string() + std::string(kResumableSuffix);
  }
  std::string checkpoint(const ImageUid& image) const {
    return incoming() + "/" + image.to_string() + std::string(kCheckpointSuffix);
  }
  static std::string image_name(const ImageUid& image, ImageFormat format) {
    return image.to_string() + (format == ImageFormat::kRaw ? ".raw" : ".qcow2");
  }
  std::string image(const ImageUid& image, ImageFormat format) const {
    return images() + "/" + image_name(image, format);
  }
  // How a disk names its image: relative, so that the whole directory can be moved.
  static std::string image_seen_from_disk(const ImageUid& image, ImageFormat format) {
    return "../../images/" + image_name(image, format);
  }

  std::string instance(const InstanceUid& instance) const {
    return instances() + "/" + instance.to_string();
  }
  std::string disk(const InstanceUid& uid) const { return instance(uid) + "/disk.qcow2"; }
  std::string seed(const InstanceUid& uid) const { return instance(uid) + "/seed.iso"; }
  std::string started(const InstanceUid& uid) const { return instance(uid) + "/started"; }
  std::string console_log(const InstanceUid& uid) const { return instance(uid) + "/console.log"; }

 private:
  std::string root_;
};

}  // namespace stellwerk::storage
