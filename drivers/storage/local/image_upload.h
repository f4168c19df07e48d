// One image on its way in: bytes go to incoming/, are digested as they come, inspected at the end
// and only then moved to images/. One thread at a time.
//
// Of a resumable upload, the checkpoint file says how many bytes are durable, so that what a crash
// of the machine leaves behind them is never taken for the image's.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/digest.h"
#include "drivers/storage/local/file.h"
#include "drivers/storage/local/layout.h"
#include "drivers/storage/storage.h"

namespace stellwerk::storage {

struct UploadLimits {
  Bytes largest_file;
  Bytes largest_virtual_size;
  Bytes keep_available;
};

// What is wrong with an image whose file has more than the largest there may be.
std::string over_limit(Bytes largest_file);

// Of a published file.
absl::StatusOr<ImageFacts> look_at_image(const std::string& path, const UploadLimits& limits);

// Gives the synced partial file its place among the images.
using PublishImage = std::function<absl::Status(ImageFormat format, const std::string& partial)>;

// One class for both kinds, for they differ in what they leave behind alone.
class LocalImageUpload final : public ResumableUpload {
 public:
  // Aborted when the same image is being uploaded already.
  static absl::StatusOr<std::unique_ptr<LocalImageUpload>> begin(const Layout& layout,
                                                                 const ImageUid& image,
                                                                 const UploadLimits& limits,
                                                                 PublishImage publish);
  // Aborted when another upload has it open.
  static absl::StatusOr<std::unique_ptr<LocalImageUpload>> resume(const Layout& layout,
                                                                  const ImageUid& image,
                                                                  const UploadLimits& limits,
                                                                  PublishImage publish);
  ~LocalImageUpload() override;

  absl::Status write(std::string_view bytes) override;
  absl::StatusOr<ImageFacts> finish(const std::optional<Sha256>& expected) override;

  Bytes received() const override { return received_; }
  const std::string& note() const override { return note_; }
  absl::Status checkpoint(std::string_view note) override;
  absl::Status restart() override;
  absl::Status expect(Bytes total) override;

 private:
  LocalImageUpload(const Layout& layout, const ImageUid& image, const UploadLimits& limits,
                   PublishImage publish, Descriptor file, bool resumable)
      : layout_(layout),
        image_(image),
        resumable_(resumable),
        limits_(limits),
        publish_(std::move(publish)),
        file_(std::move(file)) {}

  std::string path() const {
    return resumable_ ? layout_.resumable(image_) : layout_.upload(image_);
  }
  absl::Status go_on();
  absl::Status digest_again(Bytes length);
  absl::Status append(std::string_view bytes);
  absl::Status check_space();
  absl::Status disk_is_full();
  absl::Status check_digest(const Sha256& actual, const std::optional<Sha256>& expected) const;

  const Layout layout_;
  const ImageUid image_;
  const bool resumable_;
  const UploadLimits limits_;
  const PublishImage publish_;
  Descriptor file_;
  Sha256Stream digest_;
  Bytes received_;
  Bytes checked_at_;  // how much had been received when free space was last looked at
  std::string note_;
  bool failed_ = false;
  bool published_ = false;
};

}  // namespace stellwerk::storage
