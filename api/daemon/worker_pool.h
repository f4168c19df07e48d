// Threads for what blocks, with a bounded queue. Any thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/time.h"

namespace stellwerk::daemon {

class WorkerPool {
 public:
  // `name` is what tools show of the threads; at most 15 characters.
  struct Options {
    std::string name;
    size_t threads = 1;
    size_t max_waiting = 16;
  };
  explicit WorkerPool(Options options);
  // Waits for work that is under way, however long it takes.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // False, and nothing happens: too much waits, or the pool has been stopped.
  bool try_run(std::function<void()> work);

  // However much waits; false only if the pool has been stopped. For callers that bound their work
  // themselves.
  bool run_beyond_limit(std::function<void()> work);

  // Drops what waits. True when nothing is under way any more; false when `patience` has passed
  // before that, and then only the end of the process ends that work.
  bool stop(Duration patience);

 private:
  bool enqueue(std::function<void()> work, size_t most);
  void serve();

  const Options options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  size_t running_ = 0;
  bool stopped_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace stellwerk::daemon
