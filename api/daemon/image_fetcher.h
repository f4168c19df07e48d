// Fetches images from their sources: a few at a time, on threads of its own, going on where an
// earlier attempt or process broke off. Says how it went when there is nothing more to try.
//
// Threads: every public function may be called from any; `Reports` come from the fetcher's threads
// and only post.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "api/daemon/worker_pool.h"
#include "drivers/download/downloader.h"
#include "drivers/storage/storage.h"
#include "orchestrator/controller/requests.h"

namespace stellwerk::daemon {

struct FetchLimits {
  size_t parallel = 2;
  size_t most_waiting = 1000;
  Duration longest = std::chrono::hours(6);  // one image, all attempts of one process
  // In a row, without a mebibyte of progress between them.
  int attempts = 6;
  Duration first_pause = std::chrono::seconds(1);  // doubled with each attempt
  Duration longest_pause = std::chrono::seconds(30);
  Duration checkpoint_every = std::chrono::seconds(2);
  Duration report_every = std::chrono::milliseconds(500);
};

class ImageFetcher {
 public:
  struct Reports {
    std::function<void(const ImageUid&, const controller::ImportProgress&)> progress;
    // Not for what `end` or `stop` has broken off; for what was whole before they could, it is.
    std::function<void(const ImageUid&, absl::StatusOr<controller::ImportedContent>)> finished;
  };
  // The references outlive the fetcher.
  struct Parts {
    storage::Storage& storage;
    download::Downloader& downloader;
    const Clock& clock;
  };
  ImageFetcher(FetchLimits limits, Parts parts, Reports reports);
  // stop().
  ~ImageFetcher();
  ImageFetcher(const ImageFetcher&) = delete;
  ImageFetcher& operator=(const ImageFetcher&) = delete;

  // Does nothing if it is under way.
  void fetch(const ImageUid& image, const ImageSource& source);
  // Blocks until nothing of it is under way any more.
  void end(const ImageUid& image);
  // Breaks everything off; what has come stays for the next process. False: something has not come
  // back within `patience`.
  bool stop(Duration patience);

 private:
  struct Job {
    std::atomic<bool> cancelled = false;
    bool running = false;  // under the fetcher's lock
  };
  using JobPtr = std::shared_ptr<Job>;

  void run(const ImageUid& image, const ImageSource& source, const JobPtr& job);
  // Under the lock: whether this job is still the image's.
  bool is_current(const ImageUid& image, const JobPtr& job) const;
  void forget(const ImageUid& image, const JobPtr& job);
  // Ends early when the job is cancelled.
  void pause(const Job& job, Duration duration);

  const FetchLimits limits_;
  const Parts parts_;
  const Reports reports_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<ImageUid, JobPtr> jobs_;
  WorkerPool pool_;
};

}  // namespace stellwerk::daemon
