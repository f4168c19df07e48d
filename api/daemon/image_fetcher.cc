#include "api/daemon/image_fetcher.h"

#include <spdlog/spdlog.h>

#include "api/daemon/image_fetch.h"
#include "api/daemon/one_line.h"
#include "core/image_url.h"

namespace stellwerk::daemon {

ImageFetcher::ImageFetcher(FetchLimits limits, Parts parts, Reports reports)
    : limits_(limits),
      parts_(parts),
      reports_(std::move(reports)),
      pool_({.name = "sw-fetch", .threads = limits.parallel, .max_waiting = limits.most_waiting}) {}

ImageFetcher::~ImageFetcher() {
  stop(Duration::zero());
}

void ImageFetcher::fetch(const ImageUid& image, const ImageSource& source) {
  const JobPtr job = std::make_shared<Job>();
  {
    const std::lock_guard lock(mutex_);
    if (!jobs_.emplace(image, job).second) return;
  }
  if (pool_.try_run([this, image, source, job] { run(image, source, job); })) return;
  forget(image, job);
  reports_.finished(image, resource_exhausted("{} images wait to be fetched already; try again "
                                              "when some are here",
                                              limits_.most_waiting));
}

void ImageFetcher::run(const ImageUid& image, const ImageSource& source, const JobPtr& job) {
  {
    const std::lock_guard lock(mutex_);
    if (!is_current(image, job)) return;  // dropped by `end` or `stop`
    job->running = true;
  }
  if (!job->cancelled.load()) {
    spdlog::info("image fetch begins image={} url=\"{}\"", image.to_string(),
                 one_line(url_without_query(source.url)));
    absl::StatusOr<controller::ImportedContent> content =
        ImageFetch(image, source,
                   {.limits = limits_,
                    .parts = parts_,
                    .cancelled = job->cancelled,
                    .progress = [&](const auto& news) { reports_.progress(image, news); },
                    .pause = [&](Duration duration) { pause(*job, duration); }})
            .run();
    spdlog::info("image fetch ended image={} outcome=\"{}\"", image.to_string(),
                 one_line(describe(content.status())));
    // One that is published is so whatever was wished meanwhile.
    if (content.ok() || !job->cancelled.load()) reports_.finished(image, std::move(content));
  }
  forget(image, job);
}

bool ImageFetcher::is_current(const ImageUid& image, const JobPtr& job) const {
  const auto found = jobs_.find(image);
  return found != jobs_.end() && found->second == job;
}

void ImageFetcher::forget(const ImageUid& image, const JobPtr& job) {
  const std::lock_guard lock(mutex_);
  if (is_current(image, job)) jobs_.erase(image);
  changed_.notify_all();
}

void ImageFetcher::pause(const Job& job, Duration duration) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, duration, [&job] { return job.cancelled.load(); });
}

void ImageFetcher::end(const ImageUid& image) {
  std::unique_lock lock(mutex_);
  const auto found = jobs_.find(image);
  if (found == jobs_.end()) return;
  const JobPtr job = found->second;
  job->cancelled = true;
  if (!job->running) {
    jobs_.erase(found);  // its turn may be hours away
    return;
  }
  changed_.notify_all();
  changed_.wait(lock, [&] { return !is_current(image, job); });
}

bool ImageFetcher::stop(Duration patience) {
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [image, job] : jobs_) job->cancelled = true;
    // Those that wait are never begun.
    std::erase_if(jobs_, [](const auto& entry) { return !entry.second->running; });
    changed_.notify_all();
  }
  return pool_.stop(patience);
}

}  // namespace stellwerk::daemon
