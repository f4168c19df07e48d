// One image on its way in from its source: attempts until it is here or nothing more is to be
// tried. Internal to ImageFetcher; one thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "api/daemon/image_fetcher.h"

namespace stellwerk::daemon {

class ImageFetch final : public download::Sink {
 public:
  struct Surroundings {
    const FetchLimits& limits;
    ImageFetcher::Parts parts;
    const std::atomic<bool>& cancelled;
    std::function<void(const controller::ImportProgress&)> progress;
    std::function<void(Duration)> pause;
  };
  ImageFetch(const ImageUid& image, const ImageSource& source, Surroundings surroundings);

  // Cancelled if it was broken off; what has come then stays.
  absl::StatusOr<controller::ImportedContent> run();

  absl::Status begin(const download::Announcement& announcement) override;
  absl::Status write(std::string_view bytes) override;

 private:
  // What a checkpoint's note holds: enough to go on.
  struct Known {
    std::optional<Bytes> total;
    std::string validator;
  };
  static std::string note_of(const Known& known);
  static Known known_of(std::string_view note);

  absl::StatusOr<storage::ImageFacts> fetch_and_publish();
  absl::Status fetch_all();
  absl::Status attempt(Duration left);
  absl::Status save();
  void report(bool now);
  Duration elapsed() const;

  const ImageUid image_;
  const ImageSource source_;
  const Surroundings around_;
  MonotonicTime begun_;
  std::unique_ptr<storage::ResumableUpload> upload_;
  Known known_;
  MonotonicTime saved_at_;
  MonotonicTime reported_at_;
};

}  // namespace stellwerk::daemon
