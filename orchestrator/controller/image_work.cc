#include "orchestrator/controller/image_work.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "orchestrator/records/keys.h"

namespace stellwerk::controller {

ImageWork::ImageWork(const ControllerConfig& config, Ledger& ledger, Mutations& mutations)
    : ledger_(ledger),
      mutations_(mutations),
      delete_retry_(config.image_delete_retry),
      grace_(config.image_grace),
      audit_({.every = config.image_audit_every, .grace = config.image_grace}) {}

void ImageWork::begin(Now now) {
  std::vector<Image> broken_off;
  for (const auto& [uid, image] : ledger_.state().images) {
    switch (image.state) {
      case ImageState::kImporting:
        if (image.source.url.empty()) {
          broken_off.push_back(image);
        } else {
          orders_.push_back(FetchImage{uid, image.source});
        }
        break;
      case ImageState::kDeleting:
      case ImageState::kFailed:
        orders_.push_back(DeleteImageFiles{uid});
        break;
      case ImageState::kActive:
        break;
    }
  }
  for (Image& image : broken_off) {
    mutations_.abandon_import(std::move(image), "the daemon ended during the import", now);
  }
}

void ImageWork::receive(const ImageFilesDeleted& deleted, Now now) {
  if (!ledger_.state().images.contains(deleted.image)) return note_collected(deleted, now);
  if (deleted.result.ok()) {
    failed_deletions_.erase(deleted.image);
    mutations_.forget_image(deleted.image, now);
    return;
  }
  if (failed_deletions_.insert(deleted.image).second) {
    mutations_.report_image(deleted.image, "ImageDeleteFailed",
                            std::string(message_of(deleted.result)), now);
  }
  retries_[deleted.image] = now.monotonic + delete_retry_;
}

void ImageWork::note_collected(const ImageFilesDeleted& deleted, Now now) {
  if (!audit_.is_going(deleted.image)) return;
  if (deleted.result.ok()) {
    mutations_.report_image_files(deleted.image, "ImageFilesCollected", "no record knew them", now);
  } else if (audit_.note_kept(deleted.image)) {
    mutations_.report_image_files(deleted.image, "ImageFilesKept",
                                  std::string(message_of(deleted.result)), now);
  }
}

// At most as many arrive at once as downloads run, for which a full batch has room.
void ImageWork::receive(const ImageFetched& fetched, Now now) {
  progress_.erase(fetched.image);
  mutations_.finish_fetch(fetched.image, fetched.content, now);
}

void ImageWork::receive(const ImportProgressed& progressed, Now) {
  if (is_importing(progressed.image)) progress_[progressed.image] = progressed.progress;
}

void ImageWork::receive(const ImageFilesListed& listed, Now now) {
  if (!listed.images.ok() || ledger_.is_full()) return;  // the next look tells
  const ImageAudit::Findings found = audit_.look(
      *listed.images, [this](const ImageUid& image) { return is_claimed(image); }, now.monotonic);
  for (const ImageUid& image : found.fresh) {
    if (ledger_.is_full()) break;  // it was to be told, and is collected all the same
    mutations_.report_image_files(
        image, "ImageFilesUnclaimed",
        fmt::format("no record knows them; they are removed after {}, unless a disk refers to them",
                    to_short_string(grace_)),
        now);
  }
  for (const ImageUid& image : found.expired) orders_.push_back(DeleteImageFiles{image});
}

bool ImageWork::is_importing(const ImageUid& image) const {
  const auto found = ledger_.state().images.find(image);
  return found != ledger_.state().images.end() && found->second.state == ImageState::kImporting;
}

// A record that cannot be read is one that may become readable again.
bool ImageWork::is_claimed(const ImageUid& image) const {
  const CellState& state = ledger_.state();
  return state.images.contains(image) || state.invalid.contains(records::image_key(image)) ||
         std::any_of(state.instances.begin(), state.instances.end(),
                     [&](const auto& entry) { return entry.second.image == image; });
}

std::vector<Output> ImageWork::take_orders(Now now) {
  for (const ImageUid& uid : mutations_.take_abandoned_images()) {
    orders_.push_back(DeleteImageFiles{uid});
  }
  for (const ImageUid& uid : mutations_.take_wanted_fetches()) {
    if (is_importing(uid))
      orders_.push_back(FetchImage{uid, ledger_.state().images.at(uid).source});
  }
  std::erase_if(retries_, [&](const auto& retry) {
    if (retry.second > now.monotonic) return false;
    orders_.push_back(DeleteImageFiles{retry.first});
    return true;
  });
  std::erase_if(progress_, [this](const auto& import) { return !is_importing(import.first); });
  if (audit_.take_due(now.monotonic)) orders_.push_back(ListImageFiles{});
  return std::exchange(orders_, {});
}

std::optional<MonotonicTime> ImageWork::wake_at() const {
  std::optional<MonotonicTime> earliest = audit_.next();
  for (const auto& [image, time] : retries_) {
    if (!earliest || time < *earliest) earliest = time;
  }
  return earliest;
}

}  // namespace stellwerk::controller
