#include "api/daemon/image_fetch.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "api/daemon/one_line.h"
#include "core/failpoint.h"
#include "core/image_url.h"
#include "core/parse_number.h"

namespace stellwerk::daemon {
namespace {

constexpr Bytes kProgress = mebibytes(1);

absl::Status changed(const ImageSource& source) {
  return out_of_range("{} is another file than before", url_without_query(source.url));
}

}  // namespace

ImageFetch::ImageFetch(const ImageUid& image, const ImageSource& source, Surroundings surroundings)
    : image_(image),
      source_(source),
      around_(std::move(surroundings)),
      begun_(around_.parts.clock.now().monotonic) {}

Duration ImageFetch::elapsed() const {
  return around_.parts.clock.now().monotonic - begun_;
}

std::string ImageFetch::note_of(const Known& known) {
  const std::string total = known.total ? std::to_string(known.total->count()) : "?";
  return total + "\n" + known.validator;
}

ImageFetch::Known ImageFetch::known_of(std::string_view note) {
  const size_t line = note.find('\n');
  if (line == std::string_view::npos) return {};
  Known known{.total = std::nullopt, .validator = std::string(note.substr(line + 1))};
  if (const auto total = parse_number<int64_t>(note.substr(0, line))) known.total = Bytes(*total);
  return known;
}

absl::StatusOr<controller::ImportedContent> ImageFetch::run() {
  // An earlier process may have ended between publishing it and telling so.
  absl::StatusOr<storage::ImageFacts> facts = around_.parts.storage.published(image_);
  const bool here = facts.ok() && source_.sha256.value_or(facts->sha256) == facts->sha256;
  if (here) {
    spdlog::info("image is here already image={}", image_.to_string());
  } else {
    facts = fetch_and_publish();
  }
  SW_RETURN_IF_ERROR(facts.status());
  return controller::ImportedContent{.format = facts->format,
                                     .file_size = facts->file_size,
                                     .virtual_size = facts->virtual_size,
                                     .sha256 = facts->sha256};
}

absl::StatusOr<storage::ImageFacts> ImageFetch::fetch_and_publish() {
  SW_ASSIGN_OR_RETURN(upload_, around_.parts.storage.resume_upload(image_));
  known_ = known_of(upload_->note());
  if (upload_->received() > Bytes()) {
    spdlog::info("image fetch goes on image={} from=\"{}\"", image_.to_string(),
                 to_string(upload_->received()));
  }
  report(true);
  SW_RETURN_IF_ERROR(fetch_all());
  report(true);
  return upload_->finish(source_.sha256);
}

absl::Status ImageFetch::fetch_all() {
  // It had all come when the last process ended.
  if (known_.total && *known_.total == upload_->received() && *known_.total > Bytes()) {
    return absl::OkStatus();
  }
  Duration wait = around_.limits.first_pause;
  Bytes mark = upload_->received();
  for (int tries = 1;; ++tries) {
    const Duration left = around_.limits.longest - elapsed();
    if (left <= Duration::zero()) {
      return deadline_exceeded(
          "{} has not come whole within {}; {} came", url_without_query(source_.url),
          to_short_string(around_.limits.longest), to_string(upload_->received()));
    }
    const absl::Status result = attempt(left);
    if (result.ok()) return result;
    if (const absl::Status saved = save(); !saved.ok()) {
      spdlog::debug("image fetch keeps nothing image={} error=\"{}\"", image_.to_string(),
                    one_line(message_of(saved)));
    }
    const bool again = absl::IsUnavailable(result) || absl::IsOutOfRange(result);
    if (!again) return result;
    if (absl::IsOutOfRange(result)) {
      SW_RETURN_IF_ERROR(upload_->restart());
      known_ = {};
      mark = Bytes();
    } else if (upload_->received() - mark >= kProgress) {
      tries = 1;
      wait = around_.limits.first_pause;
    }
    if (tries >= around_.limits.attempts) {
      return annotate(result, fmt::format("given up after {} attempts", tries));
    }
    mark = upload_->received();
    spdlog::warn("image fetch broke off image={} received=\"{}\" again_in_ms={} error=\"{}\"",
                 image_.to_string(), to_string(upload_->received()), wait.count() / 1000,
                 one_line(message_of(result)));
    around_.pause(wait);
    wait = std::min(wait * 2, around_.limits.longest_pause);
  }
}

absl::Status ImageFetch::attempt(Duration left) {
  if (around_.cancelled.load()) {
    return make_status(absl::StatusCode::kCancelled, "the import was broken off");
  }
  const bool resumes = !known_.validator.empty();
  return around_.parts.downloader.fetch({.url = source_.url,
                                         .from = resumes ? upload_->received() : Bytes(),
                                         .validator = known_.validator,
                                         .longest = left},
                                        *this, around_.cancelled);
}

absl::Status ImageFetch::begin(const download::Announcement& announcement) {
  const bool goes_on = announcement.from > Bytes();
  if (goes_on) {
    // A server may heed the range and not the condition.
    const bool other_file =
        !announcement.validator.empty() && announcement.validator != known_.validator;
    const bool other_size =
        announcement.total && known_.total && announcement.total != known_.total;
    if (other_file || other_size || announcement.from != upload_->received()) {
      return changed(source_);
    }
  } else if (upload_->received() > Bytes()) {
    spdlog::info("image fetch begins anew image={}", image_.to_string());
    SW_RETURN_IF_ERROR(upload_->restart());
  }
  if (announcement.total) SW_RETURN_IF_ERROR(upload_->expect(*announcement.total));
  // The rest of a file need not say again what the file is.
  if (!goes_on || announcement.total) known_.total = announcement.total;
  if (!goes_on) known_.validator = announcement.validator;
  saved_at_ = around_.parts.clock.now().monotonic;
  report(true);
  return absl::OkStatus();
}

absl::Status ImageFetch::write(std::string_view bytes) {
  SW_RETURN_IF_ERROR(upload_->write(bytes));
  failpoint("image.fetch.written");
  const MonotonicTime now = around_.parts.clock.now().monotonic;
  if (now - saved_at_ >= around_.limits.checkpoint_every) SW_RETURN_IF_ERROR(save());
  report(false);
  return absl::OkStatus();
}

// Without a validator nothing could be gone on with.
absl::Status ImageFetch::save() {
  saved_at_ = around_.parts.clock.now().monotonic;
  if (known_.validator.empty() || upload_->received() == Bytes()) return absl::OkStatus();
  return upload_->checkpoint(note_of(known_));
}

void ImageFetch::report(bool now) {
  const MonotonicTime time = around_.parts.clock.now().monotonic;
  if (!now && time - reported_at_ < around_.limits.report_every) return;
  reported_at_ = time;
  around_.progress({.received = upload_->received(), .expected = known_.total});
}

}  // namespace stellwerk::daemon
